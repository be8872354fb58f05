//! Tests of the rules in the core, named by the rules' numbers. `docs/rules.md` states the rules, and
//! `docs/rules-tests.md` lists their tests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "tests"
)]

mod access_store;
mod asynchronous;
mod audit;
mod base_model;
mod body_fields;
mod body_json;
mod body_messages;
mod both_forms;
mod boundaries;
mod conveniences;
mod data_pages;
mod delete;
mod description;
mod durable;
mod erasure;
mod gate;
mod history;
mod keys;
mod language;
mod limited;
mod metrics;
mod model;
mod model_id;
mod name;
mod organisation;
mod principals;
mod quota;
mod read;
mod read_parameters;
mod schema;
mod semver;
mod serde_both_ways;
mod shown;
mod support;
mod three_ways;
mod together;
mod training;
mod training_state;
mod types;
mod update;
mod window;
mod wire;
mod without_windows;
mod work;
