//! `create_async` needs no runtime: it runs here on wakers made by hand.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use custom_models_core::store::{Completion, Outcome, StoreErrorKind};
use custom_models_core::{CustomModel, MemoryStore, Plan, Refusal};

use crate::support::{Call, Recorder, Scripted, block_on, caller, engine, request, stored};

type Answer = Result<CustomModel, Refusal>;

/// A waker that counts its calls.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn times(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn held() -> (Scripted, mpsc::Receiver<Completion>) {
    let (sender, completions) = mpsc::channel();
    let store = Scripted::new(move |_, done| sender.send(done).unwrap());
    (store, completions)
}

fn assert_sendable<F: Future<Output = Answer> + Send + 'static>(future: F) -> F {
    future
}

#[test]
fn a_future_gives_what_the_store_answers_at_once() {
    let engine = engine(MemoryStore::new());
    let gold = caller("acme", Plan::gold());
    for number in 1..=5 {
        let model = block_on(engine.create_async(&gold, request("n"))).unwrap();
        assert_eq!(model, stored(number, "n"));
    }
    let refusal = block_on(engine.create_async(&gold, request("n"))).unwrap_err();
    assert_eq!(refusal.status(), 402);
    engine.close().unwrap();
    match block_on(engine.create_async(&gold, request("n"))) {
        Err(Refusal::Store(fault)) => assert_eq!(fault.kind(), StoreErrorKind::Closed),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_future_is_woken_by_an_answer_from_another_thread() {
    let (store, completions) = held();
    let engine = engine(store);
    let answering = thread::spawn(move || {
        for (number, done) in (1..=100).zip(completions) {
            done(Ok(Outcome::Created(stored(number, "n"))));
        }
    });
    for number in 1..=100 {
        let model = block_on(engine.create_async(&caller("acme", Plan::gold()), request("n")));
        assert_eq!(model.unwrap().id.get(), number);
    }
    answering.join().unwrap();
}

#[test]
fn a_future_can_be_polled_on_any_thread() {
    let (store, completions) = held();
    let engine = engine(store);
    let future = assert_sendable(engine.create_async(&caller("acme", Plan::gold()), request("n")));
    drop(engine);
    let polling = thread::spawn(move || block_on(future));
    completions.recv().unwrap()(Ok(Outcome::Created(stored(3, "n"))));
    assert_eq!(polling.join().unwrap().unwrap(), stored(3, "n"));
}

#[test]
fn only_the_last_waker_is_woken_and_only_once() {
    let (store, completions) = held();
    let mut future =
        Box::pin(engine(store).create_async(&caller("acme", Plan::gold()), request("n")));
    let (first, last) = (Arc::new(Count::default()), Arc::new(Count::default()));
    for count in [&first, &last, &first, &last] {
        let waker = Waker::from(Arc::clone(count));
        assert!(future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!((first.times(), last.times()), (0, 0));
    completions.recv().unwrap()(Err(StoreErrorKind::Full.into()));
    assert_eq!((first.times(), last.times()), (0, 1));
}

#[test]
fn a_store_that_gives_up_wakes_the_future() {
    let (store, completions) = held();
    let mut future =
        Box::pin(engine(store).create_async(&caller("acme", Plan::gold()), request("n")));
    let count = Arc::new(Count::default());
    let waker = Waker::from(Arc::clone(&count));
    let mut context = Context::from_waker(&waker);
    assert!(future.as_mut().poll(&mut context).is_pending());
    drop(completions.recv().unwrap());
    assert_eq!(count.times(), 1);
    match future.as_mut().poll(&mut context) {
        Poll::Ready(Err(Refusal::Store(fault))) => {
            assert_eq!(fault.kind(), StoreErrorKind::OutcomeUnknown);
        }
        other => panic!("{other:?}"),
    }
}

/// An executor that polls its future in the call that wakes it, as the smallest ones do.
struct Inline {
    future: Mutex<Option<Pin<Box<dyn Future<Output = Answer> + Send>>>>,
    answer: Mutex<Option<Answer>>,
}

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        let waker = Waker::from(Arc::clone(&self));
        let Some(mut future) = self.future.lock().unwrap().take() else {
            return;
        };
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(answer) => *self.answer.lock().unwrap() = Some(answer),
            Poll::Pending => *self.future.lock().unwrap() = Some(future),
        }
    }
}

#[test]
fn a_future_may_be_polled_by_its_own_waker() {
    let (store, completions) = held();
    let future = engine(store).create_async(&caller("acme", Plan::gold()), request("n"));
    let task =
        Arc::new(Inline { future: Mutex::new(Some(Box::pin(future))), answer: Mutex::new(None) });
    Arc::clone(&task).wake();
    assert!(task.answer.lock().unwrap().is_none());
    completions.recv().unwrap()(Ok(Outcome::Created(stored(4, "n"))));
    let answer = task.answer.lock().unwrap().take();
    assert_eq!(answer.unwrap().unwrap(), stored(4, "n"));
}

#[test]
fn a_write_is_submitted_before_its_future_is_polled() {
    let store = Recorder::default();
    let engine = engine(store.clone());
    let caller = caller("acme", Plan::gold());
    let future = engine.create_async(&caller, request("n"));
    assert!(matches!(store.calls()[..], [Call::Submit(_)]));
    assert_eq!(block_on(future).unwrap(), stored(1, "n"));
    assert_eq!(store.calls(), []);
}

#[test]
fn dropping_a_future_does_not_take_its_write_back() {
    let store = MemoryStore::new();
    let engine = engine(store);
    let caller = caller("acme", Plan::gold());
    drop(engine.create_async(&caller, request("n")));
    assert_eq!(engine.list(&caller, &Default::default()).unwrap().total_results, 1);

    let (store, completions) = held();
    drop(crate::support::engine(store).create_async(&caller, request("n")));
    completions.recv().unwrap()(Ok(Outcome::Created(stored(1, "n"))));
}
