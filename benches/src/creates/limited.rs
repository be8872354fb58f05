//! Creates under a request limit, whose admissions are written with them, beside creates without one.
//!
//! Each window is full to one place when it is asked, and the oldest admission leaves it then: the clock goes on by a
//! millisecond a create. A create that is not admitted ends the run.

use std::cell::Cell;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use custom_models_core::access::{Operation, RateLimit, Window, WindowKey};
use custom_models_core::engine::Limited;
use custom_models_core::store::{
    AccessChange, AccessOutcome, AccessStore, AdmissionRequest, ModelStore, StoreError,
};
use custom_models_core::time::UnixMillis;
use custom_models_store_sqlite::SqliteStore;
use tempfile::TempDir;

use super::engine::{OverEngine, request};
use super::{Creates, ORGANISATIONS, load, warm_up};
use crate::disk::Disk;
use crate::variant::Variant;

/// Without a limit.
pub const FREE: &str = "without a limit";

/// A thousand keys with a window of 100 requests each.
pub const MANY_KEYS: &str = "1000 keys, windows of 100 requests";

/// One key with a window of 100 000 requests.
pub const LARGE: &str = "one key, a window of 100000 requests";

/// The numbers of callers that create at a time.
pub const CALLERS: [usize; 2] = [1, 32];

/// The windows are this long, in seconds.
const WINDOW: u64 = 100;

thread_local! {
    /// The time of the create that this thread begins, in milliseconds.
    static NOW: Cell<u64> = const { Cell::new(0) };
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(NOW.get())
}

/// An engine whose creates are limited by so many keys.
struct UnderLimit {
    over: OverEngine,
    windows: Vec<AdmissionRequest>,
    /// The time of the next create, in milliseconds.
    next: Mutex<u64>,
    /// True if only one caller creates.
    is_lone: bool,
}

impl UnderLimit {
    /// Fills the windows to one place each.
    fn new<S: AccessStore + ModelStore + 'static>(
        (store, folder): (S, TempDir),
        keys: usize,
        callers: usize,
    ) -> Self {
        let windows: Vec<_> = (0..keys).map(|key| window(key, keys)).collect();
        let store = Arc::new(store);
        let (mut end, mut pending) = (0, Vec::new());
        if !windows.is_empty() {
            end = WINDOW * 1000;
            for millis in keys as u64..end {
                let AdmissionRequest { window, limit } = windows[millis as usize % keys];
                let now = UnixMillis::from_unix_millis(millis as i64);
                let (sender, heard) = channel();
                let done = move |answer| sender.send(answer).expect("it is waited for");
                store.submit_access(AccessChange::Admit { window, limit, now }, Box::new(done));
                pending.push(heard);
                if pending.len() == 1000 {
                    pending.drain(..).for_each(settled);
                }
            }
            pending.drain(..).for_each(settled);
        }
        let over = OverEngine::with_clock(store, Some(folder), now);
        UnderLimit { over, windows, next: Mutex::new(end), is_lone: callers == 1 }
    }
}

fn settled(heard: Receiver<Result<AccessOutcome, StoreError>>) {
    let outcome = heard.recv().expect("a completion is called").expect("an admission is written");
    assert!(matches!(outcome, AccessOutcome::Admitted(_)), "{outcome:?}");
}

/// Sleeps until a future is ready.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}

fn window(number: usize, keys: usize) -> AdmissionRequest {
    let key = WindowKey::new(&(number as u64).to_be_bytes()).expect("eight bytes are a key");
    let requests = u32::try_from(WINDOW as usize * 1000 / keys).expect("few requests");
    let limit = RateLimit::new(requests, Duration::from_secs(WINDOW)).expect("within bounds");
    AdmissionRequest { window: Window { key, operation: Operation::Create }, limit }
}

impl Creates for UnderLimit {
    fn create(&self, organisation: usize) {
        let mut next = self.next.lock().expect("nobody panics with it");
        NOW.set(*next);
        let window = self.windows.get(*next as usize % self.windows.len().max(1)).copied();
        *next += 1;
        let (engine, caller) = (self.over.engine(), self.over.caller_of(organisation));
        let limited = if self.is_lone {
            engine.create_limited(caller, request(), None, window)
        } else {
            // Submitted in the order of their times, so that no window has too many.
            let pending = engine.create_limited_async(caller, request(), None, window);
            drop(next);
            block_on(pending)
        };
        match limited.expect("the store works") {
            Limited::Admitted { result, .. } => drop(result.expect("the model is created")),
            other => panic!("{other:?}"),
        }
    }

    fn count(&self) -> u64 {
        self.over.count()
    }
}

/// A store of the kind that is measured.
fn open<S>(disk: &Disk, open: impl Fn(&Path) -> S) -> (S, TempDir) {
    let folder = disk.fresh();
    (open(folder.path()), folder)
}

/// The three, over SQLite.
pub fn sqlite(disk: &Disk, callers: usize) -> Vec<Variant<'_>> {
    let store = || open(disk, |it| SqliteStore::open(it.join("models.db")).expect("it opens"));
    variants(store, callers)
}

/// The three, over sled.
#[cfg(feature = "sled")]
pub fn sled(disk: &Disk, callers: usize) -> Vec<Variant<'_>> {
    let store = || {
        let sled = custom_models_store_sled::SledStore::open;
        open(disk, |it| sled(it.join("models")).expect("it opens"))
    };
    variants(store, callers)
}

fn variants<'a, S: AccessStore + ModelStore + 'static>(
    store: impl Fn() -> (S, TempDir),
    callers: usize,
) -> Vec<Variant<'a>> {
    let variant = |name, keys| {
        let store = UnderLimit::new(store(), keys, callers);
        Variant::timed(name, move |times| {
            let before = store.count() + warm_up(&store, callers, ORGANISATIONS);
            let took = load(&store, callers, ORGANISATIONS, times);
            assert_eq!(store.count(), before + times, "the models of {name}");
            took
        })
    };
    vec![variant(FREE, 0), variant(MANY_KEYS, 1000), variant(LARGE, 1)]
}
