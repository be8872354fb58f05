use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Barrier};

use pollster::block_on;

use super::*;

type Fault = StoreError;

#[test]
fn a_read_that_panics_is_an_error_and_its_thread_goes_on() {
    let pool = ReadPool::start(1);
    let broken = block_on(pool.read(|| -> Result<(), Fault> { panic!("stands in the code") }));
    assert_eq!(broken.unwrap_err().kind(), StoreErrorKind::Failed);
    assert_eq!(block_on(pool.read(|| Ok::<_, Fault>(1))).unwrap(), 1);
}

#[test]
fn a_formatted_message_of_a_panic_is_not_shown() {
    let cause = |panic: Box<dyn Any + Send>| {
        std::error::Error::source(&panicked(&*panic)).map(ToString::to_string)
    };
    assert_eq!(cause(Box::new("a literal")).unwrap(), "a read panicked: a literal");
    assert_eq!(cause(Box::new("a secret".to_owned())).unwrap(), "a read panicked");
}

/// Every read waits for another that is made at the same time.
#[test]
fn as_many_reads_run_at_a_time_as_there_are_threads() {
    let pool = ReadPool::start(2);
    assert_eq!(pool.threads(), 2);
    let (both, now) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let read = |_| {
        let (both, now) = (Arc::clone(&both), Arc::clone(&now));
        pool.read(move || {
            let at_once = now.fetch_add(1, Ordering::SeqCst) + 1;
            both.wait();
            now.fetch_sub(1, Ordering::SeqCst);
            Ok::<_, Fault>(at_once)
        })
    };
    let reads: Vec<_> = (0..100).map(read).collect();
    assert_eq!(reads.into_iter().map(|read| block_on(read).unwrap()).max(), Some(2));
}

#[test]
fn a_read_whose_future_was_dropped_is_skipped() {
    let pool = ReadPool::start(1);
    let (begun, has_begun) = channel();
    let (end, may_end) = channel::<()>();
    let first = pool.read(move || {
        begun.send(()).unwrap();
        may_end.recv().unwrap();
        Ok::<_, Fault>(())
    });
    has_begun.recv().unwrap();
    let (made, is_made) = channel();
    drop(pool.read(move || {
        made.send(()).unwrap();
        Ok::<_, Fault>(())
    }));
    end.send(()).unwrap();
    block_on(first).unwrap();
    block_on(pool.read(|| Ok::<_, Fault>(()))).unwrap();
    assert!(is_made.try_recv().is_err());
}

#[test]
fn the_threads_make_the_queued_reads_and_end_with_the_last_owner() {
    thread_local! {
        static OF_THREAD: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
    }
    let pool = ReadPool::start(1);
    let (end, may_end) = channel::<()>();
    let (ended, has_ended) = channel::<()>();
    let first = pool.clone().read(move || {
        may_end.recv().unwrap();
        Ok::<_, Fault>(())
    });
    let second = pool.read(move || {
        OF_THREAD.set(Some(ended));
        Ok::<_, Fault>(())
    });
    drop(pool);
    end.send(()).unwrap();
    block_on(first).unwrap();
    block_on(second).unwrap();
    assert!(has_ended.recv().is_err());
}

#[test]
fn a_pool_without_threads_is_busy() {
    let handle = Handle { queue: Arc::default(), threads: 0 };
    let pool = ReadPool { handle: Arc::new(handle) };
    let read = block_on(pool.read(|| Ok::<_, Fault>(1)));
    assert_eq!(read.unwrap_err().kind(), StoreErrorKind::Busy);
}
