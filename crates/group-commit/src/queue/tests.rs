use super::*;
use crate::Answers;

struct Idle;

impl Committer for Idle {
    type Job = ();
    type Answer = ();
    type Error = Unanswered;

    fn commit(&mut self, jobs: &[()]) -> Result<Answers<Self>, Unanswered> {
        Ok(jobs.iter().map(|()| Ok(())).collect())
    }

    fn unanswered(why: Unanswered) -> Unanswered {
        why
    }
}

fn push(queue: &Queue<Idle>) {
    assert!(queue.push(std::iter::once(((), Callback::new(drop)))).is_empty());
}

#[test]
fn the_committer_is_lent_when_the_queue_is_open_and_empty() {
    let queue = Queue::new(Idle);
    assert!(queue.lend().is_some());
    assert!(queue.lend().is_none(), "it is lent already");
    queue.give_back(Idle, false);
    push(&queue);
    assert!(queue.lend().is_none(), "a job waits that was there before");

    let closed = Queue::new(Idle);
    closed.close();
    assert!(closed.lend().is_none());
}

#[test]
fn callers_have_a_part_of_what_their_commit_took_to_come_back() {
    let millis = Duration::from_millis;
    assert_eq!(patience(0, millis(8)), None);
    assert_eq!(patience(1, millis(8)), None);
    assert_eq!(patience(2, millis(8)), Some(millis(2)));
    assert_eq!(patience(3, millis(20)), Some(millis(5)));
    assert_eq!(patience(3, millis(1000)), Some(millis(5)));
}

#[test]
fn as_many_jobs_are_awaited_as_were_answered_until_the_queue_is_closed() {
    let queue = Queue::new(Idle);
    push(&queue);
    assert!(queue.lock().awaits(2));
    push(&queue);
    assert!(!queue.lock().awaits(2));
    assert!(queue.lock().awaits(3));
    queue.close();
    assert!(!queue.lock().awaits(3));
}
