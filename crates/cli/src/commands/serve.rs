//! The HTTP service: an engine and a gate on a store, behind a socket.

mod log;
mod metrics;
mod sweeper;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use std::time::{Duration, SystemTime};

use custom_models_core::access::{Gate, Scope};
use custom_models_core::store::{AccessChange, Registration, Store, StoreError, StoreErrorKind};
use custom_models_core::{Engine, MemoryStore, Plan};
use custom_models_http::{Options, metrics_router, router};
use custom_models_training_data::Folder;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tracing_subscriber::filter::LevelFilter;

use crate::args::access::KeyArgs;
use crate::args::serve::{ListenArgs, LogArgs, LogFormat, ServeArgs};
use crate::commands::orgs_and_keys::{create_key, name_of};
use crate::commands::serve::log::log_to_standard_error;
use crate::commands::serve::sweeper::Sweeper;
use crate::config::data_folder::{DataFolder, warning};
use crate::config::global::Global;
use crate::config::settings::Settings;
use crate::config::span::Span;
use crate::config::store_url::StoreUrl;
use crate::output::failure::Failure;
use crate::output::report::Report;
use crate::output::stderr::say;

/// Serves the store over HTTP.
pub(crate) fn serve(global: &Global, args: &ServeArgs) -> Report {
    let serve = || -> Result<(), Failure> {
        let mut settings = Settings::read(global.config.as_deref())?;
        settings.limit_creates(args.create_limit, args.create_concurrency);
        settings.org_share = Some(args.org_share);
        log_to_standard_error(args.log);
        // Before the store is opened, so that a service that cannot start makes no store.
        let listener = bind("--listen", args.listen.listen)?;
        // Before the store is opened, because stores describe their metrics when they open.
        let metrics = match args.metrics_listen {
            Some(address) => Some((
                bind("--metrics-listen", address)?,
                crate::commands::serve::metrics::record()?,
            )),
            None => None,
        };
        let adopt = args.folder.adopt;
        let store = global.store.open_or_make(|| DataFolder::ensure_free(global, adopt))?;
        let folder = DataFolder::of(global, &store)?;
        let contents = folder.open_or_adopt(adopt)?;
        contents.as_deref().and_then(warning).iter().for_each(|line| say(line));
        if let Some(next) = how_to_make_a_key(&*store, &global.store)? {
            say(&next);
        }
        let every = args.sweep_every.0.map(Span::get);
        listen(store, contents, settings, every, listener, metrics, |_| Ok(()))
    };
    ended(global, serve())
}

/// Returns a message about how to create a key, or `None` if the store has a valid key.
fn how_to_make_a_key(store: &dyn Store, url: &StoreUrl) -> Result<Option<String>, StoreError> {
    let now = SystemTime::now().into();
    let registrations = store.registrations()?;
    for Registration { organisation, .. } in &registrations {
        if store.keys(organisation)?.iter().any(|key| key.is_valid_at(now)) {
            return Ok(None);
        }
    }
    let program = format!("custom-models --store {}", shell_word(&url.to_string()));
    let (first, organisation) = match registrations.first() {
        Some(known) => (String::new(), known.organisation.to_string()),
        None => (format!("{program} org add acme --plan Gold && "), "acme".to_owned()),
    };
    let commands = format!(
        "{first}{program} key create --org={} --scope custom_models:write custom_models:read",
        shell_word(&organisation)
    );
    Ok(Some(match url.scheme() {
        "sqlite" => format!("nobody has a key yet: {commands}"),
        // The URL is shown without its password.
        "postgres" | "postgresql" => {
            format!("nobody has a key yet; with the whole URL of the store: {commands}")
        }
        "memory" => "nobody has a key, and none can be made for a store in memory: \
            custom-models demo serves one with a key"
            .to_owned(),
        _ => format!("nobody has a key yet; end this process, which has the store: {commands}"),
    }))
}

/// Quotes a text as one word of a shell.
fn shell_word(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Serves a store in memory, and prints a command that uses it.
pub(crate) fn demo(global: &Global, args: &ListenArgs) -> Report {
    let demo = || -> Result<(), Failure> {
        let settings = Settings::read(global.config.as_deref())?;
        let plan = settings.plan(global.plan.as_deref())?;
        log_to_standard_error(LogArgs { format: LogFormat::Text, level: LevelFilter::INFO });
        let listener = bind("--listen", args.listen)?;
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let key = first_key(&*store, global, &plan)?;
        let folder = DataFolder::temporary(global, &store)?;
        listen(store, folder.open()?, settings, None, listener, None, |address| {
            let line = format!(
                "curl -X POST http://{address}/api/v3/custom_models \
                -H 'Authorization: Bearer {key}' -H 'Content-Type: application/json' \
                -d '{{\"name\":\"Medical Cardiology EN\",\"language\":\"en\",\"base_model\":\"medical\"}}'"
            );
            print(line)
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

/// Serves until the shutdown signal. On return all acknowledged writes are durable and the store is closed.
fn listen(
    store: Arc<dyn Store>,
    folder: Option<Arc<Folder>>,
    Settings { plans, limits, retention, org_share }: Settings,
    sweep_every: Option<Duration>,
    listener: std::net::TcpListener,
    metrics: Option<(std::net::TcpListener, PrometheusHandle)>,
    announce: impl FnOnce(SocketAddr) -> io::Result<()>,
) -> Result<(), Failure> {
    let engine = Engine::new(store.clone(), SystemTime::now);
    let gate = Gate::new(store.clone(), plans, limits, SystemTime::now)?;
    let sweeper = Sweeper {
        engine: engine.clone(),
        gate: gate.clone(),
        store: Arc::clone(&store),
        folder: folder.clone(),
        retention,
    };
    let mut options = Options::default();
    options.contents = folder.clone().map(|folder| folder as _);
    options.organisation_share = org_share.unwrap_or(options.organisation_share);
    let app = router(engine, gate, options.clone());
    let runtime = Runtime::new().map_err(failed)?;
    let served = runtime.block_on(async {
        let shutdown = Shutdown::new(shutdown_signal()?);
        let (listener, address) = into_tokio(listener)?;
        let page = match metrics {
            Some((listener, recorded)) => {
                Some(show(listener, recorded, &options, shutdown.clone())?)
            }
            None => None,
        };
        if let Some(every) = sweep_every {
            tokio::spawn(sweeper.run(every));
        }
        say(&format!("listening on http://{address}"));
        announce(address).map_err(|error| Failure::NotWritten(None, error))?;
        let served = custom_models_http::serve(listener, app, &options, shutdown.wait()).await;
        let shown = match page {
            Some(page) => page.await.unwrap_or(Ok(false)),
            None => Ok(true),
        };
        Ok::<_, Failure>(served.map_err(failed)? && shown.map_err(failed)?)
    });
    // A read that hangs does not delay the end of the process.
    runtime.shutdown_background();
    if let Some(folder) = folder {
        // From now on an older copy of the store is recognised as such; if this fails, from the next sweep on.
        let _ = folder.record(&*store);
    }
    let closed = store.close();
    if !served? {
        say("some requests took too long and were aborted");
    }
    Ok(closed?)
}

/// Serves the page of metrics on its own socket.
fn show(
    listener: std::net::TcpListener,
    recorded: PrometheusHandle,
    options: &Options,
    shutdown: Shutdown,
) -> Result<JoinHandle<io::Result<bool>>, Failure> {
    let (listener, address) = into_tokio(listener)?;
    say(&format!("metrics on http://{address}/metrics"));
    tokio::spawn(crate::commands::serve::metrics::keep_up(recorded.clone()));
    let (page, options) =
        (metrics_router(move || crate::commands::serve::metrics::page(&recorded)), options.clone());
    Ok(tokio::spawn(async move {
        custom_models_http::serve(listener, page, &options, shutdown.wait()).await
    }))
}

fn bind(option: &str, address: SocketAddr) -> Result<std::net::TcpListener, Failure> {
    std::net::TcpListener::bind(address)
        .map_err(|error| Failure::WrongUsage(format!("{option} {address}: {error}")))
}

/// Registers a socket with the current runtime. Returns it with its address.
fn into_tokio(listener: std::net::TcpListener) -> Result<(TcpListener, SocketAddr), Failure> {
    let converted = || -> io::Result<(TcpListener, SocketAddr)> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok((TcpListener::from_std(listener)?, address))
    };
    converted().map_err(failed)
}

/// The shutdown signal, for several tasks.
#[derive(Clone)]
struct Shutdown(watch::Receiver<()>);

impl Shutdown {
    fn new(told: impl Future<Output = ()> + Send + 'static) -> Self {
        let (held, shutdown) = watch::channel(());
        tokio::spawn(async move {
            told.await;
            drop(held);
        });
        Shutdown(shutdown)
    }

    async fn wait(mut self) {
        // The sender never sends: dropping it is the signal.
        let _ = self.0.changed().await;
    }
}

/// A future that is ready after SIGTERM or SIGINT. Catches the signals from the call on.
#[cfg(unix)]
fn shutdown_signal() -> Result<impl Future<Output = ()>, Failure> {
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
fn shutdown_signal() -> Result<impl Future<Output = ()>, Failure> {
    Ok(async {
        // Without the signal only a kill ends the process.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

fn failed(error: io::Error) -> Failure {
    Failure::Store(StoreError::new(StoreErrorKind::Failed, error))
}

/// Prints a line on standard output. Waits at most a second for a reader.
fn print(line: String) -> io::Result<()> {
    const MOMENT: Duration = Duration::from_secs(1);
    let (done, printed) = sync_channel(1);
    let print = move || {
        let mut out = io::stdout().lock();
        // The receiver may be gone.
        let _ = done.send(writeln!(out, "{line}").and_then(|()| out.flush()));
    };
    thread::Builder::new().name("print".to_owned()).spawn(print)?;
    printed.recv_timeout(MOMENT).unwrap_or(Ok(()))
}
