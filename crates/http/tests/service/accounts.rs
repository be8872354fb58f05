//! A host's own accounts instead of keys, with the rules of keys: AUTH, RATE and ORDER.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::http::request::Parts;
use custom_models_core::access::{
    AccessRefusal, Gate, Limits, Operation, OperationLimit, Principal, Scopes, WindowKey,
};
use custom_models_core::wire::ErrorBody;
use custom_models_core::{Caller, Plan};
use custom_models_http::{Access, Authentication, Authenticator, Options, Rejection, router};

use crate::support::{Behaviour, CREATED, MODELS, NAMED, Server, head};

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// Accounts that are in the headers themselves: `X-User: ORGANISATION/NAME`, and `X-Scopes`. Without them a key of the gate
/// is looked for.
struct Users {
    gate: Gate,
    /// Every user is of another organisation from now on.
    moved: Arc<AtomicBool>,
}

impl Authenticator for Users {
    fn authenticate<'a>(&'a self, head: &'a Parts) -> Authentication<'a> {
        Box::pin(async move {
            let text = |name| head.headers.get(name).and_then(|value| value.to_str().ok());
            let Some(user) = text("x-user") else { return self.gate.authenticate(head).await };
            let (organisation, name) = user.split_once('/').ok_or(AccessRefusal::Unauthorized)?;
            match name {
                "suspended" => {
                    let body = ErrorBody::new(402, "Payment Required", "The account is suspended");
                    return Err(body.with_code("SUSPENDED").with_header("X-Account", "9").into());
                }
                "hangs" => std::future::pending().await,
                "panics" => panic!("in an authenticator"),
                _ => {}
            }
            let has_moved = self.moved.load(Ordering::SeqCst);
            let organisation = if has_moved { "elsewhere" } else { organisation };
            let caller = Caller::new(organisation.parse().unwrap(), Plan::new("Own", Some(2)));
            let scopes: Scopes = text("x-scopes").unwrap_or_default().parse().unwrap();
            let identity = WindowKey::new(user.as_bytes()).unwrap();
            Ok(Principal::new(caller.acting_as(name.parse().unwrap()), scopes, identity).into())
        })
    }
}

struct Service {
    server: Server,
    moved: Arc<AtomicBool>,
}

impl Service {
    fn new(limits: Limits, options: Options) -> Self {
        let moved = Arc::new(AtomicBool::new(false));
        let users = Arc::clone(&moved);
        let server = Server::mount(limits, options, |engine, gate, options| {
            let users = Users { gate: gate.clone(), moved: users };
            router(engine, Access::new(users, gate), options)
        });
        Service { server, moved }
    }

    fn limited(requests: &str, at_once: u32) -> Self {
        let limit = OperationLimit {
            requests: Some(requests.parse().unwrap()),
            at_once: std::num::NonZeroU32::new(at_once),
        };
        Service::new(Limits::NONE.with(Operation::Create, limit), Options::default())
    }

    fn create(&self, user: &str) -> crate::support::Answer {
        self.server.request("POST", MODELS, &[JSON, ("X-User", user), WRITE], NAMED)
    }
}

const WRITE: (&str, &str) = ("X-Scopes", "custom_models:write");
const READ: (&str, &str) = ("X-Scopes", "custom_models:read");

#[test]
fn auth_2_and_auth_3_an_own_account_acts_for_its_organisation_on_its_plan() {
    let service = Service::new(Limits::NONE, Options::default());
    service.create("acme/alice").is(201, CREATED);
    let get = |user, path: &str| {
        service.server.request("GET", &format!("{MODELS}{path}"), &[("X-User", user), READ], "")
    };
    get("acme/bob", "/1").is(200, CREATED);
    get("other/carol", "/1").refuses(404, "MODEL_NOT_FOUND");
    let events = get("acme/bob", "/events").body;
    assert!(events.contains(r#""actor":"alice""#), "{events}");
    assert_eq!(service.create("acme/bob").status, 201);
    let refused = service.create("acme/bob").body;
    assert!(refused.contains(r#""plan":"Own""#), "{refused}");
}

#[test]
fn order_an_own_account_route_account_scope_place_window() {
    let service = Service::limited("1/1h", 1);
    let server = &service.server;
    server.request("GET", "/nowhere", &[], "").refuses(404, "ROUTE_NOT_FOUND");
    let nobody = server.request("POST", MODELS, &[JSON], NAMED);
    nobody.is(401, r#"{"error":"Unauthorized","message":"Invalid or missing API key"}"#);
    server.store.behave(Behaviour::Holds);
    std::thread::scope(|scope| {
        let at_work = scope.spawn(|| service.create("acme/alice"));
        server.store.wait_for_held_writes(1);
        let reader = server.request("POST", MODELS, &[JSON, ("X-User", "acme/alice"), READ], NAMED);
        reader.refuses(403, "INSUFFICIENT_SCOPE");
        service.create("acme/alice").refuses(429, "CONCURRENCY_LIMIT_EXCEEDED");
        server.store.behave(Behaviour::Works);
        assert_eq!(at_work.join().unwrap().status, 201);
    });
    service.create("acme/alice").refuses(429, "RATE_LIMIT_EXCEEDED");
}

#[test]
fn rate_1_and_rate_5_the_window_of_an_own_account_goes_by_its_identity() {
    let service = Service::limited("1/1h", 3);
    service.create("acme/alice").is(201, CREATED).has("x-ratelimit-remaining", "0");
    service.create("acme/alice").refuses(429, "RATE_LIMIT_EXCEEDED").has("retry-after", "3600");
    let bob = service.create("acme/bob");
    assert_eq!(bob.has("x-ratelimit-remaining", "0").status, 201);
    service.server.pass(3600);
    assert_ne!(service.create("acme/alice").status, 429);
}

#[test]
fn auth_1_keys_and_own_accounts_on_one_router() {
    let service = Service::new(Limits::NONE, Options::default());
    let key = service.server.any_key();
    service.server.create(&key, NAMED).is(201, CREATED);
    assert_eq!(service.create("acme/alice").status, 201);
    service.server.revoke(1);
    assert_eq!(service.server.create(&key, NAMED).status, 401);
}

#[test]
fn auth_1_an_own_account_that_has_moved_while_its_body_arrived_is_a_401() {
    let mut options = Options::default();
    options.recheck_after = Duration::ZERO;
    let service = Service::new(Limits::NONE, options);
    let begin = || {
        let mut client = service.server.connect();
        let headers = [JSON, ("X-User", "acme/alice"), WRITE, ("Expect", "100-continue")];
        client.write(head("POST", MODELS, &headers, Some(NAMED.len())));
        assert_eq!(client.answer().status, 100);
        client
    };
    let mut stays = begin();
    stays.write(NAMED);
    stays.answer().is(201, CREATED);
    let mut moves = begin();
    service.moved.store(true, Ordering::SeqCst);
    moves.write(NAMED);
    assert_eq!(moves.answer().status, 401);
}

#[test]
fn an_authenticator_answers_as_it_likes_and_harms_no_other_request() {
    let mut options = Options::default();
    options.store_timeout = Duration::from_millis(200);
    let service = Service::new(Limits::NONE, options);
    let suspended = service.create("acme/suspended");
    let body = r#"{"error":"Payment Required","message":"The account is suspended","error_code":"SUSPENDED"}"#;
    suspended.is(402, body).has("x-account", "9");
    service.create("acme/hangs").refuses(503, "STORE_BUSY").has("retry-after", "1");
    assert_eq!(service.create("acme/panics").status, 500);
    service.create("acme/alice").is(201, CREATED);
}

#[test]
fn every_refusal_is_a_response_for_the_routes_of_a_host() {
    use axum::response::IntoResponse;
    let header = |rejection: Rejection, name| {
        let response = rejection.into_response();
        let value = response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), value.unwrap_or_default())
    };
    let own = ErrorBody::new(418, "I'm a teapot", "No coffee").with_retry_after(60);
    assert_eq!(header(own.clone().into(), "retry-after"), (418, "60".into()));
    assert_eq!(header(own.into(), "content-type"), (418, "application/json".into()));
    let unauthorized = || AccessRefusal::Unauthorized.into();
    assert_eq!(header(unauthorized(), "www-authenticate"), (401, "Bearer".into()));
    let missing = custom_models_core::Refusal::ModelNotFound.into();
    assert_eq!(header(missing, "content-type"), (404, "application/json".into()));
}
