//! The service as its users meet it: the published examples of four clients, clients that generators make of its
//! description, a test of the whole API made from it, and the page of its documentation in a browser.
//!
//! What they need is installed by `./test` into a folder that `CUSTOM_MODELS_CLIENT_TESTS` names.
//! Without it they are reported as ignored. See CONTRIBUTING.md.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod browser;
mod conformance;
mod demo;
mod examples;
mod flow;
mod generated;
mod resumed;
mod served;

use std::env;
use std::path::PathBuf;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::examples::{Client, Situation};

/// The folder in which `./test` has put the tools that the trials need.
#[derive(Clone)]
struct Tools(PathBuf);

impl Tools {
    fn python(&self) -> PathBuf {
        self.0.join("venv/bin/python")
    }

    fn schemathesis(&self) -> PathBuf {
        self.0.join("venv/bin/schemathesis")
    }

    fn node_modules(&self) -> PathBuf {
        self.0.join("node_modules")
    }
}

fn main() {
    let mut arguments = Arguments::from_args();
    // They wait for other programs most of the time.
    arguments.test_threads.get_or_insert(4);
    let tools = env::var_os("CUSTOM_MODELS_CLIENT_TESTS").map(PathBuf::from).map(Tools);
    let mut trials = Vec::new();
    let mut add = |name: String, test: Box<dyn FnOnce(&Tools) + Send>| {
        let tools = tools.clone();
        let is_ignored = tools.is_none();
        let run = move || {
            tools
                .as_ref()
                .map(test)
                .ok_or_else(|| Failed::from("CUSTOM_MODELS_CLIENT_TESTS is not set"))
        };
        trials.push(Trial::test(name, run).with_ignored_flag(is_ignored));
    };
    for client in Client::ALL {
        for situation in Situation::ALL {
            let name = format!("{}_{}", client.name(), situation.name());
            add(name, Box::new(move |tools| examples::run(tools, client, situation)));
        }
    }
    for client in resumed::Client::ALL {
        let name = format!("data_3_{}_goes_on_after_a_kill", client.name());
        add(name, Box::new(move |tools| resumed::goes_on(tools, client)));
    }
    add("the_line_of_a_demo_works_when_it_is_pasted".to_owned(), Box::new(|_| demo::is_pasted()));
    add("the_whole_flow_is_done".to_owned(), Box::new(|_| flow::is_done()));
    add(
        "a_client_of_openapi_typescript_creates_a_model".to_owned(),
        Box::new(generated::typescript_creates),
    );
    add(
        "a_client_of_openapi_python_client_creates_a_model".to_owned(),
        Box::new(generated::python_creates),
    );
    add("the_whole_api_answers_as_its_description_says".to_owned(), Box::new(conformance::holds));
    add(
        "the_documentation_page_shows_every_operation_in_a_browser".to_owned(),
        Box::new(|_| browser::shows_every_operation()),
    );
    libtest_mimic::run(&arguments, trials).exit();
}
