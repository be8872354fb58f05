//! A service of a test's own, its faults, and a client of it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use axum::body::to_bytes;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use custom_models_client::{Client, ClientBuilder, RetryPolicy};
use custom_models_core::access::{ApiKey, Gate, KeyId, KeyRecord, Limits, Scope};
use custom_models_core::model::{ContentDigest, DataFile, DataType, Expected, NewPair};
use custom_models_core::store::{AccessChange, AccessOutcome, AccessStore, Registration};
use custom_models_core::tenant::Plans;
use custom_models_core::time::Timestamp;
use custom_models_core::{Caller, CreateModel, Engine, MemoryStore, ModelId, Plan};
use custom_models_http::{Options, router, serve};
use custom_models_training_data::Folder;
use tempfile::TempDir;
use tokio::net::TcpListener;

/// 2023-11-14T22:13:20Z
const NOW: u64 = 1_700_000_000;

pub(crate) struct Service {
    pub(crate) address: SocketAddr,
    pub(crate) engine: Engine,
    store: Arc<MemoryStore>,
    /// The clock of the service.
    millis: Arc<AtomicU64>,
    /// The responses to the next requests, in the place of the service's.
    faults: Arc<Mutex<Vec<Fault>>>,
    /// The waits that clients asked for. No test waits: the clock of the service moves instead.
    waits: Arc<Mutex<Vec<Duration>>>,
    _folder: TempDir,
}

/// Makes a response.
type Fault = Box<dyn FnOnce() -> Response + Send>;

impl Service {
    pub(crate) async fn start() -> Self {
        Service::limited(Limits::NONE).await
    }

    pub(crate) async fn limited(limits: Limits) -> Self {
        let (store, folder) = (Arc::new(MemoryStore::new()), tempfile::tempdir().unwrap());
        let millis = Arc::new(AtomicU64::new(NOW * 1000));
        let shown = Arc::clone(&millis);
        let clock = move || UNIX_EPOCH + Duration::from_millis(shown.load(Ordering::SeqCst));
        let engine = Engine::new(store.clone(), clock.clone());
        let gate = Gate::new(store.clone(), Plans::default(), limits, clock).unwrap();
        let mut options = Options::default();
        options.contents = Some(Arc::new(Folder::open(folder.path(), &*store).unwrap()));
        let faults = Arc::new(Mutex::new(Vec::<Fault>::new()));
        let next_fault = Arc::clone(&faults);
        let app = router(engine.clone(), gate, options.clone()).layer(from_fn(
            move |request: Request, next: Next| {
                let fault = next_fault.lock().unwrap().pop();
                async move {
                    match fault {
                        Some(fault) => {
                            // A client that is still sending might miss the response.
                            let read = to_bytes(request.into_body(), usize::MAX).await;
                            read.map(|_| fault()).unwrap_or_else(|error| panic!("{error}"))
                        }
                        None => next.run(request).await,
                    }
                }
            },
        ));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            serve(listener, app, &options, std::future::pending()).await.unwrap()
        });
        let waits = Arc::default();
        Service { address, engine, store, millis, faults, waits, _folder: folder }
    }

    /// Lets the next `count` requests have this response.
    pub(crate) fn fails<R: IntoResponse>(
        &self,
        count: usize,
        fault: impl Fn() -> R + Clone + Send + 'static,
    ) {
        let fault = || -> Fault {
            let fault = fault.clone();
            Box::new(move || fault().into_response())
        };
        self.faults.lock().unwrap().extend((0..count).map(|_| fault()));
    }

    /// Returns the number of faults that no request has met.
    pub(crate) fn faults_left(&self) -> usize {
        self.faults.lock().unwrap().len()
    }

    pub(crate) fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap().clone()
    }

    /// Returns the settings of a client with a key that may do everything.
    pub(crate) fn builder(&self) -> ClientBuilder {
        self.builder_of(self.address)
    }

    /// Returns the settings of a client that finds the service at another address.
    pub(crate) fn builder_of(&self, address: SocketAddr) -> ClientBuilder {
        let key = self.key(1, &Scope::ALL);
        Client::builder(format!("http://{address}")).key(key).no_proxy().retries(self.retries())
    }

    /// Returns the default policy, with the clock of the service.
    pub(crate) fn retries(&self) -> RetryPolicy {
        let (waits, millis) = (Arc::clone(&self.waits), Arc::clone(&self.millis));
        RetryPolicy::default().with_sleep(move |wait| {
            waits.lock().unwrap().push(wait);
            millis.fetch_add(u64::try_from(wait.as_millis()).unwrap(), Ordering::SeqCst);
            std::future::ready(())
        })
    }

    pub(crate) fn client(&self) -> Client {
        self.builder().build().unwrap()
    }

    /// Returns a key of the organisation `acme`.
    pub(crate) fn key(&self, number: u8, scopes: &[Scope]) -> String {
        let organisation = "acme".parse().unwrap();
        let registration = Registration { organisation, plan: "Gold".parse().unwrap() };
        self.store.apply_access(AccessChange::Register(registration)).unwrap();
        let key = ApiKey::new(KeyId::from_bytes([number; 6]), [number; 32]);
        let record = KeyRecord {
            id: key.id(),
            digest: key.digest(),
            organisation: "acme".parse().unwrap(),
            scopes: scopes.iter().copied().collect(),
            created_at: Timestamp::MIN,
            expires_at: None,
            revoked_at: None,
        };
        let outcome = self.store.apply_access(AccessChange::AddKey(record)).unwrap();
        assert!(matches!(outcome, AccessOutcome::Done | AccessOutcome::Taken));
        key.expose().to_string()
    }

    /// Returns the number of models that the organisation has.
    pub(crate) fn models(&self) -> u64 {
        self.engine.list(&caller(), &Default::default()).unwrap().total_results
    }

    /// Adds so many seconds of audio to a model.
    pub(crate) fn has_data(&self, id: ModelId, seconds: u64) {
        let file = |filename: &str| DataFile {
            filename: filename.to_owned(),
            bytes: 1,
            sha256: ContentDigest::from_bytes([7; 32]),
            content: "c".to_owned(),
        };
        let pair = NewPair {
            data_type: DataType::Train,
            audio: file("a.wav"),
            audio_millis: seconds * 1000,
            transcript: file("a.txt"),
        };
        self.engine.add_data(&caller(), id, pair, &Expected::Anything).unwrap();
    }
}

pub(crate) fn caller() -> Caller {
    Caller::new("acme".parse().unwrap(), Plan::gold())
}

pub(crate) fn named(name: &str) -> CreateModel<'static> {
    CreateModel::builder().name(name).language("en").build().unwrap().into_owned()
}
