//! API keys, scopes, rate limits, and the gate that checks them, for callers with keys and for a host's own accounts.

mod administration;
mod api_key;
mod gate;
mod limits;
mod operation;
mod permits;
mod principal;
mod rate_limit;
mod refusal;
mod scope;

pub use self::api_key::{ApiKey, InvalidKeyId, KeyDigest, KeyId, KeyRecord};
pub use self::gate::{Admitted, Authorized, Gate};
pub use self::limits::{Limits, OperationLimit};
pub use self::operation::{InvalidOperation, Operation};
pub use self::principal::{Credentials, Principal};
pub use self::rate_limit::{
    InvalidRateLimit, InvalidWindowKey, RateLimit, RateLimitStatus, Window, WindowKey,
};
pub use self::refusal::AccessRefusal;
pub use self::scope::{InvalidScope, Scope, Scopes};
