//! Several engines on one database, servers that fail, and a second server that takes over.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod common;
mod failover;
mod faults;
mod limited;
mod opening;
mod places;
mod sharing;
mod tls;

use custom_models_postgres_cluster::{Server, run};

fn main() {
    run(
        2,
        |programs| Server::start(programs, &[]),
        |trials, shared| {
            for (name, test) in sharing::TESTS
                .into_iter()
                .chain(opening::TESTS)
                .chain(places::TESTS)
                .chain(limited::TESTS)
            {
                let server = shared.cloned();
                trials.add(name, move |_| test(&server.unwrap()));
            }
            let own = faults::TESTS
                .into_iter()
                .chain(limited::OWN_TESTS)
                .chain(failover::TESTS)
                .chain(tls::TESTS);
            for (name, test) in own.chain(places::STANDBY_TESTS) {
                trials.add(name, test);
            }
        },
    );
}
