use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::time::Duration;

use custom_models_core::Refusal;

use super::*;

#[tokio::test]
async fn a_read_that_panics_is_an_error_and_its_thread_goes_on() {
    let pool = ReadPool::start(1);
    let broken: Result<(), _> = pool.read(|| panic!("stands in the code")).await;
    assert!(matches!(broken, Err(Rejection::Engine(Refusal::Internal { .. }))), "{broken:?}");
    assert_eq!(pool.read(|| Ok(1)).await.unwrap(), 1);
}

/// Every read waits for another that is made at the same time.
#[tokio::test]
async fn as_many_reads_run_at_a_time_as_there_are_threads() {
    let pool = ReadPool::start(2);
    let (both, now) = (Arc::new(Barrier::new(2)), Arc::new(AtomicUsize::new(0)));
    let reads = (0..100).map(|_| {
        let (both, now) = (Arc::clone(&both), Arc::clone(&now));
        pool.read(move || {
            let at_once = now.fetch_add(1, Ordering::SeqCst) + 1;
            both.wait();
            now.fetch_sub(1, Ordering::SeqCst);
            Ok(at_once)
        })
    });
    let at_once = futures_util::future::try_join_all(reads).await.unwrap();
    assert_eq!(at_once.iter().max(), Some(&2));
}

#[tokio::test]
async fn a_read_whose_future_was_dropped_is_skipped() {
    let pool = ReadPool::start(1);
    let (begun, has_begun) = channel();
    let (end, may_end) = channel::<()>();
    let first = pool.read(move || {
        begun.send(()).unwrap();
        may_end.recv().unwrap();
        Ok(())
    });
    let mut first = std::pin::pin!(first);
    let at_once = Duration::ZERO;
    assert!(tokio::time::timeout(at_once, &mut first).await.is_err());
    has_begun.recv().unwrap();
    let (made, is_made) = channel();
    let second = pool.read(move || {
        made.send(()).unwrap();
        Ok(())
    });
    assert!(tokio::time::timeout(at_once, second).await.is_err());
    end.send(()).unwrap();
    first.await.unwrap();
    pool.read(|| Ok(())).await.unwrap();
    assert!(is_made.try_recv().is_err());
}
