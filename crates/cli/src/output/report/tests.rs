use custom_models_core::store::StoreError;

use super::*;
use crate::config::store_url::StoreUrl;

/// Takes everything, and then cannot pass it on.
struct Refusing(io::ErrorKind);

impl Write for Refusing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

fn store() -> StoreUrl {
    "memory:".parse().unwrap()
}

#[test]
fn an_answer_whose_reader_is_gone_is_done_in_silence() {
    let mut err = Vec::new();
    let report = Report::answer("{}".to_owned());
    let exit = report.print(&mut Refusing(io::ErrorKind::BrokenPipe), &mut err);
    assert_eq!((exit, err.as_slice()), (Exit::Done, &b""[..]));
}

#[test]
fn an_answer_that_is_lost_is_done_and_told() {
    let mut err = Vec::new();
    let report = Report::answer("{}".to_owned());
    let exit = report.print(&mut Refusing(io::ErrorKind::StorageFull), &mut err);
    assert_eq!(exit, Exit::AnswerLost);
    assert_eq!(
        String::from_utf8(err).unwrap(),
        "error: done, but the answer was not written: no storage space\n"
    );
}

#[test]
fn an_answer_that_is_lost_does_not_hide_that_the_store_failed() {
    let mut err = Vec::new();
    let fault = StoreError::from(StoreErrorKind::Failed);
    let report = Report::answer("{}".to_owned()).and_not_closed(&fault, &store());
    let exit = report.print(&mut Refusing(io::ErrorKind::StorageFull), &mut err);
    assert_eq!(exit, Exit::StoreFailed);
    assert_eq!(String::from_utf8(err).unwrap().lines().count(), 2);
}

/// An error with its cause, which its own text shows or does not.
#[derive(Debug, thiserror::Error)]
enum Outer {
    #[error("outer")]
    Terse(#[source] io::Error),
    #[error("outer: {0}")]
    Repeating(#[source] io::Error),
}

#[test]
fn every_cause_is_said_once() {
    for outer in [Outer::Terse, Outer::Repeating] {
        let fault = StoreError::new(StoreErrorKind::Full, outer(io::Error::other("inner")));
        let report = Report::failure(fault.into(), &store());
        assert_eq!(
            report.complaints,
            ["error: 'memory:': no space is left for the store: outer: inner"]
        );
    }
}
