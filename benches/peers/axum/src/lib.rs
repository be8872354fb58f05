//! The part that every way of serving custom models with axum shares: routes, validation, layout, statements.
//!
//! A peer brings a [`Store`]: WAL with `synchronous=FULL`, so that a create that was answered survives a power cut, and one
//! transaction a create, which checks the quota and keeps the model and the event of its creation.

mod model;
mod refusal;
pub mod sql;

use std::env;
use std::error::Error;
use std::future::Future;
use std::net::Ipv4Addr;

use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use axum::{Json, Router};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;

pub use model::{CreateModel, Model, now};
pub use refusal::Refusal;

/// The SHA-256 digest of a key.
pub type KeyDigest = [u8; 32];

/// The database of a peer.
pub trait Store: Clone + Send + Sync + 'static {
    /// Finds the key that has a digest and is not revoked.
    fn caller(&self, digest: KeyDigest) -> impl Future<Output = Result<Caller, Refusal>> + Send;

    /// Creates a model within the quota of the caller's organisation.
    fn create(
        &self,
        caller: Caller,
        model: CreateModel,
    ) -> impl Future<Output = Result<Model, Refusal>> + Send;

    /// Reads a model of the caller's organisation.
    fn get(&self, caller: Caller, id: i64) -> impl Future<Output = Result<Model, Refusal>> + Send;
}

/// The key that a request comes with.
#[derive(Debug)]
pub struct Caller {
    /// The id of the key.
    pub key: String,
    /// The organisation that the key belongs to.
    pub organisation: String,
    /// The scopes of the key, separated by spaces.
    pub scopes: String,
}

impl Caller {
    fn may(&self, scope: &str) -> Result<(), Refusal> {
        let has_scope = self.scopes.split(' ').any(|it| it == scope);
        if has_scope { Ok(()) } else { Err(Refusal::Forbidden) }
    }
}

impl<S: Store> FromRequestParts<S> for Caller {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, store: &S) -> Result<Self, Refusal> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|it| it.to_str().ok());
        let (scheme, key) =
            header.and_then(|it| it.split_once(' ')).ok_or(Refusal::Unauthorized)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(Refusal::Unauthorized);
        }
        store.caller(digest(key)).await
    }
}

/// The digest that a key is kept and found by.
pub fn digest(key: &str) -> KeyDigest {
    Sha256::digest(key).into()
}

async fn create<S: Store>(
    State(store): State<S>,
    caller: Caller,
    body: Result<Json<model::Body>, JsonRejection>,
) -> Result<(StatusCode, Json<model::Shown>), Refusal> {
    caller.may("custom_models:write")?;
    let Json(body) = body.map_err(Refusal::of_body)?;
    let model = store.create(caller, body.validated()?).await?;
    Ok((StatusCode::CREATED, Json(model.into())))
}

async fn show<S: Store>(
    State(store): State<S>,
    caller: Caller,
    id: Result<Path<i64>, PathRejection>,
) -> Result<Json<model::Shown>, Refusal> {
    caller.may("custom_models:read")?;
    let Path(id) = id.map_err(Refusal::of_id)?;
    Ok(Json(store.get(caller, id).await?.into()))
}

/// The path of the database and the key, from the environment.
pub fn settings() -> Result<(String, String), env::VarError> {
    Ok((env::var("DATABASE")?, env::var("API_KEY")?))
}

/// Serves the endpoints on a free port, and says which one it is.
pub async fn serve<S: Store>(store: S) -> Result<(), Box<dyn Error>> {
    let app = Router::new()
        .route("/api/v3/custom_models", post(create::<S>))
        .route("/api/v3/custom_models/{id}", get(show::<S>))
        .with_state(store);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            eprintln!("a connection keeps its delay: {error}");
        }
    });
    axum::serve(listener, app).await?;
    Ok(())
}
