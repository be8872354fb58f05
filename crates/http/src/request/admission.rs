//! The admission of a request: how it passes the gate's limits, and when that is written (RATE-2, RATE-3).

use custom_models_core::access::{Admitted, Authorized, RateLimitStatus};
use custom_models_core::store::AdmissionRequest;

use crate::rejection::Rejection;
use crate::response::HandlerResult;
use crate::state::AppState;

/// The admission of one request. If it is dropped before the admission is submitted, because the client has left, the
/// admission is written all the same: such a request counts (RATE-3).
#[derive(Default)]
pub(crate) struct Admission(Stage);

#[derive(Default)]
enum Stage {
    /// The request has not entered.
    #[default]
    Outside,
    /// The request has entered, and its admission is not submitted.
    Authorized(Authorized),
    /// The admission is submitted with a change; then with the state of the window that the change returned.
    Submitted(Authorized, Option<RateLimitStatus>),
    /// The admission is written, without a change.
    Admitted(Admitted),
}

impl Admission {
    /// Creates the admission of a request that has entered.
    pub(crate) fn of(authorized: Authorized) -> Self {
        Admission(Stage::Authorized(authorized))
    }

    /// Returns true if the admission went with a change. That change may have turned out to be a replay.
    pub(crate) fn is_submitted(&self) -> bool {
        matches!(self.0, Stage::Submitted(..))
    }

    /// Writes the admission without a change, and waits until it is durable: 429 by the window.
    pub(crate) async fn write(&mut self, state: &AppState) -> Result<(), Rejection> {
        if let Stage::Authorized(authorized) = self.take() {
            self.0 = Stage::Admitted(state.admit(authorized).await?);
        }
        Ok(())
    }

    /// Returns the admission, to be written with a change.
    pub(crate) fn submit(&mut self) -> Option<AdmissionRequest> {
        match self.take() {
            Stage::Authorized(authorized) => {
                let admission = authorized.admission();
                self.0 = Stage::Submitted(authorized, None);
                admission
            }
            other => {
                self.0 = other;
                None
            }
        }
    }

    /// Sets the state of the window, which the change returned.
    pub(crate) fn set_rate_limit(&mut self, new: Option<RateLimitStatus>) {
        if let Stage::Submitted(_, rate_limit) = &mut self.0 {
            *rate_limit = new;
        }
    }

    /// Returns the admission that the response shows, and the result. A request that came to no change is admitted
    /// first, and refused if its window is full by now.
    pub(crate) async fn finish(
        &mut self,
        state: &AppState,
        result: HandlerResult,
    ) -> (Option<Admitted>, HandlerResult) {
        match (self.take(), result) {
            (Stage::Outside, result) => (None, result),
            // The key was revoked or has expired since the request entered.
            (Stage::Authorized(_), Err(rejection)) if matches!(rejection.status(), 401 | 403) => {
                (None, Err(rejection))
            }
            // The store fails: it is not asked once more.
            (Stage::Authorized(authorized), Err(rejection)) if rejection.status() == 500 => {
                (Some(authorized.leave()), Err(rejection))
            }
            (Stage::Authorized(authorized), result) => match state.admit(authorized).await {
                Ok(admitted) => (Some(admitted), result),
                Err(rejection) => (None, Err(rejection)),
            },
            (Stage::Submitted(authorized, rate_limit), result) => {
                (Some(authorized.counted(rate_limit)), result)
            }
            (Stage::Admitted(admitted), result) => (Some(admitted), result),
        }
    }

    fn take(&mut self) -> Stage {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        if let Stage::Authorized(authorized) = self.take() {
            drop(authorized.leave());
        }
    }
}
