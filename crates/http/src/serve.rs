//! The loop around a router: connections, their time-outs and the shutdown.

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
use crate::state::shutdown::ShutdownSignal;

/// Serves connections until `stop` is ready. Then it accepts no more, answers requests that wait for an event, and
/// lets the other requests end within [`Options::shutdown_timeout`]. Returns true if all of them did.
///
/// Must run within a Tokio runtime that has its timer and its I/O enabled.
///
/// # Errors
///
/// When the listener has no local address. A connection that fails harms no other.
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
    let (shutdown, signal) = ShutdownSignal::new();
    let router = router.layer(Extension(signal));
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            () = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(error) => {
                // Out of file descriptors, for example. Connections that end free some.
                tracing::warn!(cause = ?error.to_string(), "a connection was not accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                continue;
            }
        };
        // A small response must not wait for the acknowledgement of the one before.
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
    drop(shutdown);
    let ended = tokio::time::timeout(options.shutdown_timeout, graceful.shutdown()).await;
    Ok(ended.is_ok())
}
