interface CreateModelRequest {
name: string;
language: string;
base_model?: 'general' | 'medical' | 'legal' | 'technical';
description?: string;
}
interface CustomModel {
id: number;
model_key: string;
name: string;
description: string | null;
language: string;
base_model: string;
training_status: number;
status_message: string;
created_at: string;
updated_at: string;
}
const createCustomModel = async (
data: CreateModelRequest
): Promise<CustomModel> => {
const response = await fetch('https://api.scriptix.io/api/v3/custom_models', {
method: 'POST',
headers: {
'Authorization': 'Bearer YOUR_API_KEY',
'Content-Type': 'application/json'
},
body: JSON.stringify(data)
});
if (!response.ok) {
const error = await response.json();
throw new Error(error.message);
}
return response.json();
};
// Usage
createCustomModel({
name: 'Medical Cardiology EN',
language: 'en',
base_model: 'medical',
description: 'Custom model for cardiology consultations and reports'
}).then(model => {
console.log('Created:', model.model_key);
});
