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
            line.contains("\"location\":\"crates/cli/src/commands/serve/log/tests.rs:"),
            "{line}"
        );
    }
    assert!(all[0].contains("stands in the code"), "{lines}");
    assert!(!lines.contains("sent"), "{lines}");
}
