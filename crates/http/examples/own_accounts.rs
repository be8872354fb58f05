//! A host with its own accounts: callers send JSON Web Tokens that the host has signed, instead of keys.
//!
//! `JWT_SECRET=… cargo run -p custom-models-http --example own_accounts`

use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::time::SystemTime;

use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use custom_models_core::access::{AccessRefusal, Gate, Limits, Principal, Scopes, WindowKey};
use custom_models_core::tenant::{Actor, Plans};
use custom_models_core::{Caller, Engine, MemoryStore, Organisation, Plan};
use custom_models_http::{Access, Authentication, Authenticator, Options, router, serve};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use tokio::net::TcpListener;

struct Tokens(DecodingKey);

#[derive(Deserialize)]
struct Claims {
    sub: Actor,
    organisation: Organisation,
    scopes: String,
}

impl Authenticator for Tokens {
    fn authenticate<'a>(&'a self, head: &'a Parts) -> Authentication<'a> {
        let principal = self.principal(head).ok_or(AccessRefusal::Unauthorized);
        Box::pin(async { Ok(principal?.into()) })
    }
}

impl Tokens {
    fn principal(&self, head: &Parts) -> Option<Principal> {
        let token = head.headers.get(AUTHORIZATION)?.to_str().ok()?.strip_prefix("Bearer ")?;
        let claims: Claims =
            decode(token, &self.0, &Validation::new(Algorithm::HS256)).ok()?.claims;
        let scopes: Scopes = claims.scopes.parse().ok()?;
        let identity = WindowKey::new(claims.sub.as_str().as_bytes()).ok()?;
        let caller = Caller::new(claims.organisation, Plan::gold()).acting_as(claims.sub);
        Some(Principal::new(caller, scopes, identity))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let tokens = Tokens(DecodingKey::from_secret(std::env::var("JWT_SECRET")?.as_bytes())?);
    let store = Arc::new(MemoryStore::new());
    let engine = Engine::new(store.clone(), SystemTime::now);
    let gate = Gate::new(store, Plans::default(), Limits::default(), SystemTime::now)?;
    let app = router(engine, Access::new(tokens, gate), Options::default());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    serve(listener, app, &Options::default(), std::future::pending()).await?;
    Ok(())
}
