import requests
url = "https://api.scriptix.io/api/v3/custom_models"
headers = {
"Authorization": "Bearer YOUR_API_KEY",
"Content-Type": "application/json"
}
data = {
"name": "Medical Cardiology EN",
"language": "en",
"base_model": "medical",
"description": "Custom model for cardiology consultations and reports"
}
response = requests.post(url, headers=headers, json=data)
model = response.json()
print(f"Created model ID: {model['id']}")
print(f"Model key: {model['model_key']}")
print(f"Status: {model['status_message']}")
