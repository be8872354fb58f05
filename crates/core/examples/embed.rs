//! A complete host of the engine: a store, a clock, a caller, a request.
//!
//! `cargo run -p custom-models-core --example embed`

use std::error::Error;
use std::io::Write;
use std::sync::Arc;
use std::time::SystemTime;

use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, Plan};

fn main() -> Result<(), Box<dyn Error>> {
    let engine = Engine::new(Arc::new(MemoryStore::new()), SystemTime::now);
    let caller = Caller::new("acme".parse()?, Plan::gold());
    let request = CreateModel::from_json(br#"{"name":"Medical Cardiology EN","language":"en"}"#)?;
    let model = engine.create(&caller, request)?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&model)?)?;
    Ok(())
}
