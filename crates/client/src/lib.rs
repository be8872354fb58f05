//! A client of the API of custom models, typed with the core's own types.
//!
//! ```no_run
//! use custom_models_client::Client;
//! use custom_models_core::model::Expected;
//! use custom_models_core::{CreateModel, UpdateModel};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new("https://models.example.com", "cm_…")?;
//! let request = CreateModel::builder().name("Medical Cardiology EN").language("en").build()?;
//! let model = client.create(&request).await?;
//! let renamed = UpdateModel::builder().name("Cardiology").build()?;
//! let model = client.update(model.id, &renamed, &Expected::Anything).await?;
//! println!("{} is at revision {}", model.model_key(), model.revision());
//! # Ok(())
//! # }
//! ```
//!
//! - A method of [`Client`] is an operation of the API. It returns a [`Reply`]: the value, which it dereferences to, and
//!   what the headers say. A [`CustomModel`](custom_models_core::CustomModel) has the revision of the `ETag`.
//! - An [`Error`] is a refusal of the service with its code and violations, a fault of the connection, or a response that
//!   is not of this API.
//! - [`RetryPolicy`] says which requests are sent again, after what wait and how often. A create, a run and an upload
//!   carry an `Idempotency-Key` of their own, so that the service makes each change once.
//! - [`Upload`] streams files from disk, from memory or from a stream, and reports its progress.
//!
//! The key is in no `Debug` output and in no error. The client needs a tokio runtime. TLS uses rustls with ring and the
//! certificates that the system trusts.
#![forbid(unsafe_code)]

mod builder;
mod client;
mod data;
mod error;
mod history;
mod models;
mod received;
mod reply;
mod retry;
mod training;
mod transport;
mod upload;

pub use self::builder::{ClientBuilder, InvalidClient};
pub use self::client::Client;
pub use self::error::{Error, Refused, Transport, Unexpected};
pub use self::reply::Reply;
pub use self::retry::{RetryPolicy, Sleep};
pub use self::upload::{FileBytes, Progress, Upload, UploadFile};
