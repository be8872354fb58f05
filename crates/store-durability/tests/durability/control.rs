//! Controls that must lose data at a power cut, so that the tests are known to detect a loss.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use custom_models_core::ModelId;
use custom_models_store_durability::{BoxError, Line, MEMBERS, Output, Task, Token};
use rusqlite::Connection;

/// Plain SQLite without syncs: one row per commit and acknowledgement.
pub(crate) struct UnsyncedSqlite(Connection);

impl UnsyncedSqlite {
    /// Its name on the command line of the load.
    pub(crate) const WORD: &str = "unsynced-sqlite";

    /// Opens the file of a place, or creates it.
    pub(crate) fn open(place: &Path) -> Result<Self, BoxError> {
        let connection = Connection::open(place)?;
        connection.execute_batch(
            "PRAGMA journal_mode = WAL;
            PRAGMA synchronous = OFF;
            CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY AUTOINCREMENT, token TEXT);",
        )?;
        Ok(UnsyncedSqlite(connection))
    }

    /// Inserts rows and acknowledges each, until an error or the last step.
    pub(crate) fn run(&self, task: &Task, output: &Output) -> Result<(), BoxError> {
        let mut number = 0;
        while task.steps.is_none_or(|steps| number < steps) {
            let token = Token { run: task.run, thread: 0, number };
            self.0.execute("INSERT INTO rows (token) VALUES (?1)", [token.to_string()])?;
            let id = ModelId::try_from(self.0.last_insert_rowid())?;
            let organisation = MEMBERS.first().ok_or("no members")?.organisation.to_owned();
            output.say(&Line::Created { id, organisation, token })?;
            number += 1;
        }
        Ok(())
    }

    /// Returns the ids of all rows.
    pub(crate) fn ids(&self) -> Result<BTreeSet<ModelId>, BoxError> {
        let mut query = self.0.prepare("SELECT id FROM rows")?;
        let ids = query.query_map([], |row| row.get::<_, i64>(0))?;
        ids.map(|id| Ok(ModelId::try_from(id?)?)).collect()
    }
}

/// Files without syncs: one file per acknowledgement.
pub(crate) struct UnsyncedFiles(PathBuf);

impl UnsyncedFiles {
    /// Its name on the command line of the load.
    pub(crate) const WORD: &str = "unsynced-files";

    /// The content of each file.
    const CONTENT: [u8; 1000] = [b'a'; 1000];

    /// Opens the folder of a place, or creates it.
    pub(crate) fn open(place: &Path) -> Result<Self, BoxError> {
        fs::create_dir_all(place)?;
        Ok(UnsyncedFiles(place.to_owned()))
    }

    /// Writes files and acknowledges each, until an error or the last step.
    pub(crate) fn run(&self, task: &Task, output: &Output) -> Result<(), BoxError> {
        let mut number = 0;
        while task.steps.is_none_or(|steps| number < steps) {
            let token = Token { run: task.run, thread: 0, number };
            number += 1;
            fs::write(self.0.join(number.to_string()), Self::CONTENT)?;
            let id = ModelId::new(number.into())?;
            let organisation = MEMBERS.first().ok_or("no members")?.organisation.to_owned();
            output.say(&Line::Created { id, organisation, token })?;
        }
        Ok(())
    }

    /// Returns the numbers of all complete files.
    pub(crate) fn ids(&self) -> Result<BTreeSet<ModelId>, BoxError> {
        let mut ids = BTreeSet::new();
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            if fs::read(entry.path()).is_ok_and(|content| content == Self::CONTENT) {
                ids.insert(entry.file_name().to_string_lossy().parse()?);
            }
        }
        Ok(ids)
    }
}
