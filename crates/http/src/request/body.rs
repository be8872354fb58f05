//! The body of a request: its media type, its length, and what happens to bytes that no handler reads.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::header::AsHeaderName;
use axum::http::{HeaderMap, HeaderValue, header};
use custom_models_core::{CreateModel, Refusal};
use http_body::Body as _;
use http_body_util::BodyExt;
use sync_wrapper::SyncWrapper;
use tokio::runtime::Handle;
use tokio::time::{Instant, timeout_at};

use crate::rejection::Rejection;

/// The number of bytes of a rejected body that are read, so that its sender sees the response.
const MAX_DRAINED_BYTES: usize = 1 << 20;

/// The body of a request. It is read to its end, or its [`UnreadBody`] is drained.
pub(crate) struct RequestBody {
    /// A body is not `Sync`. The wrapper makes the rest of the request so.
    body: SyncWrapper<Body>,
    /// The whole body, once it was read to its end.
    buffered: Option<Bytes>,
    /// The sender waits for `100 Continue`, which is sent when the body is first read.
    awaits_continue: bool,
    drain_timeout: Duration,
}

impl RequestBody {
    pub(crate) fn new(headers: &HeaderMap, body: Body, drain_timeout: Duration) -> Self {
        // hyper goes by the last of several.
        let expect = headers.get_all(header::EXPECT).iter().next_back().map(HeaderValue::as_bytes);
        let awaits_continue = expect.is_some_and(|it| it.eq_ignore_ascii_case(b"100-continue"));
        RequestBody { body: SyncWrapper::new(body), buffered: None, awaits_continue, drain_timeout }
    }

    /// Returns true if there is no body.
    pub(crate) fn is_empty(&mut self) -> bool {
        let is_at_end = self.body.get_mut().is_end_stream();
        self.buffered.as_ref().map_or(is_at_end, Bytes::is_empty)
    }

    /// Reads a body of JSON: 415, 413 and 408, in this order.
    pub(crate) async fn read_json(
        &mut self,
        headers: &HeaderMap,
        timeout: Duration,
    ) -> Result<Bytes, Rejection> {
        if !is_json(headers) {
            return Err(Rejection::UnsupportedMediaType);
        }
        check_content_encoding(headers)?;
        self.read(timeout).await
    }

    /// Reads a body of any media type: 413 and 408. A second call returns the same bytes.
    pub(crate) async fn read(&mut self, timeout: Duration) -> Result<Bytes, Rejection> {
        if let Some(bytes) = &self.buffered {
            return Ok(bytes.clone());
        }
        let (limit, body) = (CreateModel::MAX_BODY_BYTES, self.body.get_mut());
        let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
        if announced > limit {
            return Err(Refusal::BodyTooLarge.into());
        }
        let deadline = Instant::now() + timeout;
        let mut bytes = Vec::with_capacity(announced);
        self.awaits_continue = false;
        loop {
            let frame = timeout_at(deadline, body.frame()).await;
            match frame.map_err(|_| Rejection::RequestTimeout)? {
                None => return Ok(self.buffered.insert(bytes.into()).clone()),
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

    /// Returns what is left of the body, if it was not read to its end.
    pub(crate) fn into_unread(mut self) -> Option<UnreadBody> {
        let is_at_end = self.buffered.is_some() || self.body.get_mut().is_end_stream();
        (!is_at_end).then_some(UnreadBody(Some(self)))
    }
}

#[cfg(feature = "uploads")]
impl RequestBody {
    /// Returns the `Content-Length`, or 0 for a body in chunks.
    pub(crate) fn announced(&mut self) -> u64 {
        self.body.get_mut().size_hint().lower()
    }

    /// Returns the body as a stream without a limit on its length.
    pub(crate) fn stream(&mut self) -> &mut Body {
        self.awaits_continue = false;
        self.body.get_mut()
    }
}

/// The part of a body that no handler has read. Dropping it, which happens when the response is sent, drains it for
/// a while: a client that sends everything before it reads would otherwise find its connection reset.
pub(crate) struct UnreadBody(Option<RequestBody>);

impl UnreadBody {
    /// Returns true if the client still waits for `100 Continue`. The next bytes may be the body or another request,
    /// so the connection cannot be used again.
    pub(crate) fn may_never_arrive(&self) -> bool {
        self.0.as_ref().is_some_and(|body| body.awaits_continue)
    }
}

impl Drop for UnreadBody {
    fn drop(&mut self) {
        if let (Some(body), Ok(runtime)) = (self.0.take(), Handle::try_current()) {
            runtime.spawn(drain(body));
        }
    }
}

async fn drain(RequestBody { body, drain_timeout, .. }: RequestBody) {
    let mut body = body.into_inner();
    let deadline = Instant::now() + drain_timeout;
    let mut drained = 0;
    while drained < MAX_DRAINED_BYTES
        && let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await
    {
        drained += frame.data_ref().map_or(0, Bytes::len);
    }
}

/// Returns the rejection of a body that ended early: it is not JSON (BODY-1).
fn incomplete() -> Rejection {
    match CreateModel::from_json(b"") {
        Err(violations) => violations.into(),
        Ok(_) => Rejection::RequestTimeout,
    }
}

/// Rejects a body that is encoded, for example compressed: 415.
pub(crate) fn check_content_encoding(headers: &HeaderMap) -> Result<(), Rejection> {
    let lines = headers.get_all(header::CONTENT_ENCODING);
    let mut codings = lines.iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    let is_identity = |coding: &[u8]| {
        let coding = coding.trim_ascii();
        coding.is_empty() || coding.eq_ignore_ascii_case(b"identity")
    };
    if codings.all(is_identity) { Ok(()) } else { Err(Rejection::UnsupportedContentEncoding) }
}

/// Returns the `Content-Type`, if there is exactly one.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<&str> {
    single(headers, header::CONTENT_TYPE)
}

/// Returns the value of a header, if there is exactly one and it has visible characters alone.
pub(crate) fn single(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
    let mut all = headers.get_all(name).iter();
    let (one, None) = (all.next()?, all.next()) else { return None };
    one.to_str().ok()
}

/// Returns true for `application/json`, in any case and with any parameters.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let essence = content_type(headers).and_then(|it| it.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}
