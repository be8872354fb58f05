use super::*;

#[test]
fn wire_400_and_wire_501_of_heads_and_wire_503_of_shared_places_are_answered_to_the_byte() {
    for (rejection, status, body) in [
        (
            Rejection::InvalidHost,
            400,
            r#"{"error":"Bad Request","message":"The request must have exactly one valid Host header","error_code":"INVALID_HOST"}"#,
        ),
        (
            Rejection::UnsupportedTransferEncoding,
            501,
            r#"{"error":"Not Implemented","message":"Transfer-Encoding must be chunked","error_code":"UNSUPPORTED_TRANSFER_ENCODING"}"#,
        ),
        (
            Rejection::AtCapacity,
            503,
            r#"{"error":"Service Unavailable","message":"All places for such requests are taken. Please try again.","error_code":"AT_CAPACITY"}"#,
        ),
        (
            Rejection::ShareExceeded { places: 4 },
            503,
            r#"{"error":"Service Unavailable","message":"Your organisation has taken its share of the places for such requests. Please try again.","error_code":"SHARE_EXCEEDED","details":{"places":4}}"#,
        ),
    ] {
        assert_wire(&rejection, status, body);
    }
}

#[test]
fn wire_404_and_wire_405_and_wire_408_and_wire_415_of_http_are_answered_to_the_byte() {
    for (rejection, status, body) in [
        (
            Rejection::RouteNotFound,
            404,
            r#"{"error":"Not Found","message":"There is nothing at this path","error_code":"ROUTE_NOT_FOUND"}"#,
        ),
        (
            Rejection::MethodNotAllowed,
            405,
            r#"{"error":"Method Not Allowed","message":"This path does not take this method","error_code":"METHOD_NOT_ALLOWED"}"#,
        ),
        (
            Rejection::RequestTimeout,
            408,
            r#"{"error":"Request Timeout","message":"The request did not arrive in time","error_code":"REQUEST_TIMEOUT"}"#,
        ),
        (
            Rejection::UnsupportedMediaType,
            415,
            r#"{"error":"Unsupported Media Type","message":"Content-Type must be application/json","error_code":"UNSUPPORTED_MEDIA_TYPE"}"#,
        ),
        (
            Rejection::NotMultipart,
            415,
            r#"{"error":"Unsupported Media Type","message":"Content-Type must be multipart/form-data","error_code":"UNSUPPORTED_MEDIA_TYPE"}"#,
        ),
        (
            Rejection::UnsupportedContentEncoding,
            415,
            r#"{"error":"Unsupported Media Type","message":"Content-Encoding must be identity","error_code":"UNSUPPORTED_MEDIA_TYPE"}"#,
        ),
    ] {
        assert_wire(&rejection, status, body);
    }
}

fn assert_wire(rejection: &Rejection, status: u16, body: &str) {
    let error = ErrorBody::from(rejection);
    assert_eq!((rejection.status(), error.status), (status, status));
    assert_eq!(error.to_json(), body);
    let headers = match rejection {
        Rejection::UnsupportedContentEncoding => vec![("Accept-Encoding", "identity".into())],
        _ if status == 503 => vec![("Retry-After", "1".into())],
        _ => Vec::new(),
    };
    assert_eq!(error.headers, headers, "{body}");
}
