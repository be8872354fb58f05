curl -X POST https://api.scriptix.io/api/v3/custom_models \
-H "Authorization: Bearer YOUR_API_KEY" \
-H "Content-Type: application/json" \
-d '{
"name": "Medical Cardiology EN",
"language": "en",
"base_model": "medical",
"description": "Custom model for cardiology consultations and reports"
}'
