use std::fmt;

use crate::{Case, Failure, Verdict};

/// The verdicts on all cases of a run.
#[derive(Clone, Debug)]
pub struct Report {
    verdicts: Vec<(Case, Verdict)>,
}

impl Report {
    pub(crate) const fn new(verdicts: Vec<(Case, Verdict)>) -> Self {
        Report { verdicts }
    }

    /// Returns every case with its verdict, in the order of the table.
    pub fn verdicts(&self) -> &[(Case, Verdict)] {
        &self.verdicts
    }

    /// Returns the names of the cases that passed.
    pub fn passed(&self) -> impl Iterator<Item = &'static str> {
        self.names(|verdict| matches!(verdict, Verdict::Passed))
    }

    /// Returns the names of the cases that could not be tested, as the builder declares.
    pub fn untested(&self) -> impl Iterator<Item = &'static str> {
        self.names(|verdict| matches!(verdict, Verdict::Untested(_)))
    }

    /// Returns the names of the cases that failed.
    pub fn failed(&self) -> impl Iterator<Item = &'static str> {
        self.names(|verdict| matches!(verdict, Verdict::Failed(_)))
    }

    /// Fails if any case failed, with the whole report as the message.
    pub fn into_result(self) -> Result<(), Failure> {
        if self.failed().next().is_none() { Ok(()) } else { Err(Failure::new(format!("\n{self}"))) }
    }

    fn names(&self, is_wanted: impl Fn(&Verdict) -> bool) -> impl Iterator<Item = &'static str> {
        self.verdicts
            .iter()
            .filter(move |(_, verdict)| is_wanted(verdict))
            .map(|(case, _)| case.name())
    }
}

/// Formats as one line per case, then the counts.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (case, verdict) in &self.verdicts {
            match verdict {
                Verdict::Passed => writeln!(f, "{}: passed", case.name())?,
                Verdict::Untested(ability) => writeln!(f, "{}: untested: {ability}", case.name())?,
                Verdict::Failed(failure) => writeln!(f, "{}: FAILED: {failure}", case.name())?,
            }
        }
        write!(
            f,
            "{} passed, {} untested, {} failed",
            self.passed().count(),
            self.untested().count(),
            self.failed().count()
        )
    }
}
