//! The load as a process: `custom-models-load STORE PLACE RUN SEED THREADS UPLOADS [STEPS]`.
#![forbid(unsafe_code)]

use custom_models_durability::{BoxError, Output, StoreKind, Task, UnsyncedFiles, UnsyncedSqlite};

fn main() -> Result<(), BoxError> {
    let task = Task::from_arguments(std::env::args().skip(1))?;
    let output = Output::stdout()?;
    if task.kind == UnsyncedSqlite::WORD {
        return UnsyncedSqlite::open(&task.place)?.run(&task, &output);
    }
    if task.kind == UnsyncedFiles::WORD {
        return UnsyncedFiles::open(&task.place)?.run(&task, &output);
    }
    let kind = task.kind.parse::<StoreKind>()?;
    let store = kind.open(&task.place)?;
    let contents = StoreKind::contents(&task.place, &store)?;
    task.run(&store, &contents, &output)?;
    Ok(store.close()?)
}
