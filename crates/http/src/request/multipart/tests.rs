use futures_util::stream::unfold;
use tokio::sync::mpsc::channel;
use tokio::time::{Instant, sleep};

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A part whose content comes in chunks of so many bytes, each after so long.
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

/// Takes a body apart, each piece kept for so long, and says when it was refused or done.
async fn taken(mut body: Body, kept: Duration) -> (Result<(), Rejection>, Duration) {
    let begun = Instant::now();
    let (sender, mut pieces) = channel(1);
    let keep = tokio::spawn(async move {
        while pieces.recv().await.is_some() {
            sleep(kept).await;
        }
    });
    let rate = LeastRate { bytes: 1024, span: 30 * SECOND };
    let patience = 15 * SECOND;
    let taken = take_apart(&mut body, "b".to_owned(), patience, rate, sender).await;
    keep.abort();
    (taken, begun.elapsed())
}

#[tokio::test(start_paused = true)]
async fn place_4_and_wire_408_a_body_slower_than_the_least_rate_is_late() {
    for (chunk, every) in [(1, SECOND), (1023, SECOND), (10_000, 14 * SECOND)] {
        let (taken, after) = taken(body(chunk, every, 1000), Duration::ZERO).await;
        assert!(matches!(taken, Err(Rejection::RequestTimeout)), "{chunk}: {taken:?}");
        assert!((30..=31).contains(&after.as_secs()), "{chunk}: {after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn place_4_a_body_at_the_least_rate_may_take_as_long_as_it_likes() {
    for (chunk, every) in [(1100, SECOND), (40_000, 14 * SECOND), (100_000, SECOND)] {
        let (taken, after) = taken(body(chunk, every, 1000), Duration::ZERO).await;
        assert!(taken.is_ok(), "{chunk}: {taken:?} after {after:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn place_4_time_in_which_the_disk_is_waited_for_does_not_count() {
    let (taken, after) = taken(body(200, SECOND / 10, 1000), 10 * SECOND).await;
    assert!(taken.is_ok(), "{taken:?} after {after:?}");
    assert!(after > 5000 * SECOND, "{after:?}");
}
