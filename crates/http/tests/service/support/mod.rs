//! A server of the test's own, and a client that sends exactly what it is told.

mod data;
mod store;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, UNIX_EPOCH};

use axum::Router;
use custom_models_core::access::{
    ApiKey, Gate, KeyId, KeyRecord, Limits, Operation, OperationLimit, Scope,
};
use custom_models_core::store::{AccessChange, AccessOutcome, AccessStore, Registration};
use custom_models_core::tenant::Plans;
use custom_models_core::time::Timestamp;
use custom_models_core::{Engine, MemoryStore};
use custom_models_http::{Options, router, serve};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

pub(crate) use store::{Behaviour, FaultyStore};

pub(crate) const MODELS: &str = "/api/v3/custom_models";

pub(crate) const NAMED: &str = r#"{"name":"n","language":"en"}"#;

pub(crate) const CREATED: &str = r#"{"id":1,"model_key":"custom_model_1","name":"n","description":null,"language":"en","base_model":"general","training_status":1,"status_message":"Model created. Upload training data to begin.","created_at":"2023-11-14T22:13:20Z","updated_at":"2023-11-14T22:13:20Z"}"#;

/// 2023-11-14T22:13:20Z
pub(crate) const NOW: u64 = 1_700_000_000;

/// A server on a port of its own, which stops when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) store: Arc<FaultyStore>,
    /// The engine of the service, for changes that do not go over HTTP.
    pub(crate) engine: Engine,
    /// The clock of the server.
    millis: Arc<AtomicU64>,
    stop: Option<oneshot::Sender<()>>,
    running: Option<JoinHandle<bool>>,
}

impl Server {
    pub(crate) fn new() -> Self {
        Server::start(Limits::NONE, Options::default())
    }

    pub(crate) fn limited(requests: &str, at_once: u32) -> Self {
        let limit = OperationLimit {
            requests: Some(requests.parse().unwrap()),
            at_once: NonZeroU32::new(at_once),
        };
        Server::start(Limits::NONE.with(Operation::Create, limit), Options::default())
    }

    pub(crate) fn start(limits: Limits, options: Options) -> Self {
        Server::mount(limits, options, router)
    }

    /// Starts a server with the router that `mount` makes.
    pub(crate) fn mount(
        limits: Limits,
        options: Options,
        mount: impl FnOnce(Engine, Gate, Options) -> Router,
    ) -> Self {
        let store = Arc::new(FaultyStore::new(MemoryStore::new()));
        let millis = Arc::new(AtomicU64::new(NOW * 1000));
        let shown = Arc::clone(&millis);
        let clock = move || UNIX_EPOCH + Duration::from_millis(shown.load(Ordering::SeqCst));
        let engine = Engine::new(store.clone(), clock.clone());
        let gate = Gate::new(store.clone(), Plans::default(), limits, clock).unwrap();
        let router = mount(engine.clone(), gate, options.clone());
        let (told, address) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let running = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                // Fewer than the writes that wait at a time in a test.
                .max_blocking_threads(64)
                .enable_all()
                .build()
                .unwrap();
            let ended = runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                told.send(listener.local_addr().unwrap()).unwrap();
                let stop = async { drop(stopped.await) };
                serve(listener, router, &options, stop).await.unwrap()
            });
            runtime.shutdown_background();
            ended
        });
        let address = address.recv().unwrap();
        Server { address, store, engine, millis, stop: Some(stop), running: Some(running) }
    }

    /// Advances the clock by so many seconds.
    pub(crate) fn pass(&self, seconds: u64) {
        self.advance(seconds * 1000);
    }

    /// Advances the clock.
    pub(crate) fn advance(&self, millis: u64) {
        self.millis.fetch_add(millis, Ordering::SeqCst);
    }

    /// Registers an organisation on a plan.
    pub(crate) fn register(&self, organisation: &str, plan: &str) {
        let organisation = organisation.parse().unwrap();
        let registration = Registration { organisation, plan: plan.parse().unwrap() };
        let outcome = self.store.apply_access(AccessChange::Register(registration)).unwrap();
        assert!(matches!(outcome, AccessOutcome::Done | AccessOutcome::Taken));
    }

    /// Adds a key and returns it as the value of `Authorization`.
    pub(crate) fn key(&self, number: u8, organisation: &str, scopes: &[Scope]) -> String {
        self.register(organisation, "Gold");
        let key = ApiKey::new(KeyId::from_bytes([number; 6]), [number; 32]);
        let record = KeyRecord {
            id: key.id(),
            digest: key.digest(),
            organisation: organisation.parse().unwrap(),
            scopes: scopes.iter().copied().collect(),
            created_at: Timestamp::MIN,
            expires_at: None,
            revoked_at: None,
        };
        let outcome = self.store.apply_access(AccessChange::AddKey(record)).unwrap();
        assert_eq!(outcome, AccessOutcome::Done);
        format!("Bearer {}", key.expose())
    }

    /// Revokes the key with this number.
    pub(crate) fn revoke(&self, number: u8) {
        let id = KeyId::from_bytes([number; 6]);
        let change = AccessChange::RevokeKey { id, at: Timestamp::MIN };
        assert_eq!(self.store.apply_access(change).unwrap(), AccessOutcome::Done);
    }

    /// Adds a key with all scopes.
    pub(crate) fn any_key(&self) -> String {
        self.key(1, "acme", &Scope::ALL)
    }

    pub(crate) fn connect(&self) -> Client {
        Client::to(self.address)
    }

    /// Sends bytes on a new connection, and reads one response.
    pub(crate) fn send(&self, bytes: impl AsRef<[u8]>) -> Answer {
        let mut client = self.connect();
        client.write(bytes);
        client.answer()
    }

    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut client = self.connect();
        client.write(head(method, path, headers, Some(body.len())));
        client.write(body);
        client.answer_to(method)
    }

    pub(crate) fn get(&self, key: &str, path: &str) -> Answer {
        self.request("GET", path, &[("Authorization", key)], "")
    }

    pub(crate) fn create(&self, key: &str, body: &str) -> Answer {
        let headers = [("Authorization", key), ("Content-Type", "application/json")];
        self.request("POST", MODELS, &headers, body)
    }

    /// Stops the server, and returns true if all requests ended in time.
    pub(crate) fn stop(&mut self) {
        drop(self.stop.take());
    }

    pub(crate) fn ended(mut self) -> bool {
        self.stop();
        self.running.take().unwrap().join().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.store.behave(Behaviour::Works);
        self.stop();
        if let Some(running) = self.running.take()
            && running.join().is_err()
            && !thread::panicking()
        {
            panic!("the server panicked");
        }
    }
}

/// Returns the head of a request.
pub(crate) fn head(
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    length: Option<usize>,
) -> String {
    let mut head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(length) = length {
        head.push_str(&format!("Content-Length: {length}\r\n"));
    }
    head.push_str("\r\n");
    head
}

/// A connection to a server.
pub(crate) struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Client {
    pub(crate) fn to(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        // A test that would hang fails instead. Nothing rests on how long this is.
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
        Client { stream, read: Vec::new() }
    }

    pub(crate) fn write(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).unwrap();
    }

    /// Writes to a server, and returns false if it has closed the connection.
    pub(crate) fn try_write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        let written = self.stream.write_all(bytes.as_ref());
        let kind = written.as_ref().err().map(io::Error::kind);
        assert_ne!(kind, Some(io::ErrorKind::WouldBlock), "nobody reads, and nobody closes");
        written.is_ok()
    }

    /// Waits until bytes can be read.
    pub(crate) fn wait_for_answer(&self) {
        assert_eq!(self.stream.peek(&mut [0]).unwrap(), 1);
    }

    /// Closes the sending side.
    pub(crate) fn finish(&self) {
        self.stream.shutdown(std::net::Shutdown::Write).unwrap();
    }

    pub(crate) fn answer(&mut self) -> Answer {
        self.answer_to("GET")
    }

    /// Reads one response, which may be a provisional one.
    pub(crate) fn answer_to(&mut self, method: &str) -> Answer {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            assert!(self.fill() > 0, "closed after {:?}", String::from_utf8_lossy(&self.read));
        };
        let head = String::from_utf8(self.read.drain(..end + 4).collect()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = BTreeMap::new();
        for line in lines.filter(|line| !line.is_empty()) {
            let (name, value) = line.split_once(": ").unwrap();
            let earlier = headers.insert(name.to_ascii_lowercase(), value.to_owned());
            assert!(earlier.is_none(), "{name} is there twice");
        }
        let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
        let length = if method == "HEAD" { 0 } else { length };
        while self.read.len() < length {
            assert!(self.fill() > 0, "closed in the body");
        }
        let body = String::from_utf8(self.read.drain(..length).collect()).unwrap();
        Answer { status, headers, body }
    }

    /// Returns true if the server has closed the connection and sent nothing more.
    pub(crate) fn is_at_end(&mut self) -> bool {
        self.read.is_empty() && self.fill() == 0
    }

    fn fill(&mut self) -> usize {
        let mut buffer = [0; 4096];
        let count = self.stream.read(&mut buffer).unwrap();
        self.read.extend_from_slice(&buffer[..count]);
        count
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(&self, status: u16, body: &str) -> &Self {
        assert_eq!((self.status, self.body.as_str()), (status, body), "{:?}", self.headers);
        if status != 204 {
            self.has("content-type", "application/json");
        }
        assert!(self.headers.contains_key("x-request-id"), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn refuses(&self, status: u16, error_code: &str) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self.has("content-type", "application/json");
        assert!(self.body.contains(&format!(r#""error_code":"{error_code}""#)), "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn has(&self, name: &str, value: &str) -> &Self {
        assert_eq!(self.headers.get(name).map(String::as_str), Some(value), "{name} of {self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn has_no(&self, name: &str) -> &Self {
        assert_eq!(self.headers.get(name), None, "{name} of {self:?}");
        self
    }
}
