//! The conformance suite, each case with a database of its own on one private server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::mem;
use std::sync::Arc;

use custom_models_core::store::Store;
use custom_models_postgres_cluster::{Server, run};
use custom_models_store_conformance::{BoxError, Builder, Case, Place, Verdict};
use custom_models_store_postgres::{Clock, PostgresStore, Settings};

fn main() {
    run(
        4,
        |programs| Server::start(programs, &[]),
        |trials, server| {
            for case in Case::ALL {
                let server = server.cloned();
                trials.add(case.name(), move |_| check(case, server.unwrap()));
            }
        },
    );
}

fn check(case: &Case, server: Arc<Server>) {
    match case.check(&Databases(server)) {
        Verdict::Passed => {}
        Verdict::Untested(ability) => panic!("not tested: {ability}"),
        Verdict::Failed(failure) => panic!("{failure}"),
    }
}

struct Databases(Arc<Server>);

impl Builder for Databases {
    fn new_place(&self) -> Result<Box<dyn Place>, BoxError> {
        let name = self.0.empty_database();
        Ok(Box::new(Database { server: Arc::clone(&self.0), name }))
    }
}

struct Database {
    server: Arc<Server>,
    name: String,
}

impl Place for Database {
    fn open(&self) -> Result<Arc<dyn Store>, BoxError> {
        self.server.try_sql(&self.name, WORKS)?;
        // The cases set their own time.
        let mut settings = Settings::default();
        settings.clock = Clock::Caller;
        Ok(Arc::new(PostgresStore::open_with(&self.server.url(&self.name), settings)?))
    }

    /// A copy of the database: everything committed outlives the engine.
    fn after_kill(&self) -> Result<Box<dyn Place>, BoxError> {
        let name = self.server.copy(&self.name);
        Ok(Box::new(Database { server: Arc::clone(&self.server), name }))
    }

    fn damage(&self, text: &str) -> Result<(), BoxError> {
        let sql = format!("UPDATE custom_models.models SET name = '\\xff' WHERE name = '{text}'");
        self.server.try_sql(&self.name, &sql)?;
        Ok(())
    }

    /// Every statement that writes fails.
    fn fail_disk(&self) -> Result<(), BoxError> {
        self.server.try_sql(&self.name, FAILS)?;
        Ok(())
    }
}

/// Makes every write of models and counters fail.
const FAILS: &str = "
    CREATE FUNCTION public.fails() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE EXCEPTION 'the disk fails' USING ERRCODE = 'io_error'; END$$;
    CREATE TRIGGER fails BEFORE INSERT OR UPDATE OR DELETE ON custom_models.models
        EXECUTE FUNCTION public.fails();
    CREATE TRIGGER fails BEFORE INSERT OR UPDATE OR DELETE ON custom_models.organisations
        EXECUTE FUNCTION public.fails();
";

/// Undoes [`FAILS`].
const WORKS: &str = "DROP FUNCTION IF EXISTS public.fails() CASCADE";

impl Drop for Database {
    fn drop(&mut self) {
        self.server.give_back(mem::take(&mut self.name));
    }
}
