//! Printing the history of an organisation.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use custom_models_core::request::ListEvents;

use crate::args::models::EventsArgs;
use crate::commands::backend::Backend;
use crate::output::failure::Failure;

/// The pause of a reader that has read all events, before it looks for new ones.
const PAUSE: Duration = Duration::from_millis(500);

/// Prints events, one line each; with `--follow`, until the reader of standard output is gone.
pub(crate) fn print(models: &dyn Backend, args: &EventsArgs) -> Result<Option<String>, Failure> {
    let mut list = ListEvents::default();
    list.after = args.after;
    list.wait = Duration::from_secs(if args.follow { ListEvents::MAX_WAIT } else { 0 });
    let mut left = args.limit.map_or(u32::MAX, std::num::NonZeroU32::get);
    let mut out = io::stdout().lock();
    loop {
        list.limit = left.min(ListEvents::MAX_LIMIT);
        let part = models.events(&list)?;
        if part.is_empty() && args.follow {
            // Only a write shows that the reader is gone.
            thread::sleep(PAUSE);
            continue;
        }
        for event in &part {
            list.after = event.position;
            let line = serde_json::to_string(event)?;
            match writeln!(out, "{line}") {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(None),
                Err(error) => return Err(not_written(error)),
            }
        }
        out.flush().or_else(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => Ok(()),
            _ => Err(not_written(error)),
        })?;
        left = left.saturating_sub(u32::try_from(part.len()).unwrap_or(u32::MAX));
        if left == 0 || part.is_empty() {
            return Ok(None);
        }
    }
}

fn not_written(error: io::Error) -> Failure {
    Failure::NotWritten(None, error)
}
