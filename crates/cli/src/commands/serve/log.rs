//! The log of the service, on standard error.

use std::panic::{self, PanicHookInfo};

use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{LogArgs, LogFormat};
use crate::output::sink::{flush_if_last, standard_error};

/// Writes what is logged from now on to standard error, panics too. Nobody who logs waits for whoever reads it.
pub(crate) fn log_to_standard_error(args: LogArgs) {
    let log = tracing_subscriber::fmt()
        .with_max_level(args.level)
        .with_writer(standard_error)
        .with_ansi(false)
        // A line that cannot be written is lost, and not a reason to fail the request that it is about.
        .log_internal_errors(false);
    // A second subscriber, which a process that calls this twice would have, is not needed.
    let _ = match args.format {
        LogFormat::Text => log.finish().try_init(),
        LogFormat::Json => log.json().with_span_list(false).finish().try_init(),
    };
    panic::set_hook(Box::new(log_panic));
    standard_error().tell_losses(|lost| tracing::warn!(lost, "lines of the log were lost"));
}

/// A panic is a line like any other, in the span of the request that it befell. Of its text only what
/// stands in the code is shown: what was made at run time may repeat what a caller sent.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let text = panic.payload().downcast_ref::<&'static str>().copied().unwrap_or_default();
    let location = panic.location().map(ToString::to_string).unwrap_or_default();
    tracing::error!(text, location, "panicked");
    flush_if_last();
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_a_line_with_its_place_and_the_id_and_no_text_that_was_made() {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
        let before = panic::take_hook();
        panic::set_hook(Box::new(log_panic));
        tracing::subscriber::with_default(log, || {
            let span = tracing::info_span!("request", request_id = "test-1");
            span.in_scope(|| {
                assert!(panic::catch_unwind(|| panic!("stands in the code")).is_err());
                let sent = std::hint::black_box("sent");
                assert!(panic::catch_unwind(|| panic!("was {sent} by a caller")).is_err());
            });
        });
        panic::set_hook(before);
        let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        let all: Vec<&str> = lines.lines().collect();
        assert_eq!(all.len(), 2, "{lines}");
        for line in &all {
            assert!(line.contains("\"request_id\":\"test-1\""), "{line}");
            assert!(
                line.contains("\"location\":\"crates/cli/src/commands/serve/log.rs:"),
                "{line}"
            );
        }
        assert!(all[0].contains("stands in the code"), "{lines}");
        assert!(!lines.contains("sent"), "{lines}");
    }
}
