//! Section 6: the bodies of refusals, to the byte.

use std::num::NonZeroU32;

use custom_models_core::access::{AccessRefusal, RateLimitStatus, Scope};
use custom_models_core::store::{StoreError, StoreErrorKind};
use custom_models_core::time::UnixMillis;
use custom_models_core::wire::ErrorBody;
use custom_models_core::{CreateModel, MemoryStore, Plan, Refusal};
use proptest::prelude::*;

use crate::support::{Json, caller, config, engine, id, keys, render, request, tape};

const INTERNAL: &str = r#"{"error":"Internal Server Error","message":"An unexpected error occurred. Please try again."}"#;

fn assert_wire<'a>(refusal: impl Into<ErrorBody<'a>>, status: u16, body: &str) {
    let error = refusal.into();
    assert_eq!(error.status, status);
    assert_eq!(error.to_json(), body);
    assert_eq!(serde_json::to_string(&error).unwrap(), body);
    let says_when = error.headers.iter().any(|(name, _)| *name == "Retry-After");
    assert_eq!(says_when, matches!(status, 429 | 503));
}

/// Returns the headers of an error, in the form of an HTTP head.
fn headers<'a>(refusal: impl Into<ErrorBody<'a>>) -> String {
    let error = refusal.into();
    let lines: Vec<_> =
        error.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    lines.join("\n")
}

#[test]
fn wire_400_lists_what_is_wrong_in_the_order_of_the_fields() {
    for (body, details) in [
        (
            r#"{"language":"xx","name":""}"#,
            r#"{"name":"Name cannot be empty","language":"Language 'xx' is not supported"}"#,
        ),
        (
            r#"{"description":1,"base_model":null,"language":2,"name":3}"#,
            concat!(
                r#"{"name":"Name must be a string","language":"Language must be a string","#,
                r#""base_model":"Base model must be a string","description":"Description must be a string or null"}"#
            ),
        ),
        ("[]", r#"{"body":"Request body must be a JSON object"}"#),
        ("{", r#"{"body":"Request body is not valid JSON"}"#),
        (
            r#"{"name":"n","language":"\"\\","base_model":"<é語😀>"}"#,
            concat!(
                r#"{"language":"Language '\"\\' is not supported","#,
                r#""base_model":"Base model '<é語😀>' is not one of general, medical, legal, technical"}"#
            ),
        ),
    ] {
        let refusal = Refusal::from(CreateModel::from_json(body.as_bytes()).unwrap_err());
        let frame = r#"{"error":"Validation Error","message":"Invalid field values","details":"#;
        assert_wire(&refusal, 400, &format!("{frame}{details}}}"));
    }
}

#[test]
fn wire_401_and_wire_402_and_wire_404_are_answered_to_the_byte() {
    assert_wire(
        &AccessRefusal::Unauthorized,
        401,
        r#"{"error":"Unauthorized","message":"Invalid or missing API key"}"#,
    );
    assert_eq!(headers(&AccessRefusal::Unauthorized), "WWW-Authenticate: Bearer");
    let engine = engine(MemoryStore::new());
    let caller = caller("acme", Plan::gold());
    for _ in 0..5 {
        engine.create(&caller, request("n")).unwrap();
    }
    assert_wire(
        &engine.create(&caller, request("n")).unwrap_err(),
        402,
        concat!(
            r#"{"error":"Quota Exceeded","message":"Custom model limit reached for your plan","#,
            r#""error_code":"MODEL_LIMIT_EXCEEDED","#,
            r#""details":{"current_models":5,"plan_limit":5,"plan":"Gold"}}"#
        ),
    );
    assert_wire(
        &engine.get(&caller, id(99)).unwrap_err(),
        404,
        r#"{"error":"Not Found","message":"Custom model not found","error_code":"MODEL_NOT_FOUND"}"#,
    );
}

#[test]
fn wire_409_and_wire_413_are_answered_to_the_byte() {
    assert_wire(
        &Refusal::TrainingInProgress,
        409,
        r#"{"error":"Conflict","message":"The model is being trained","error_code":"TRAINING_IN_PROGRESS"}"#,
    );
    assert_wire(
        &Refusal::BodyTooLarge,
        413,
        r#"{"error":"Payload Too Large","message":"Request body cannot exceed 65536 bytes","error_code":"PAYLOAD_TOO_LARGE"}"#,
    );
}

#[test]
fn wire_500_and_wire_503_a_fault_that_may_pass_and_any_other_which_says_nothing() {
    let fault = |kind| Refusal::from(StoreError::new(kind, "/secret/path: no such disk"));
    for kind in [
        StoreErrorKind::NotOurs,
        StoreErrorKind::Newer,
        StoreErrorKind::Older,
        StoreErrorKind::Missing,
        StoreErrorKind::ReadOnly,
        StoreErrorKind::Locked,
        StoreErrorKind::Damaged,
        StoreErrorKind::Full,
        StoreErrorKind::IdsExhausted,
        StoreErrorKind::Failed,
    ] {
        assert_wire(&fault(kind), 500, INTERNAL);
    }
    assert_wire(&Refusal::Internal { cause: "a secret".into() }, 500, INTERNAL);
    let unavailable = |message: &str, code: &str| {
        format!(r#"{{"error":"Service Unavailable","message":"{message}","error_code":"{code}"}}"#)
    };
    for (refusal, message, code) in [
        (fault(StoreErrorKind::Busy), "The service is busy. Please try again.", "STORE_BUSY"),
        (
            fault(StoreErrorKind::OutcomeUnknown),
            "It is unknown whether the change was made. Check before you try again.",
            "OUTCOME_UNKNOWN",
        ),
        (
            fault(StoreErrorKind::Closed),
            "The service is unavailable. Please try again.",
            "STORE_UNAVAILABLE",
        ),
        (
            fault(StoreErrorKind::Unavailable),
            "The service is unavailable. Please try again.",
            "STORE_UNAVAILABLE",
        ),
        (
            fault(StoreErrorKind::ForeignData),
            "The service is unavailable. Please try again.",
            "STORE_UNAVAILABLE",
        ),
    ] {
        assert_wire(&refusal, 503, &unavailable(message, code));
    }
}

#[test]
fn wire_500_the_log_hears_the_cause_that_the_wire_keeps_quiet() {
    let refusal = Refusal::from(StoreError::new(StoreErrorKind::Failed, "disk 7 is gone"));
    assert_eq!(refusal.to_string(), "the store failed");
    let cause = std::error::Error::source(&refusal).unwrap();
    assert_eq!(cause.to_string(), "disk 7 is gone");
    assert!(!refusal.to_json().contains("disk"));
    assert_eq!(Refusal::ModelNotFound.to_string(), "no such model");
    assert!(std::error::Error::source(&Refusal::ModelNotFound).is_none());
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn wire_400_is_compact_json_with_its_keys_in_order(mut tape in tape()) {
        let members = Json::request(&mut tape);
        let body = render(&members, &mut tape);
        if let Err(violations) = CreateModel::from_json(body.as_bytes()) {
            let refusal = Refusal::from(violations);
            let json = refusal.to_json();
            prop_assert_eq!(refusal.status(), 400);
            prop_assert_eq!(keys(&json), ["error", "message", "details"]);
            let value: serde_json::Value = serde_json::from_str(&json).unwrap();
            prop_assert_eq!(value.to_string().len(), json.len());
        }
    }
}

#[test]
fn wire_403_is_answered_to_the_byte() {
    let refusal = AccessRefusal::InsufficientScope { required: Scope::Write };
    let body = r#"{"error":"Forbidden","message":"The API key lacks the scope that this operation needs","error_code":"INSUFFICIENT_SCOPE","details":{"required_scope":"custom_models:write"}}"#;
    assert_wire(&refusal, 403, body);
    assert_eq!(headers(&refusal), "");
}

#[test]
fn rate_5_and_wire_429_both_are_answered_to_the_byte_and_say_when_to_retry() {
    let reset_at = UnixMillis::from_unix_millis(1);
    let rate_limit = RateLimitStatus { limit: 10, remaining: 0, reset_at };
    let full = AccessRefusal::RateLimited { rate_limit, retry_after: 3599 };
    assert_wire(
        &full,
        429,
        r#"{"error":"Too Many Requests","message":"Request limit reached","error_code":"RATE_LIMIT_EXCEEDED","details":{"limit":10,"retry_after":3599}}"#,
    );
    const STANDING: &str =
        "\nX-RateLimit-Limit: 10\nX-RateLimit-Remaining: 0\nX-RateLimit-Reset: 1";
    assert_eq!(headers(&full), format!("Retry-After: 3599{STANDING}"));
    for rate_limit in [None, Some(rate_limit)] {
        let at_once = NonZeroU32::new(3).unwrap();
        let busy = AccessRefusal::ConcurrencyLimited { at_once, rate_limit };
        assert_wire(
            &busy,
            429,
            r#"{"error":"Too Many Requests","message":"Too many requests at a time","error_code":"CONCURRENCY_LIMIT_EXCEEDED","details":{"at_once":3}}"#,
        );
        let rate_limit = rate_limit.map_or("", |_| STANDING);
        assert_eq!(headers(&busy), format!("Retry-After: 1{rate_limit}"));
    }
}
