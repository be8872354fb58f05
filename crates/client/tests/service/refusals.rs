//! Errors, and what they and the client show.

use std::error::Error as _;
use std::time::Duration;

use custom_models_client::{Client, Error, InvalidClient};
use custom_models_core::access::Scope;
use custom_models_core::model::Expected;

use crate::support::{Service, named};

fn refused<T: std::fmt::Debug>(result: Result<T, Error>) -> custom_models_client::Refused {
    match result {
        Err(Error::Refused(refused)) => *refused,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_has_its_status_code_details_and_request_id() {
    let service = Service::start().await;
    let client = service.client();
    for number in 0..5 {
        client.create(&named(&number.to_string())).await.unwrap();
    }
    let full = refused(client.create(&named("6")).await);
    assert_eq!((full.status, full.code()), (402, Some("MODEL_LIMIT_EXCEEDED")));
    assert_eq!(full.detail("plan_limit"), Some(&5.into()));
    assert_eq!(full.violations().count(), 0);
    assert!(full.request_id.is_some());
    assert!(full.json.starts_with(r#"{"error":"Quota Exceeded","message":"#));
    assert_eq!(full.to_string(), "402 MODEL_LIMIT_EXCEEDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn violations_are_listed_by_field() {
    let service = Service::start().await;
    let client = service.client();
    // The types exclude invalid requests, so a later version of the service stands in with a rule of its own.
    service.fails(1, || {
        let body = r#"{"error":"Validation Error","message":"Invalid field values","details":{"name":"Too dull"}}"#;
        (axum::http::StatusCode::BAD_REQUEST, body)
    });
    let invalid = refused(client.create(&named("n")).await);
    assert_eq!(invalid.violations().collect::<Vec<_>>(), [("name", "Too dull")]);
    assert_eq!(invalid.to_string(), "400 Invalid field values; name: Too dull");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_wrong_or_lacks_a_scope_is_refused() {
    let service = Service::start().await;
    let reader = service.builder().key(service.key(2, &[Scope::Read])).build().unwrap();
    let forbidden = refused(reader.create(&named("n")).await);
    assert_eq!((forbidden.status, forbidden.code()), (403, Some("INSUFFICIENT_SCOPE")));
    let unknown = service.builder().key("cm_unknown").build().unwrap();
    assert_eq!(refused(unknown.create(&named("n")).await).status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_of_another_service_is_no_refusal() {
    let service = Service::start().await;
    let client = service.client();
    service.fails(1, || (axum::http::StatusCode::BAD_GATEWAY, "<h1>\u{1b}[31mBad gateway</h1>"));
    let Err(Error::Unexpected(response)) = client.create(&named("n")).await else { panic!() };
    assert_eq!((response.status, &*response.excerpt), (502, "<h1> [31mBad gateway</h1>"));
    service.fails(1, || r#"{"id":"no model"}"#);
    let Err(Error::Unexpected(response)) = client.create(&named("n")).await else { panic!() };
    assert_eq!(response.status, 200);
    assert!(response.cause.is_some());
    // A redirect could lead anywhere with the key.
    service.fails(1, || axum::response::Redirect::temporary("/elsewhere"));
    let Err(Error::Unexpected(response)) = client.create(&named("n")).await else { panic!() };
    assert_eq!(response.status, 307);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_response_is_not_read_to_its_end() {
    let service = Service::start().await;
    service.fails(1, || axum::body::Body::new(Endless));
    assert!(matches!(service.client().create(&named("n")).await, Err(Error::Unexpected(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_not_there_or_silent_is_a_transport_error() {
    let service = Service::start().await;
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let client = service.builder_of(closed).build().unwrap();
    let Err(Error::Transport(fault)) = client.create(&named("n")).await else { panic!() };
    assert!(fault.is_connect() && fault.source().is_some());
    assert_eq!(service.waits().len(), 4, "every request without a connection is sent again");

    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = service.builder_of(silent.local_addr().unwrap());
    let client = client.timeout(Duration::from_millis(50)).build().unwrap();
    let Err(Error::Transport(fault)) = client.create(&named("n")).await else { panic!() };
    assert!(fault.is_timeout() && !fault.is_connect());
    assert_eq!(service.waits().len(), 4, "a time-out is not repeated");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_text_shows_the_key() {
    let service = Service::start().await;
    let key = service.key(1, &Scope::ALL);
    let builder = service.builder();
    let client = builder.clone().build().unwrap();
    let id = client.create(&named("n")).await.unwrap().id;
    service.fails(1, || axum::http::StatusCode::BAD_GATEWAY);
    let unexpected = client.delete(id, &Expected::Anything).await.unwrap_err();
    let gone = service.builder_of(([127, 0, 0, 1], 1).into()).build().unwrap();
    let unreachable = gone.get(id).await.unwrap_err();
    let shown = format!("{builder:?} {client:?} {unexpected:?} {unreachable:?} {unreachable}");
    assert!(shown.contains("base_url") && !shown.contains(&key[4..]), "{shown}");
}

#[test]
fn invalid_settings_are_refused() {
    for url in ["", "models", "ftp://h", "http://u:p@h", "http://h/?q", "http://h/#f", "unix:/a"] {
        assert_eq!(Client::new(url, "k").unwrap_err(), InvalidClient::BaseUrl, "{url}");
    }
    for key in ["", "a b", "a\nb", "ä"] {
        assert_eq!(Client::new("http://h", key).unwrap_err(), InvalidClient::Key, "{key:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_url_may_have_a_path() {
    let service = Service::start().await;
    let proxied = Client::builder(format!("http://{}/speech/", service.address)).no_proxy();
    let refused = refused(proxied.build().unwrap().create(&named("n")).await);
    // There is nothing at this path: the router of the service is at the root.
    assert_eq!(refused.code(), Some("ROUTE_NOT_FOUND"));
}

/// A body without an end.
struct Endless;

impl axum::body::HttpBody for Endless {
    type Data = axum::body::Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        let chunk = axum::body::Bytes::from_static(&[b' '; 1 << 16]);
        std::task::Poll::Ready(Some(Ok(http_body::Frame::data(chunk))))
    }
}
