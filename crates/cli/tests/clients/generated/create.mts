// A client made by openapi-typescript: what the service sends and takes is typed.
import createClient from "openapi-fetch";

import type { components, paths } from "./schema.js";

const client = createClient<paths>({
  baseUrl: "https://api.scriptix.io",
  headers: { Authorization: "Bearer YOUR_API_KEY" },
});
const body: components["schemas"]["CreateModel"] = {
  name: "Medical Cardiology EN",
  language: "en",
  base_model: "medical",
};
const { data, error } = await client.POST("/api/v3/custom_models", { body });
if (error) throw new Error(error.message);
if (!("model_key" in data)) throw new Error("nothing was created");
console.log(data.id, data.model_key, data.training_status);

const params = { path: { id: data.id } };
const read = await client.GET("/api/v3/custom_models/{id}", { params });
console.log(read.data?.name);

// @ts-expect-error The description has the languages.
const other: components["schemas"]["CreateModel"] = { name: "n", language: "xx", base_model: "general" };
const refused = await client.POST("/api/v3/custom_models", { body: other });
console.log(refused.response.status, refused.error?.message);
