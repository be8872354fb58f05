//! Retries on 429 and 503. No test waits: the clock of the service moves instead.

use std::time::Duration;

use axum::http::StatusCode;
use custom_models_client::{Error, RetryPolicy};
use custom_models_core::UpdateModel;
use custom_models_core::access::{Limits, Operation, OperationLimit};
use custom_models_core::model::Expected;
use custom_models_core::store::{IdempotencyKey, StoreErrorKind};
use custom_models_http::Rejection;

use crate::operations::assert_code;
use crate::support::{Service, named};

fn busy() -> Rejection {
    StoreErrorKind::Busy.into()
}

fn unknown() -> Rejection {
    StoreErrorKind::OutcomeUnknown.into()
}

fn creates(limit: &str) -> Limits {
    let requests = Some(limit.parse().unwrap());
    Limits::NONE.with(Operation::Create, OperationLimit { requests, at_once: None })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_503_is_followed_by_success_after_its_retry_after() {
    let service = Service::start().await;
    service.fails(3, busy);
    service.client().create(&named("n")).await.unwrap();
    assert_eq!(service.waits(), [Duration::from_secs(1); 3]);
    assert_eq!(service.models(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_window_is_waited_for_as_its_retry_after_says() {
    let service = Service::limited(creates("1/20s")).await;
    let client = service.client();
    let first = client.create(&named("a")).await.unwrap();
    let window = first.rate_limit.unwrap();
    assert_eq!((window.limit, window.remaining), (1, 0));
    client.create(&named("b")).await.unwrap();
    assert_eq!(service.waits(), [Duration::from_secs(20)]);
    assert_eq!(service.models(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wait_beyond_the_longest_one_is_the_refusal_at_once() {
    let service = Service::limited(creates("1/1h")).await;
    let client = service.client();
    client.create(&named("a")).await.unwrap();
    let Err(Error::Refused(refused)) = client.create(&named("b")).await else { panic!() };
    assert_eq!((refused.status, refused.code()), (429, Some("RATE_LIMIT_EXCEEDED")));
    assert_eq!(refused.retry_after, Some(Duration::from_secs(3600)));
    let window = refused.rate_limit.unwrap();
    assert_eq!((window.limit, window.remaining), (1, 0));
    assert_eq!(service.waits(), []);

    let patient = service.retries().with_max_wait(Duration::from_secs(3600));
    let patient = service.builder().retries(patient).build().unwrap();
    patient.create(&named("b")).await.unwrap();
    assert_eq!(service.waits(), [Duration::from_secs(3600)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_are_bounded() {
    let service = Service::start().await;
    service.fails(9, busy);
    assert_code(service.client().create(&named("n")).await, 503, "STORE_BUSY");
    assert_eq!((service.waits().len(), service.faults_left()), (4, 4));
    let once = service.builder().retries(RetryPolicy::none()).build().unwrap();
    assert_code(once.create(&named("n")).await, 503, "STORE_BUSY");
    assert_eq!(service.faults_left(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_outcome_is_repeated_only_where_nothing_is_done_twice() {
    let service = Service::start().await;
    let client = service.client();
    service.fails(1, unknown);
    let model = client.create(&named("n")).await.unwrap();
    assert_eq!((service.waits().len(), service.models()), (1, 1));
    service.fails(1, unknown);
    let deleted = client.delete(model.id, &Expected::Anything).await;
    assert_code(deleted, 503, "OUTCOME_UNKNOWN");
    service.fails(1, unknown);
    let update = UpdateModel::builder().name("m").build().unwrap();
    let updated = client.update(model.id, &update, &Expected::Anything).await;
    assert_code(updated, 503, "OUTCOME_UNKNOWN");
    assert_eq!(service.waits().len(), 1);
    service.fails(1, busy);
    client.update(model.id, &update, &Expected::Anything).await.unwrap();
    assert_eq!(service.waits().len(), 2, "this 503 says that nothing was done");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_503_of_a_proxy_has_a_growing_wait() {
    let service = Service::start().await;
    service.fails(3, || (StatusCode::SERVICE_UNAVAILABLE, "no upstream"));
    service.client().create(&named("n")).await.unwrap();
    let waits = service.waits();
    for (wait, full) in waits.iter().zip([200, 400, 800]) {
        let full = Duration::from_millis(full);
        assert!((full / 2..=full).contains(wait), "{waits:?}");
    }
    assert_eq!(waits.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_refusals_are_not_repeated() {
    let service = Service::start().await;
    for status in [StatusCode::BAD_GATEWAY, StatusCode::INTERNAL_SERVER_ERROR] {
        service.fails(1, move || status);
        assert!(service.client().create(&named("n")).await.is_err());
    }
    assert_eq!((service.waits(), service.models()), (vec![], 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_the_callers_makes_two_calls_one_create() {
    let service = Service::start().await;
    let client = service.client();
    let key = IdempotencyKey::new("order-7").unwrap();
    let first = client.create_once(&named("n"), &key).await.unwrap();
    let again = client.create_once(&named("n"), &key).await.unwrap();
    assert!(again.is_replayed && again.value == first.value);
    assert_code(client.create_once(&named("m"), &key).await, 422, "IDEMPOTENCY_KEY_REUSED");
    client.create(&named("n")).await.unwrap();
    client.create(&named("n")).await.unwrap();
    assert_eq!(service.models(), 3, "each call without a key is a request of its own");
}
