use super::*;

#[test]
fn an_endpoint_is_found_by_its_method_and_route_below_any_prefix() {
    for endpoint in all() {
        let method = serde_json::to_value(&endpoint.method).unwrap();
        let method = method.as_str().unwrap().to_uppercase();
        for prefix in ["", "/below"] {
            let route = format!("{prefix}{}", endpoint.path);
            assert_eq!(operation(&method, &route), Some(endpoint.operation), "{method} {route}");
        }
        assert_eq!(operation(&method, "/health"), None);
    }
    assert_eq!(operation("HEAD", MODELS), Some(Operation::List));
    assert_eq!(operation("PATCH", MODELS), None);
    assert_eq!(operation("DELETE", MODELS), None);
}
