//! The way of a request through its limits, from the gate to its answer (RATE-2, RATE-3).

use custom_models_core::{AdmissionRequest, Admitted, Entered, Standing};

use crate::rejection::Rejection;
use crate::response::{Answer, Said};
use crate::state::Service;

/// The turn of a request. When it is dropped with its admission still open, since the client has left, the
/// admission is sent on its way: such a request counts (RATE-3).
#[derive(Default)]
pub(crate) struct Turn(State);

#[derive(Default)]
enum State {
    /// Nothing is let in.
    #[default]
    Out,
    /// The request is let in, and its admission is not on its way.
    Open(Entered),
    /// The admission is on its way with a change, or was judged with it.
    Sent(Entered, Option<Standing>),
    /// The request was admitted alone.
    Admitted(Admitted),
}

impl Turn {
    /// The turn of a request that is let in.
    pub(crate) fn open(entered: Entered) -> Self {
        Turn(State::Open(entered))
    }

    /// Returns true if the request was judged with its change. A repeat that was answered as before counts too.
    pub(crate) fn is_sent(&self) -> bool {
        matches!(self.0, State::Sent(..))
    }

    /// Admits the request alone, and waits until that is durable: 429 by the window.
    pub(crate) async fn admit(&mut self, service: &Service) -> Result<(), Rejection> {
        if let State::Open(entered) = self.take() {
            self.0 = State::Admitted(service.admit(entered).await?);
        }
        Ok(())
    }

    /// The admission, for the change that it is written with.
    pub(crate) fn send(&mut self) -> Option<AdmissionRequest> {
        match self.take() {
            State::Open(entered) => {
                let admission = entered.admission();
                self.0 = State::Sent(entered, None);
                admission
            }
            other => {
                self.0 = other;
                None
            }
        }
    }

    /// Takes note of the standing that the change was told with.
    pub(crate) fn stands(&mut self, now: Option<Standing>) {
        if let State::Sent(_, standing) = &mut self.0 {
            *standing = now;
        }
    }

    /// The answer. A request that came to no change is admitted before it is given, and is refused if its window
    /// has no room any more.
    pub(crate) async fn end(&mut self, service: &Service, said: Said) -> Result<Answer, Rejection> {
        Ok(match (self.take(), said) {
            (State::Out, said) => Answer::from(said),
            (State::Sent(entered, standing), said) => Answer::of(entered.counted(standing), said),
            (State::Admitted(admitted), said) => Answer::of(admitted, said),
            // Its key is not valid any more.
            (State::Open(_), Err(rejection)) if matches!(rejection.status(), 401 | 403) => {
                Answer::from(rejection)
            }
            // A store that fails is not waited for once more.
            (State::Open(entered), Err(rejection)) if rejection.status() == 500 => {
                Answer::of(entered.leave(), Err(rejection))
            }
            (State::Open(entered), said) => Answer::of(service.admit(entered).await?, said),
        })
    }

    fn take(&mut self) -> State {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let State::Open(entered) = self.take() {
            drop(entered.leave());
        }
    }
}
