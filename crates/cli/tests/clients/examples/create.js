const axios = require('axios');
const createCustomModel = async () => {
try {
const response = await axios.post(
'https://api.scriptix.io/api/v3/custom_models',
{
name: 'Medical Cardiology EN',
language: 'en',
base_model: 'medical',
description: 'Custom model for cardiology consultations and reports'
},
{
headers: {
'Authorization': 'Bearer YOUR_API_KEY',
'Content-Type': 'application/json'
}
}
);
const model = response.data;
console.log('Created model ID:', model.id);
console.log('Model key:', model.model_key);
console.log('Status:', model.status_message);
return model;
} catch (error) {
console.error('Error creating model:', error.response.data);
}
};
createCustomModel();
