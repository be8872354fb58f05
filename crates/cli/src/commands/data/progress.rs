//! Progress bars on a terminal. Elsewhere nothing is shown.

use std::io::{self, IsTerminal};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar of bytes.
pub(crate) fn of_bytes(length: u64) -> ProgressBar {
    bar(length, "{bar:40} {bytes} of {total_bytes}, {eta} left")
}

/// A bar of rows.
pub(super) fn of_rows(length: u64) -> ProgressBar {
    bar(length, "{bar:40} {pos} of {len}, {per_sec}, {eta} left")
}

fn bar(length: u64, template: &str) -> ProgressBar {
    let target = if io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(length), target);
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}
