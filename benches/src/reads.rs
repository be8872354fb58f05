//! Reads of a SQLite store: one model by its id, beside plain rusqlite, and a page of a list beside few
//! models and many.

use std::num::NonZeroU64;
use std::path::Path;

use custom_models_core::request::Start;
use custom_models_core::{ListModels, ModelId};
use rusqlite::{Connection, OpenFlags};

use crate::OURS;
use crate::creates::growth;
use crate::disk::Disk;
use crate::variant::Variant;

/// The same row by a cached statement.
pub const BARE: &str = "rusqlite, a point query";

/// The class of a page behind a model in the middle.
pub const BY_CURSOR: &str = "25 behind a model in the middle";

/// The class of a page by its number, near the start.
pub const BY_NUMBER: &str = "the second page of 25";

/// One model by its id, out of so many, in an order in which neighbours do not follow each other.
pub fn gets<'a>(disk: &Disk, models: u64) -> Vec<Variant<'a>> {
    let store = growth::filled(disk, models);
    let bare = Bare::open(&store.path());
    let (mut ours, mut theirs) = (Ids::of(models), Ids::of(models));
    vec![
        Variant::new(OURS, move || {
            let id = ModelId::new(ours.next()).expect("an id");
            store.engine().get(store.caller(), id).expect("the model is there")
        }),
        Variant::new(BARE, move || bare.get(theirs.next())),
    ]
}

/// A page of an organisation with 10³ models and of one with `many`.
pub fn pages<'a>(disk: &Disk, class: &str, many: u64) -> Vec<Variant<'a>> {
    let page = |name, models: u64| {
        let store = growth::filled(disk, models);
        let second = NonZeroU64::MIN.saturating_add(1);
        let middle = ModelId::new(models / 2).expect("an id");
        let second = ListModels { start: Start::Page(second), ..ListModels::default() };
        let behind = ListModels { start: Start::After(middle), ..ListModels::default() };
        let asked = if class == BY_CURSOR { behind } else { second };
        Variant::new(name, move || {
            let page = store.engine().list(store.caller(), &asked).expect("the page is read");
            assert_eq!(
                (page.result.len(), page.total_results),
                (25, models),
                "what is on the page"
            );
            page
        })
    };
    vec![page(growth::FEW, 1000), page(growth::MANY, many)]
}

/// Ids from 1 to the last, each once before one comes again.
struct Ids {
    last: u64,
    models: u64,
}

impl Ids {
    /// A prime that no number of models here is divided by.
    const STEP: u64 = 611_953;

    fn of(models: u64) -> Self {
        Ids { last: 0, models }
    }

    fn next(&mut self) -> u64 {
        self.last = (self.last + Self::STEP) % self.models;
        self.last + 1
    }
}

/// A program without an engine: one connection, one statement, and the row as texts.
struct Bare {
    connection: Connection,
}

/// The columns of a model.
type Row = (u64, String, Option<String>, String, String, u8, i64, i64);

impl Bare {
    fn open(path: &Path) -> Self {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).expect("the file opens");
        Bare { connection }
    }

    fn get(&self, id: u64) -> Row {
        self.connection
            .prepare_cached(
                "SELECT id, name, description, language, base_model, training_status, created_at,
                    updated_at FROM models WHERE id = ?1",
            )
            .and_then(|mut statement| statement.query_row([id], |row| row.try_into()))
            .expect("the model is there")
    }
}
