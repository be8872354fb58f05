//! The body of a request: whether it is JSON, how long it is, and what is done with one that nobody
//! reads.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, header};
use custom_models_core::{CreateModel, Refusal};
use http_body::Body as _;
use http_body_util::BodyExt;
use sync_wrapper::SyncWrapper;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use crate::rejection::Rejection;

/// The number of bytes of a refused body that are read, so that its sender sees the refusal.
const DRAINED: usize = 1 << 20;

/// The body of a request, which is read to its end, or whose [`Rest`] is.
pub(crate) struct Incoming {
    /// Nobody looks at it without having it, so that the rest of its request can be shared.
    body: SyncWrapper<Body>,
    /// The whole body, once it was read to its end.
    read: Option<Bytes>,
    /// Its sender waits for a word before sending.
    is_held_back: bool,
    drain_timeout: Duration,
}

impl Incoming {
    pub(crate) fn new(headers: &HeaderMap, body: Body, drain_timeout: Duration) -> Self {
        // Of several the HTTP library goes by the last.
        let expected =
            headers.get_all(header::EXPECT).iter().next_back().map(HeaderValue::as_bytes);
        let is_held_back = expected.is_some_and(|it| it.eq_ignore_ascii_case(b"100-continue"));
        Incoming { body: SyncWrapper::new(body), read: None, is_held_back, drain_timeout }
    }

    /// Returns true if there is no body.
    pub(crate) fn is_empty(&mut self) -> bool {
        let is_at_end = self.body.get_mut().is_end_stream();
        self.read.as_ref().map_or(is_at_end, Bytes::is_empty)
    }

    /// Returns the least number of bytes that are announced.
    pub(crate) fn announced(&mut self) -> u64 {
        self.body.get_mut().size_hint().lower()
    }

    /// The body, to be read as it comes, whatever its length.
    pub(crate) fn as_mut(&mut self) -> &mut Body {
        self.is_held_back = false;
        self.body.get_mut()
    }

    /// Reads a body of JSON: 415, 413 and 408, in this order.
    pub(crate) async fn read_json(
        &mut self,
        headers: &HeaderMap,
        patience: Duration,
    ) -> Result<Bytes, Rejection> {
        if !is_json(headers) {
            return Err(Rejection::UnsupportedMediaType);
        }
        is_plain(headers)?;
        self.read(patience).await
    }

    /// Reads a body, whatever it is said to be: 413 and 408. Once read, it is kept.
    pub(crate) async fn read(&mut self, patience: Duration) -> Result<Bytes, Rejection> {
        if let Some(read) = &self.read {
            return Ok(read.clone());
        }
        let (limit, body) = (CreateModel::MAX_BODY_BYTES, self.body.get_mut());
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > limit {
            return Err(Refusal::BodyTooLarge.into());
        }
        let deadline = Instant::now() + patience;
        let mut bytes = Vec::with_capacity(announced);
        self.is_held_back = false;
        loop {
            let frame = timeout_at(deadline, body.frame()).await;
            match frame.map_err(|_| Rejection::RequestTimeout)? {
                None => return Ok(self.read.insert(bytes.into()).clone()),
                Some(Err(_)) => return Err(incomplete()),
                Some(Ok(frame)) => {
                    let Ok(data) = frame.into_data() else { continue };
                    if bytes.len() + data.len() > limit {
                        return Err(Refusal::BodyTooLarge.into());
                    }
                    bytes.extend_from_slice(&data);
                }
            }
        }
    }

    /// Returns the rest of the body, if nobody has read all of it.
    pub(crate) fn rest(mut self) -> Option<Rest> {
        let is_at_end = self.read.is_some() || self.body.get_mut().is_end_stream();
        (!is_at_end).then_some(Rest(Some(self)))
    }
}

/// The rest of a body. Once its answer is sent, which is when this is dropped, it is read for a while: a
/// sender who first sends all and then looks for the answer would otherwise find the connection reset.
pub(crate) struct Rest(Option<Incoming>);

impl Rest {
    /// Returns true if the sender may never send it: the next bytes may be it, or another request. The
    /// connection cannot be used again then.
    pub(crate) fn is_uncertain(&self) -> bool {
        self.0.as_ref().is_some_and(|incoming| incoming.is_held_back)
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        if let (Some(rest), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(drain(rest));
        }
    }
}

async fn drain(Incoming { body, drain_timeout, .. }: Incoming) {
    let mut body = body.into_inner();
    let deadline = Instant::now() + drain_timeout;
    let mut drained = 0;
    while drained < DRAINED
        && let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await
    {
        drained += frame.data_ref().map_or(0, Bytes::len);
    }
}

/// Returns the refusal of a body that broke off: it is no JSON (BODY-1).
fn incomplete() -> Rejection {
    match CreateModel::from_json(b"") {
        Err(violations) => violations.into(),
        Ok(_) => Rejection::RequestTimeout,
    }
}

/// 415 for a body that is said to be encoded, compressed for example.
pub(crate) fn is_plain(headers: &HeaderMap) -> Result<(), Rejection> {
    let said = headers.get_all(header::CONTENT_ENCODING);
    let mut codings = said.iter().flat_map(|said| said.as_bytes().split(|byte| *byte == b','));
    let is_identity = |coding: &[u8]| {
        let coding = coding.trim_ascii();
        coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
    };
    if codings.all(is_identity) { Ok(()) } else { Err(Rejection::UnsupportedContentEncoding) }
}

/// `application/json` in any case, whatever parameters it has; said once.
fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(said), None) = (types.next(), types.next()) else {
        return false;
    };
    let essence = said.to_str().ok().and_then(|said| said.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}
