use std::sync::Mutex;
use std::sync::mpsc;

use super::*;

/// Takes nothing until it may, and then fails or keeps what it takes.
struct Stuck {
    may: mpsc::Receiver<bool>,
    goes: Option<bool>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Write for Stuck {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let may = &self.may;
        if !*self.goes.get_or_insert_with(|| may.recv().unwrap()) {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.lines.lock().unwrap().push(String::from_utf8(line.to_vec()).unwrap());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn stuck() -> (StderrQueue, mpsc::Sender<bool>, Arc<Mutex<Vec<String>>>) {
    let ((go, may), lines) = (mpsc::channel(), Arc::new(Mutex::new(Vec::new())));
    let queue = StderrQueue::start(Stuck { may, goes: None, lines: Arc::clone(&lines) });
    (queue, go, lines)
}

/// Pushes one line that is being written, as many as may wait, and some more.
fn push_too_many(queue: &StderrQueue, more: usize) {
    queue.push(b"first");
    while !queue.messages.is_empty() {
        thread::yield_now();
    }
    (0..WAITING + more).for_each(|number| queue.push(number.to_string().as_bytes()));
}

#[test]
fn who_pushes_never_waits_and_what_is_lost_is_counted_and_told_when_it_goes_on() {
    static TOLD: Mutex<Vec<u64>> = Mutex::new(Vec::new());
    let (queue, go, lines) = stuck();
    queue.losses.tell.set(|lost| TOLD.lock().unwrap().push(lost)).unwrap();
    push_too_many(&queue, 7);
    assert_eq!(queue.losses.lost.load(Ordering::Relaxed), 7);
    assert!(TOLD.lock().unwrap().is_empty());
    go.send(true).unwrap();
    queue.flush_within(Duration::from_secs(60));
    let lines = lines.lock().unwrap();
    assert_eq!(lines.len(), 1 + WAITING);
    assert_eq!((&*lines[0], &**lines.last().unwrap()), ("first", &*(WAITING - 1).to_string()));
    let told = TOLD.lock().unwrap();
    assert!(told.iter().all(|lost| *lost == 7) && !told.is_empty(), "{told:?}");
}

#[test]
fn what_was_lost_is_told_before_the_end() {
    static MESSAGES: OnceLock<Sender<Message>> = OnceLock::new();
    let (messages, waiting) = bounded(8);
    let messages = MESSAGES.get_or_init(|| messages);
    let losses = Losses { lost: AtomicU64::new(1), tell: OnceLock::new() };
    let told = |_| MESSAGES.get().unwrap().send(Message::Line(b"told".to_vec())).unwrap();
    losses.tell.set(told).unwrap();
    let (done, is_done) = bounded(0);
    messages.send(Message::Line(b"line".to_vec())).unwrap();
    messages.send(Message::Flush(done)).unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let (go, may) = mpsc::channel();
    go.send(true).unwrap();
    let out = Stuck { may, goes: None, lines: Arc::clone(&lines) };
    thread::spawn(move || write(out, &waiting, &losses));
    assert!(is_done.recv().is_err());
    assert_eq!(*lines.lock().unwrap(), ["line", "told"]);
}

#[test]
fn what_cannot_be_written_is_lost_too_and_an_end_does_not_wait_for_ever() {
    let (queue, go, lines) = stuck();
    push_too_many(&queue, 0);
    queue.flush_within(Duration::ZERO);
    go.send(false).unwrap();
    queue.flush_within(Duration::from_secs(60));
    assert_eq!(queue.losses.lost.load(Ordering::Relaxed), 1 + WAITING as u64);
    assert!(lines.lock().unwrap().is_empty());
}
