//! The log of the service, on standard error.

use std::panic::{self, PanicHookInfo};

use tracing_subscriber::util::SubscriberInitExt;

use crate::args::serve::{LogArgs, LogFormat};
use crate::output::stderr::{flush_if_last, standard_error};

/// The target of these lines, which people filter by: not the name of a module, which may move.
const TARGET: &str = "custom_models_cli::log";

/// Writes log records and panics to standard error from now on. Logging never waits for the reader.
pub(crate) fn log_to_standard_error(args: LogArgs) {
    let log = tracing_subscriber::fmt()
        .with_max_level(args.level)
        .with_writer(standard_error)
        .with_ansi(false)
        // A line that cannot be written is lost, and its request goes on.
        .log_internal_errors(false);
    // Fails if a subscriber is set already, which then stays.
    let _ = match args.format {
        LogFormat::Text => log.finish().try_init(),
        LogFormat::Json => log.json().with_span_list(false).finish().try_init(),
    };
    panic::set_hook(Box::new(log_panic));
    standard_error()
        .tell_losses(|lost| tracing::warn!(target: TARGET, lost, "lines of the log were lost"));
}

/// Logs a panic in the span of its request. Shows the text only if it is a constant of the code: a formatted
/// text may repeat what a caller sent.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let text = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or_default();
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(target: TARGET, text, location, "panicked");
    flush_if_last();
}

#[cfg(test)]
mod tests;
