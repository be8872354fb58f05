//! The loop around a router: connections, their time-outs, and an orderly end.

use std::future::Future;
use std::io;
use std::pin::pin;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio_io_timeout::TimeoutWriter;

use crate::options::Options;
use crate::state::shutdown::Stopping;

/// Serves connections until `stop` is ready, then takes no more, lets requests that are at work end
/// within [`Options::shutdown_timeout`], and returns: whether all did. Requests that wait for an event
/// are answered at once then.
///
/// Must run within a Tokio runtime with its timer and its I/O.
///
/// # Errors
///
/// When the listener cannot say where it listens; a connection that fails harms no other.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    options: &Options,
    stop: impl Future<Output = ()>,
) -> io::Result<bool> {
    listener.local_addr()?;
    let mut connections = http1::Builder::new();
    connections.timer(TokioTimer::new()).header_read_timeout(options.header_timeout);
    let graceful = GracefulShutdown::new();
    let (stopping, told) = Stopping::new();
    let router = router.layer(Extension(told));
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of descriptors, say: those who hold them need a moment.
                tracing::warn!(cause = ?error.to_string(), "a connection was not accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        // A small answer must not wait for the acknowledgement of the one before.
        let _ = stream.set_nodelay(true);
        let mut stream = Box::pin(TimeoutWriter::new(stream));
        stream.as_mut().set_timeout_pinned(Some(options.write_timeout));
        let service = TowerToHyperService::new(router.clone());
        let connection =
            graceful.watch(connections.serve_connection(TokioIo::new(stream), service));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(cause = ?error.to_string(), "a connection broke off");
            }
        });
    }
    drop(listener);
    drop(stopping);
    let ended = tokio::time::timeout(options.shutdown_timeout, graceful.shutdown()).await;
    Ok(ended.is_ok())
}
