//! The HTTP service: a store, a gate before it, and a socket.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::SystemTime;

use custom_models_core::{
    AccessChange, Engine, Gate, MemoryStore, Plan, Registration, Scope, Store, StoreError,
    StoreErrorKind,
};
use custom_models_http::{Options, router};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tracing_subscriber::util::SubscriberInitExt;

use crate::args::{Global, KeyArgs, ListenArgs, LogFormat, ServeArgs};
use crate::failure::Failure;
use crate::register::{create_key, name_of};
use crate::report::Report;
use crate::settings::Settings;

/// Serves the store that the command line names.
pub(crate) fn serve(global: &Global, args: &ServeArgs) -> Report {
    let serve = || -> Result<(), Failure> {
        let mut settings = Settings::of(global)?;
        settings.limit_creates(args.create_limit, args.create_concurrency);
        let open = global.store.opener()?;
        log_to_standard_error(args.log);
        let store = open()?;
        if store.registrations()?.is_empty() {
            say(&format!(
                "nobody has a key yet: custom-models --store '{0}' org add acme --plan Gold && \
                custom-models --store '{0}' key create --org acme --scope custom_models:write \
                custom_models:read",
                global.store
            ));
        }
        listen(store, settings, args.listen.listen, |_| Ok(()))
    };
    ended(global, serve())
}

/// Serves a store in memory, and says how to use it.
pub(crate) fn demo(global: &Global, args: &ListenArgs) -> Report {
    let demo = || -> Result<(), Failure> {
        let settings = Settings::of(global)?;
        let plan = settings.plan(global.plan.as_deref())?;
        log_to_standard_error(LogFormat::Text);
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let key = first_key(&*store, global, &plan)?;
        listen(store, settings, args.listen, |address| {
            let line = format!(
                "curl -X POST http://{address}/api/v3/custom_models \
                -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \
                -d '{{\"name\":\"Medical Cardiology EN\",\"language\":\"en\",\"base_model\":\"medical\"}}'"
            );
            let mut out = io::stdout().lock();
            writeln!(out, "{line}").and_then(|()| out.flush())
        })
    };
    ended(global, demo())
}

/// Prints the description of the API.
pub(crate) fn describe(global: &Global) -> Report {
    match custom_models_http::openapi().to_pretty_json() {
        Ok(description) => Report::answer(description),
        Err(error) => Report::failure(error.into(), &global.store),
    }
}

fn first_key(store: &dyn Store, global: &Global, plan: &Plan) -> Result<String, Failure> {
    let registration = Registration { organisation: global.org.clone(), plan: name_of(plan)? };
    store.apply_access(AccessChange::Register(registration))?;
    let args = KeyArgs { scopes: vec![Scope::Write, Scope::Read], expires_in: None };
    create_key(store, &global.org, &args)
}

fn ended(global: &Global, outcome: Result<(), Failure>) -> Report {
    match outcome {
        Ok(()) => Report::answer(None),
        Err(failure) => Report::failure(failure, &global.store),
    }
}

/// Serves until the process is told to end; then everything that was acknowledged is durable, and
/// the store closed.
fn listen(
    store: Arc<dyn Store>,
    Settings { plans, limits }: Settings,
    address: SocketAddr,
    announce: impl FnOnce(SocketAddr) -> io::Result<()>,
) -> Result<(), Failure> {
    let engine = Engine::new(Arc::clone(&store), SystemTime::now);
    let gate = Gate::new(Arc::clone(&store), plans, limits, SystemTime::now);
    let options = Options::default();
    let app = router(engine, gate, options.clone());
    let runtime = Runtime::new().map_err(failed)?;
    let served = runtime.block_on(async {
        let stop = told_to_end()?;
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| Failure::WrongUsage(format!("--listen {address}: {error}")))?;
        let address = listener.local_addr().map_err(failed)?;
        say(&format!("listening on http://{address}"));
        announce(address).map_err(failed)?;
        custom_models_http::serve(listener, app, &options, stop).await.map_err(failed)
    });
    // A read that hangs does not keep the process.
    runtime.shutdown_background();
    let closed = store.close();
    if !served? {
        say("some requests did not end in time and were cut off");
    }
    Ok(closed?)
}

/// Ready when the process is told to end. The signals are caught from the call on.
#[cfg(unix)]
fn told_to_end() -> Result<impl Future<Output = ()>, Failure> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    Ok(async move {
        std::future::poll_fn(|context| {
            let is_told =
                terminate.poll_recv(context).is_ready() || interrupt.poll_recv(context).is_ready();
            if is_told { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    })
}

#[cfg(not(unix))]
fn told_to_end() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        // Without the signal there is no end but the process's own.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

fn failed(error: io::Error) -> Failure {
    Failure::Store(StoreError::new(StoreErrorKind::Failed, error))
}

/// A line for whoever looks at the terminal, who may be gone.
fn say(line: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", crate::escape::Escaped(line));
}

fn log_to_standard_error(format: LogFormat) {
    let log = tracing_subscriber::fmt().with_writer(io::stderr).with_ansi(false);
    // A second subscriber, which a process that calls this twice would have, is not needed.
    let _ = match format {
        LogFormat::Text => log.finish().try_init(),
        LogFormat::Json => log.json().finish().try_init(),
    };
}
