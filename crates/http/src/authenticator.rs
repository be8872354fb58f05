//! Authentication: the way from the head of a request to the credentials that the gate judges.

use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use custom_models_core::access::{Credentials, Gate};

use crate::rejection::Rejection;
use crate::request::body::single;

/// The credentials of a request, or its refusal, as a future.
pub type Authentication<'a> =
    Pin<Box<dyn Future<Output = Result<Credentials, Rejection>> + Send + 'a>>;

/// A source of callers: the keys of a [`Gate`], or a host's own sessions, tokens or client certificates.
///
/// ```
/// use axum::http::request::Parts;
/// use custom_models_core::access::{AccessRefusal, Principal, Scope, WindowKey};
/// use custom_models_core::{Caller, Plan};
/// use custom_models_http::{Authentication, Authenticator};
///
/// /// The user that a layer of the host has put into the extensions of the request.
/// #[derive(Clone)]
/// struct User(String);
///
/// struct Users;
///
/// impl Authenticator for Users {
///     fn authenticate<'a>(&'a self, head: &'a Parts) -> Authentication<'a> {
///         Box::pin(async move {
///             let User(name) = head.extensions.get().ok_or(AccessRefusal::Unauthorized)?;
///             let organisation = name.parse().map_err(|_| AccessRefusal::Unauthorized)?;
///             let identity = WindowKey::new(name.as_bytes()).map_err(|_| AccessRefusal::Unauthorized)?;
///             let scopes = [Scope::Read, Scope::Write].into_iter().collect();
///             Ok(Principal::new(Caller::new(organisation, Plan::gold()), scopes, identity).into())
///         })
///     }
/// }
/// ```
///
/// `examples/own_accounts.rs` is a whole host. An authenticator that takes keys as well returns those of its gate:
/// `self.gate.authenticate(head).await`.
pub trait Authenticator: Send + Sync {
    /// Finds the credentials of a request. Its scopes and limits are judged after this.
    ///
    /// The head is that of the request as the router has got it, with the extensions of the host's layers. It may be asked
    /// about twice: a request that takes long is authenticated again, and its organisation must not have changed. After
    /// [`Options::store_timeout`](crate::Options::store_timeout) the request is a 503. A future that blocks its thread
    /// holds up other requests.
    ///
    /// # Errors
    ///
    /// The refusal of the request: a 401 is [`AccessRefusal::Unauthorized`], any other is made of an [`ErrorBody`].
    ///
    /// [`AccessRefusal::Unauthorized`]: custom_models_core::access::AccessRefusal::Unauthorized
    /// [`ErrorBody`]: custom_models_core::wire::ErrorBody
    fn authenticate<'a>(&'a self, head: &'a Parts) -> Authentication<'a>;
}

/// The keys in the store of the gate, sent in `Authorization` (AUTH-1).
impl Authenticator for Gate {
    fn authenticate<'a>(&'a self, head: &'a Parts) -> Authentication<'a> {
        Box::pin(ready(Ok(authorization(&head.headers).into())))
    }
}

/// The access to a router: an authenticator, and the gate with the limits of whom it finds.
///
/// A [`Gate`] alone is one too: the callers are its keys.
#[derive(Clone)]
pub struct Access {
    pub(crate) gate: Gate,
    pub(crate) authenticator: Arc<dyn Authenticator>,
}

impl Access {
    /// Lets the callers of `authenticator` in, within the limits of `gate`. The gate's store keeps their windows. It needs
    /// no keys and no organisations, and the gate no plans.
    pub fn new(authenticator: impl Authenticator + 'static, gate: Gate) -> Self {
        Access { gate, authenticator: Arc::new(authenticator) }
    }
}

impl From<Gate> for Access {
    fn from(gate: Gate) -> Self {
        Access::new(gate.clone(), gate)
    }
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("gate", &self.gate).finish_non_exhaustive()
    }
}

/// Returns the `Authorization` header, unless there are several, which could be read either way, or it has other than
/// visible characters.
fn authorization(headers: &HeaderMap) -> Option<&str> {
    single(headers, header::AUTHORIZATION)
}
