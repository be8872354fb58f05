use std::io::pipe;

use super::*;

static ENDED: AtomicBool = AtomicBool::new(true);

#[test]
fn train_3_what_is_in_a_pipe_at_the_end_is_read_and_nothing_is_waited_for() {
    let (reader, mut writer) = pipe().unwrap();
    let full = vec![b'x'; 60_000];
    writer.write_all(&full).unwrap();
    let mut read = Vec::new();
    drain(reader, &ENDED, |part| read.extend_from_slice(part));
    assert_eq!(read.len(), full.len(), "and the writer is still open: {writer:?}");
}

#[test]
fn train_3_after_the_end_no_more_is_read_than_a_pipe_holds() {
    let (reader, mut writer) = pipe().unwrap();
    let flood = std::thread::spawn(move || while writer.write_all(&[b'x'; PART]).is_ok() {});
    let mut read = 0;
    drain(reader, &ENDED, |part| read += part.len());
    assert!(read <= LAST_BYTES + PART, "{read}");
    // The reader is gone, so the writer ends.
    flood.join().unwrap();
}

#[test]
fn train_3_an_input_that_nobody_reads_is_given_up_at_the_end() {
    let (reader, writer) = pipe().unwrap();
    let has_ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let feeding = scope.spawn(|| feed(writer, &vec![b'x'; 10 << 20], &has_ended));
        has_ended.store(true, Ordering::Release);
        feeding.join().unwrap();
    });
    drop(reader);
    // One whose reader is gone ends without being told.
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    feed(writer, &[b'x'; 10], &AtomicBool::new(false));
}
