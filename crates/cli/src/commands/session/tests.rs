use clap::Parser;
use custom_models_core::access::{KeyDigest, KeyRecord, RateLimit, Window};
use custom_models_core::model::{DataPair, EventPage};
use custom_models_core::store::{
    AccessChange, AccessOutcome, AccessStore, ArchiveChange, ArchiveStore, Completion, Grant,
    IdempotencyRecord, IdempotencyScope, Listing, ModelStore, Purge, Purged, Record, Registration,
    Selection, StoreError, StoreErrorKind, StoreSummary, WindowState, Write,
};
use custom_models_core::time::UnixMillis;
use custom_models_core::{CustomModel, ModelId, Organisation};

use super::*;
use crate::args::{Cli, Command};
use crate::config::store_url::StoreUrl;
use crate::output::report::Exit;

/// Works until it is closed, and then complains.
struct Unclosable(MemoryStore);

impl ModelStore for Unclosable {
    fn submit(&self, write: Write, done: Completion) {
        self.0.submit(write, done);
    }

    fn get(&self, org: &Organisation, id: ModelId) -> Result<Option<CustomModel>, StoreError> {
        self.0.get(org, id)
    }

    fn list(&self, org: &Organisation, part: &Selection) -> Result<Listing, StoreError> {
        self.0.list(org, part)
    }

    fn events(&self, org: &Organisation, after: u64, limit: u32) -> Result<EventPage, StoreError> {
        self.0.events(org, after, limit)
    }

    fn claimable(
        &self,
        org: Option<&Organisation>,
        at: UnixMillis,
        limit: u32,
    ) -> Result<Vec<(Organisation, CustomModel)>, StoreError> {
        self.0.claimable(org, at, limit)
    }

    fn data(
        &self,
        org: &Organisation,
        model: ModelId,
        after: u32,
        limit: u32,
    ) -> Result<Vec<DataPair>, StoreError> {
        self.0.data(org, model, after, limit)
    }

    fn idempotency_record(
        &self,
        org: &Organisation,
        key: &IdempotencyScope,
    ) -> Result<Option<IdempotencyRecord>, StoreError> {
        self.0.idempotency_record(org, key)
    }

    fn purge(&self, purge: Purge) -> Result<Purged, StoreError> {
        self.0.purge(purge)
    }

    fn close(&self) -> Result<(), StoreError> {
        let cause = std::io::Error::other("the disk\nis \u{1b}[31mgone");
        Err(StoreError::new(StoreErrorKind::Failed, cause))
    }
}

impl ArchiveStore for Unclosable {
    fn export(
        &self,
        each: &mut dyn FnMut(Record) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.0.export(each)
    }

    fn archive(&self, change: ArchiveChange) -> Result<u64, StoreError> {
        self.0.archive(change)
    }

    fn summary(&self) -> Result<StoreSummary, StoreError> {
        self.0.summary()
    }

    fn verify(&self) -> Result<Vec<String>, StoreError> {
        self.0.verify()
    }
}

impl AccessStore for Unclosable {
    fn submit_access(&self, change: AccessChange, done: Completion<AccessOutcome>) {
        self.0.submit_access(change, done);
    }

    fn registration(&self, org: &Organisation) -> Result<Option<Registration>, StoreError> {
        self.0.registration(org)
    }

    fn registrations(&self) -> Result<Vec<Registration>, StoreError> {
        self.0.registrations()
    }

    fn key(&self, digest: &KeyDigest) -> Result<Option<Grant>, StoreError> {
        self.0.key(digest)
    }

    fn keys(&self, org: &Organisation) -> Result<Vec<KeyRecord>, StoreError> {
        self.0.keys(org)
    }

    fn keeps_windows(&self) -> bool {
        true
    }

    fn window(
        &self,
        window: &Window,
        limit: RateLimit,
        now: UnixMillis,
    ) -> Result<WindowState, StoreError> {
        self.0.window(window, limit, now)
    }
}

/// Runs a command line over a store of the test's own. Returns standard output, standard error and the exit.
fn outcome(store: StoreUrl, arguments: &[&str]) -> (String, String, Exit) {
    let arguments = std::iter::once(&"custom-models").chain(arguments);
    let mut cli = Cli::try_parse_from(arguments).unwrap();
    cli.global.store = store;
    let Command::Models(command) = cli.command else {
        panic!("not a command that uses a store");
    };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let exit = run(&cli.global, command).print(&mut out, &mut err);
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(out), text(err), exit)
}

const CLOSE_FAILED: &str =
    "the store was not closed properly: the store failed: the disk\\nis \\u{1b}[31mgone\n";

#[test]
fn a_close_that_fails_is_told_beside_the_answer() {
    let store = StoreUrl::opened_by(|_, _| Ok(Arc::new(Unclosable(MemoryStore::new()))));
    let (out, err, exit) = outcome(store, &["create", "--name", "n", "--language", "en"]);
    assert!(out.starts_with(r#"{"id":1,"#), "{out}");
    assert_eq!(err, format!("error: 'test:': done, but {CLOSE_FAILED}"));
    assert_eq!(exit, Exit::StoreFailed);
}

#[test]
fn a_close_that_fails_is_told_beside_the_refusal() {
    let store = StoreUrl::opened_by(|_, _| Ok(Arc::new(Unclosable(MemoryStore::new()))));
    let (out, err, exit) = outcome(store, &["show", "1"]);
    assert_eq!(out, "");
    let (refusal, complaint) = err.split_once('\n').unwrap();
    assert!(refusal.contains(r#""MODEL_NOT_FOUND""#), "{refusal}");
    assert_eq!(complaint, format!("error: 'test:': {CLOSE_FAILED}"));
    assert_eq!(exit, Exit::StoreFailed);
}

#[test]
fn a_store_that_does_not_open_is_told_with_its_cause() {
    let store = StoreUrl::opened_by(|_, _| Err(StoreError::new(StoreErrorKind::Newer, "v\u{9b}9")));
    let (out, err, exit) = outcome(store, &["list"]);
    assert_eq!(out, "");
    assert_eq!(err, "error: 'test:': the store was written by a newer version: v\\u{9b}9\n");
    assert_eq!(exit, Exit::StoreFailed);
}

#[test]
fn a_store_that_fails_at_work_is_told_and_not_shown_as_a_refusal() {
    for arguments in [
        &["create", "--name", "n", "--language", "en"][..],
        &["show", "1"],
        &["list"],
        &["delete", "1"],
    ] {
        let store = StoreUrl::opened_by(|_, _| {
            let store = MemoryStore::new();
            store.close()?;
            Ok(Arc::new(store))
        });
        let (out, err, exit) = outcome(store, arguments);
        assert_eq!(out, "");
        assert_eq!(err, "error: 'test:': the store is closed\n");
        assert_eq!(exit, Exit::StoreFailed);
    }
}

#[test]
fn a_wrong_request_is_refused_before_the_store_is_opened() {
    for arguments in [&["create"][..], &["show", "0"], &["list", "--page", "0"], &["delete", "x"]] {
        let store = StoreUrl::opened_by(|_, _| panic!("opened"));
        assert_eq!(outcome(store, arguments).2, Exit::Refused, "{arguments:?}");
    }
}
