//! The sender of a request: a caller with its scopes, found by a key or by the accounts of a host.

use crate::access::api_key::{KeyDigest, KeyRecord};
use crate::access::operation::Operation;
use crate::access::rate_limit::WindowKey;
use crate::access::refusal::AccessRefusal;
use crate::access::scope::Scopes;
use crate::tenant::{Caller, Plan};

/// An authenticated caller, with what it may do and whose limits it uses up.
///
/// A host with its own accounts makes one of a session, a token or a client certificate:
///
/// ```
/// use custom_models_core::access::{Principal, Scope, WindowKey};
/// use custom_models_core::{Caller, Plan};
///
/// let caller = Caller::new("acme".parse()?, Plan::gold()).acting_as("alice".parse()?);
/// let scopes = [Scope::Read, Scope::Write].into_iter().collect();
/// let principal = Principal::new(caller, scopes, WindowKey::new(b"user-17")?);
/// assert_eq!(principal.caller().actor().as_str(), "alice");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    pub(super) caller: Caller,
    pub(super) scopes: Scopes,
    pub(super) identity: WindowKey,
}

impl Principal {
    /// Creates a principal. Requests with the same `identity` share their limits ([`Limits`](crate::access::Limits)), so
    /// no two accounts may have the same, not even in different organisations.
    pub const fn new(caller: Caller, scopes: Scopes, identity: WindowKey) -> Self {
        Principal { caller, scopes, identity }
    }

    /// The principal of a key. The history names the key's id.
    pub(super) fn of_key(key: KeyRecord, plan: Plan) -> Self {
        let caller = Caller::new(key.organisation, plan).acting_as(key.id.into());
        Principal { caller, scopes: key.scopes, identity: key.id.into() }
    }

    /// The caller for whom an engine is asked.
    pub const fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The scopes, of which an operation needs one (AUTH-2).
    pub const fn scopes(&self) -> Scopes {
        self.scopes
    }

    /// The identity by which requests are counted (RATE-1, RATE-2).
    pub const fn identity(&self) -> &WindowKey {
        &self.identity
    }
}

/// The credentials of a request, as a [`Gate`](crate::access::Gate) judges them.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// The digest of a key, to be looked up in the gate's store; `None` if the request has no key.
    Key(Option<KeyDigest>),
    /// A principal that the host has authenticated.
    Principal(Principal),
}

/// The credentials of an `Authorization` header with a key (AUTH-1).
impl From<Option<&str>> for Credentials {
    fn from(authorization: Option<&str>) -> Self {
        Credentials::Key(authorization.and_then(KeyDigest::of_authorization))
    }
}

impl From<Principal> for Credentials {
    fn from(principal: Principal) -> Self {
        Credentials::Principal(principal)
    }
}

/// Checks that scopes cover an operation (AUTH-2).
pub(super) fn require_scope(scopes: Scopes, operation: Operation) -> Result<(), AccessRefusal> {
    let required = operation.scope();
    scopes.contains(required).then_some(()).ok_or(AccessRefusal::InsufficientScope { required })
}
