//! `/api/v3/uploads`: files that are sent in several requests, by tus 1.0 (DATA-3).

use std::sync::Arc;
use std::time::SystemTime;

use axum::body::Bytes;
use axum::extract::OriginalUri;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use custom_models_core::access::Operation;
use custom_models_core::model::DataFile;
use custom_models_core::{Caller, Organisation};
use custom_models_training_data::{
    Checksum, ResumableError, ResumableUpload, ResumableUploads, UploadId,
};
use tokio::sync::mpsc::{Receiver, channel};

use crate::rejection::Rejection;
use crate::request::chunks::read_chunks;
use crate::request::context::{RequestContext, segment};
use crate::request::tus;
use crate::request::upload::{MAX_QUEUED_EVENTS, min_rate};
use crate::response::{HandlerResult, Reply};
use crate::state::AppState;

/// The methods of an upload, which a POST may stand for.
const OVERRIDABLE: HeaderValue = HeaderValue::from_static("DELETE,HEAD,OPTIONS,PATCH");

/// Adds the version of the protocol to what a method answers.
pub(crate) fn speaking_tus(methods: MethodRouter<Arc<AppState>>) -> MethodRouter<Arc<AppState>> {
    methods.layer(from_fn(tus::check_version))
}

/// `OPTIONS /api/v3/uploads`
pub(crate) async fn options() -> Response {
    Reply::empty(StatusCode::NO_CONTENT)
        .with_header("tus-resumable", tus::VERSION)
        .with_header("tus-version", tus::VERSION)
        .with_header("tus-extension", tus::EXTENSIONS)
        .with_header("tus-checksum-algorithm", Checksum::ALGORITHMS)
        .with_header("tus-max-size", &DataFile::MAX_BYTES.to_string())
        .into_response()
}

/// `POST /api/v3/uploads`
pub(crate) async fn begin(ctx: RequestContext) -> Response {
    ctx.respond(Operation::Resume, begin_upload).await
}

async fn begin_upload(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    ctx.reject_body_and_query()?;
    let (length, metadata) = (tus::length(&ctx.head.headers)?, tus::metadata(&ctx.head.headers)?);
    ctx.admit().await?;
    let most = ctx.state.options.unfinished_bytes;
    let begin = move |uploads: ResumableUploads, organisation: &Organisation| {
        uploads.begin(organisation, length, &metadata, most)
    };
    let upload = on_pieces(&ctx.state, caller, begin).await?;
    let path = ctx.head.extensions.get().map_or(&ctx.head.uri, |OriginalUri(uri)| uri).path();
    let location = format!("{}/{}", path.trim_end_matches('/'), upload.id);
    Ok(expiring(Reply::empty(StatusCode::CREATED), &upload).with_header("location", &location))
}

/// `HEAD /api/v3/uploads/{upload_id}`
pub(crate) async fn show(ctx: RequestContext) -> Response {
    ctx.respond(Operation::Resume, show_upload).await
}

async fn show_upload(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    ctx.reject_query()?;
    let id = upload_id(ctx)?;
    let upload = on_pieces(&ctx.state, caller, move |uploads, of| uploads.get(of, &id)).await?;
    let reply = at_offset(StatusCode::OK, &upload)
        .with_header("upload-length", &upload.id.length().to_string())
        .with_header("cache-control", "no-store");
    Ok(match upload.metadata.as_str() {
        "" => reply,
        metadata => reply.with_header("upload-metadata", metadata),
    })
}

/// `PATCH /api/v3/uploads/{upload_id}`
pub(crate) async fn append(ctx: RequestContext) -> Response {
    ctx.respond(Operation::Resume, append_bytes).await
}

async fn append_bytes(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    tus::check_media_type(&ctx.head.headers)?;
    ctx.reject_query()?;
    let offset = tus::offset(&ctx.head.headers)?;
    let checksum = tus::checksum(&ctx.head.headers)?;
    let id = upload_id(ctx)?;
    if offset.saturating_add(ctx.body.announced()) > id.length() {
        return Err(ResumableError::TooLarge.into());
    }
    ctx.admit().await?;
    let (uploads, organisation) = (ctx.state.uploads.resumable()?, caller.organisation().clone());
    let (sender, chunks) = channel(MAX_QUEUED_EVENTS);
    let write = move || write(&uploads, &organisation, &id, offset, checksum, chunks).transpose();
    let RequestContext { state, body, .. } = ctx;
    let writer = state.uploads.start(caller.organisation(), write)?;
    let stalled_after = state.options.body_timeout;
    let read = read_chunks(body.stream(), stalled_after, min_rate(&state.options), sender).await;
    let upload = writer.result_of_body(read).await?;
    Ok(at_offset(StatusCode::NO_CONTENT, &upload))
}

/// Adds chunks to an upload. Returns `None` if the body broke off; what has arrived is kept then, too.
fn write(
    uploads: &ResumableUploads,
    organisation: &Organisation,
    id: &UploadId,
    offset: u64,
    checksum: Option<Checksum>,
    mut chunks: Receiver<Option<Bytes>>,
) -> Result<Option<ResumableUpload>, ResumableError> {
    let mut append = uploads.append(organisation, id, offset, checksum)?;
    while let Some(chunk) = chunks.blocking_recv() {
        match chunk {
            Some(bytes) => append.write(&bytes)?,
            None => return append.finish().map(Some),
        }
    }
    Ok(None)
}

/// `DELETE /api/v3/uploads/{upload_id}`
pub(crate) async fn delete(ctx: RequestContext) -> Response {
    ctx.respond(Operation::Resume, delete_upload).await
}

async fn delete_upload(ctx: &mut RequestContext, caller: &Caller) -> HandlerResult {
    ctx.reject_body_and_query()?;
    let id = upload_id(ctx)?;
    on_pieces(&ctx.state, caller, move |uploads, of| uploads.remove(of, &id)).await?;
    Ok(Reply::empty(StatusCode::NO_CONTENT))
}

/// `POST /api/v3/uploads/{upload_id}`, for clients that cannot send other methods: `X-HTTP-Method-Override` has the one
/// that they mean.
pub(crate) async fn overridden(ctx: RequestContext) -> Response {
    match tus::method(&ctx.head.headers) {
        Some(Method::PATCH) => append(ctx).await,
        Some(Method::DELETE) => delete(ctx).await,
        Some(Method::HEAD) => show(ctx).await,
        _ => {
            let refuse =
                async |_: &mut RequestContext, _: &Caller| Err(Rejection::MethodNotAllowed);
            let mut response = ctx.respond(Operation::Resume, refuse).await;
            response.headers_mut().insert(header::ALLOW, OVERRIDABLE);
            response
        }
    }
}

/// Returns the id of the upload in the path. A segment that is no id names no upload.
fn upload_id(ctx: &RequestContext) -> Result<UploadId, Rejection> {
    let id = segment(&ctx.head.uri, 0).and_then(|id| id.parse().ok());
    id.ok_or(ResumableError::NotFound.into())
}

/// Calls the unfinished uploads of the caller's organisation on a thread that may block.
async fn on_pieces<T: Send + 'static>(
    state: &AppState,
    caller: &Caller,
    call: impl FnOnce(ResumableUploads, &Organisation) -> Result<T, ResumableError> + Send + 'static,
) -> Result<T, Rejection> {
    let (uploads, organisation) = (state.uploads.resumable()?, caller.organisation().clone());
    state.uploads.writes.call(&state.calls, move || call(uploads, &organisation)).await
}

fn at_offset(status: StatusCode, upload: &ResumableUpload) -> Reply {
    expiring(Reply::empty(status), upload).with_header("upload-offset", &upload.offset.to_string())
}

fn expiring(reply: Reply, upload: &ResumableUpload) -> Reply {
    match SystemTime::now().checked_add(upload.expires_in) {
        Some(at) => reply.with_header("upload-expires", &httpdate::fmt_http_date(at)),
        None => reply,
    }
}
