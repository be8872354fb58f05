use futures_util::stream::unfold;
use tokio::sync::mpsc::channel;
use tokio::time::{Instant, sleep};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// Returns a part whose content arrives in `chunks` of so many bytes, one after each pause.
fn body(chunk: usize, every: Duration, chunks: usize) -> Body {
    let head = "--b\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n".to_owned();
    let end = "\r\n--b--\r\n".to_owned();
    let bytes = Bytes::from(vec![b'x'; chunk]);
    let all = std::iter::once(head.into())
        .chain(std::iter::repeat_n(bytes, chunks))
        .chain(std::iter::once(end.into()));
    Body::from_stream(unfold(all, move |mut all| async move {
        sleep(every).await;
        Some((Ok::<Bytes, std::convert::Infallible>(all.next()?), all))
    }))
}

/// Reads a body with a receiver that takes so long for each event, and returns the result and the time it took.
async fn read(mut body: Body, each: Duration) -> (Result<(), Rejection>, Duration) {
    let begun = Instant::now();
    let (sender, mut events) = channel(1);
    let receiver = tokio::spawn(async move {
        while events.recv().await.is_some() {
            sleep(each).await;
        }
    });
    let rate = MinRate { bytes_per_second: 1024, span: 30 * SECOND };
    let timeout = 15 * SECOND;
    let result = read_parts(&mut body, "b".to_owned(), timeout, rate, sender).await;
    receiver.abort();
    (result, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn place_4_and_wire_408_a_body_slower_than_the_least_rate_is_late() {
    for (chunk, every) in [(1, SECOND), (1023, SECOND), (10_000, 14 * SECOND)] {
        let (result, after) = read(body(chunk, every, 1000), Duration::ZERO).await;
        assert!(matches!(result, Err(Rejection::RequestTimeout)), "{chunk}: {result:?}");
        assert!((30..=31).contains(&after.as_secs()), "{chunk}: {after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn place_4_a_body_at_the_least_rate_may_take_any_time() {
    for (chunk, every) in [(1100, SECOND), (40_000, 14 * SECOND), (100_000, SECOND)] {
        let (result, after) = read(body(chunk, every, 1000), Duration::ZERO).await;
        assert!(result.is_ok(), "{chunk}: {result:?} after {after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn place_4_time_spent_waiting_for_the_disk_does_not_count() {
    let (result, after) = read(body(200, SECOND / 10, 1000), 10 * SECOND).await;
    assert!(result.is_ok(), "{result:?} after {after:?}");
    assert!(after > 5000 * SECOND, "{after:?}");
}
