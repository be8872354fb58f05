//! The load as a process: `custom-models-load STORE PLACE RUN SEED THREADS [STEPS]`.
#![forbid(unsafe_code)]

use custom_models_durability::{BoxError, Kind, Output, Task, UnsyncedSqlite};

fn main() -> Result<(), BoxError> {
    let task = Task::from_arguments(std::env::args().skip(1))?;
    let output = Output::stdout()?;
    if task.kind == UnsyncedSqlite::WORD {
        return UnsyncedSqlite::open(&task.place)?.run(&task, &output);
    }
    let store = task.kind.parse::<Kind>()?.open(&task.place)?;
    task.run(&store, &output)?;
    Ok(store.close()?)
}
