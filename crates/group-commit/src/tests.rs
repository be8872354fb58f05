use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use super::*;

/// The reason why a job has no answer: from the queue, or from the committer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Unanswered(Unanswered),
    DiskIsFull,
    NoIdIsLeft,
}

const BUSY: Answer = Err(Fault::Unanswered(Unanswered::Busy));
const CLOSED: Answer = Err(Fault::Unanswered(Unanswered::Closed));
const UNKNOWN: Answer = Err(Fault::Unanswered(Unanswered::Unknown));

type Answer = Result<&'static str, Fault>;

/// The number of a job, and its answer.
type Heard = (u64, Answer);

/// A committer that waits for the test before each commit, and reports the numbers in the group.
struct Gate {
    begun: Sender<Vec<u64>>,
    go_on: Receiver<Result<Vec<Answer>, Fault>>,
}

impl Committer for Gate {
    type Job = u64;
    type Answer = &'static str;
    type Error = Fault;

    fn commit(&mut self, jobs: &[u64]) -> Result<Answers<Self>, Fault> {
        self.begun.send(jobs.to_vec()).unwrap();
        self.go_on.recv().expect("the test panics the committer by hanging up")
    }

    fn unanswered(why: Unanswered) -> Fault {
        Fault::Unanswered(why)
    }
}

struct Bench {
    commits: GroupCommit<Gate>,
    begun: Receiver<Vec<u64>>,
    go_on: Sender<Result<Vec<Answer>, Fault>>,
    answered: Sender<Heard>,
    heard: Receiver<Heard>,
}

impl Bench {
    fn new() -> Self {
        let (begun_sender, begun) = channel();
        let (go_on, go_on_receiver) = channel();
        let (answered, heard) = channel();
        let gate = Gate { begun: begun_sender, go_on: go_on_receiver };
        let commits = GroupCommit::start("gate", gate).unwrap();
        Bench { commits, begun, go_on, answered, heard }
    }

    fn submit(&self, number: u64) {
        submit(&self.commits, &self.answered, number);
    }

    fn all_made(&self, jobs: usize) {
        self.go_on.send(Ok(vec![Ok("made"); jobs])).unwrap();
    }
}

fn submit(commits: &GroupCommit<Gate>, answered: &Sender<Heard>, number: u64) {
    let answered = answered.clone();
    commits.submit(number, move |answer| answered.send((number, answer)).unwrap());
}

#[test]
fn what_queues_up_during_a_commit_is_the_next_group() {
    let bench = Bench::new();
    bench.submit(1);
    assert_eq!(bench.begun.recv().unwrap(), [1]);
    (2..=9).for_each(|number| bench.submit(number));
    assert!(bench.heard.try_recv().is_err(), "nobody is answered before the commit");
    bench.all_made(1);
    assert_eq!(bench.heard.recv().unwrap(), (1, Ok("made")));
    assert_eq!(bench.begun.recv().unwrap(), [2, 3, 4, 5, 6, 7, 8, 9]);
    bench.all_made(8);
    let order: Vec<u64> = (2..=9).map(|_| bench.heard.recv().unwrap().0).collect();
    assert_eq!(order, [2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn each_write_gets_its_own_answer() {
    let bench = Bench::new();
    bench.submit(1);
    bench.begun.recv().unwrap();
    (2..=4).for_each(|number| bench.submit(number));
    bench.all_made(1);
    bench.begun.recv().unwrap();
    let answers = vec![Ok("not found"), Err(Fault::NoIdIsLeft), Ok("refused")];
    bench.go_on.send(Ok(answers)).unwrap();
    let heard: Vec<_> = (1..=4).map(|_| bench.heard.recv().unwrap()).collect();
    assert_eq!(
        heard,
        [(1, Ok("made")), (2, Ok("not found")), (3, Err(Fault::NoIdIsLeft)), (4, Ok("refused"))]
    );
}

#[test]
fn a_failed_commit_answers_its_whole_group_and_the_next_one_is_tried() {
    let bench = Bench::new();
    bench.submit(1);
    bench.begun.recv().unwrap();
    (2..=3).for_each(|number| bench.submit(number));
    bench.go_on.send(Err(Fault::DiskIsFull)).unwrap();
    assert_eq!(bench.heard.recv().unwrap(), (1, Err(Fault::DiskIsFull)));
    bench.begun.recv().unwrap();
    bench.go_on.send(Err(Fault::NoIdIsLeft)).unwrap();
    assert_eq!(bench.heard.recv().unwrap(), (2, Err(Fault::NoIdIsLeft)));
    assert_eq!(bench.heard.recv().unwrap(), (3, Err(Fault::NoIdIsLeft)));
    bench.submit(4);
    bench.begun.recv().unwrap();
    bench.all_made(1);
    assert_eq!(bench.heard.recv().unwrap(), (4, Ok("made")));
}

#[test]
fn the_outcome_of_a_job_that_the_committer_forgot_is_unknown() {
    let bench = Bench::new();
    bench.submit(1);
    bench.begun.recv().unwrap();
    (2..=3).for_each(|number| bench.submit(number));
    bench.all_made(1);
    bench.begun.recv().unwrap();
    bench.all_made(1);
    let heard: Vec<_> = (1..=3).map(|_| bench.heard.recv().unwrap()).collect();
    assert_eq!(heard, [(1, Ok("made")), (2, Ok("made")), (3, UNKNOWN)]);
    bench.go_on.send(Ok(Vec::new())).unwrap();
    assert_eq!(bench.commits.apply(4), UNKNOWN);
}

#[test]
fn a_full_queue_is_busy_and_loses_nothing() {
    let bench = Bench::new();
    let limit = QUEUE_LIMIT as u64;
    bench.submit(1);
    bench.begun.recv().unwrap();
    (2..2 + limit).for_each(|number| bench.submit(number));
    assert!(bench.heard.try_recv().is_err());
    bench.submit(2 + limit);
    assert_eq!(bench.heard.recv().unwrap(), (2 + limit, BUSY));
    bench.all_made(1);
    assert_eq!(bench.heard.recv().unwrap(), (1, Ok("made")));
    assert_eq!(bench.begun.recv().unwrap().len(), QUEUE_LIMIT);
    bench.all_made(QUEUE_LIMIT);
    let answered = (0..QUEUE_LIMIT).filter(|_| bench.heard.recv().unwrap().1.is_ok()).count();
    assert_eq!(answered, QUEUE_LIMIT);
}

#[test]
fn closing_waits_for_what_is_queued_and_refuses_what_comes_later() {
    let bench = Bench::new();
    bench.submit(1);
    bench.begun.recv().unwrap();
    bench.submit(2);
    bench.all_made(1);
    bench.all_made(1);
    bench.commits.close();
    let heard: Vec<_> = bench.heard.try_iter().collect();
    assert_eq!(heard, [(1, Ok("made")), (2, Ok("made"))]);
    bench.submit(3);
    assert_eq!(bench.heard.recv().unwrap(), (3, CLOSED));
    bench.commits.close();
}

#[test]
fn a_committer_that_panics_leaves_nobody_waiting() {
    let Bench { commits, begun, go_on, answered, heard } = Bench::new();
    let submit = |number| submit(&commits, &answered, number);
    submit(1);
    begun.recv().unwrap();
    submit(2);
    drop(go_on);
    // The first was in the group. The second was not started.
    assert_eq!(heard.recv().unwrap(), (1, UNKNOWN));
    assert_eq!(heard.recv().unwrap(), (2, CLOSED));
    submit(3);
    assert_eq!(heard.recv().unwrap(), (3, CLOSED));
    commits.close();
}

#[test]
fn a_completion_that_panics_is_the_only_one_that_suffers() {
    let bench = Bench::new();
    bench.submit(1);
    bench.begun.recv().unwrap();
    bench.commits.submit(2, |_| panic!("a host's mistake"));
    bench.submit(3);
    bench.all_made(1);
    bench.begun.recv().unwrap();
    bench.all_made(2);
    assert_eq!(bench.heard.recv().unwrap(), (1, Ok("made")));
    assert_eq!(bench.heard.recv().unwrap(), (3, Ok("made")));
    bench.submit(4);
    bench.begun.recv().unwrap();
    bench.all_made(1);
    assert_eq!(bench.heard.recv().unwrap(), (4, Ok("made")));
}

#[test]
fn the_last_owner_may_be_a_completion() {
    let (begun_sender, begun) = channel();
    let (go_on, go_on_receiver) = channel();
    let gate = Gate { begun: begun_sender, go_on: go_on_receiver };
    let commits = Arc::new(GroupCommit::start("gate", gate).unwrap());
    let (dropped, was_dropped) = channel();
    let last_owner = Arc::clone(&commits);
    commits.submit(1, move |_| {
        drop(last_owner);
        dropped.send(()).unwrap();
    });
    begun.recv().unwrap();
    drop(commits);
    go_on.send(Ok(vec![Ok("made")])).unwrap();
    was_dropped.recv().unwrap();
}

/// A committer that reports its thread.
struct Whereabouts(Sender<thread::ThreadId>);

impl Committer for Whereabouts {
    type Job = ();
    type Answer = ();
    type Error = Unanswered;

    fn commit(&mut self, jobs: &[()]) -> Result<Answers<Self>, Unanswered> {
        self.0.send(thread::current().id()).unwrap();
        Ok(jobs.iter().map(|()| Ok(())).collect())
    }

    fn unanswered(why: Unanswered) -> Unanswered {
        why
    }
}

#[test]
fn a_caller_that_waits_commits_by_itself_when_nothing_is_at_work() {
    let (sender, places) = channel();
    let commits = GroupCommit::start("whereabouts", Whereabouts(sender)).unwrap();
    for _ in 1..=3 {
        assert_eq!(commits.apply(()), Ok(()));
        assert_eq!(places.recv().unwrap(), thread::current().id());
    }
    commits.close();
    assert_eq!(commits.apply(()), Err(Unanswered::Closed));
    assert!(places.try_recv().is_err(), "nothing is committed after the end");
}

#[test]
fn what_queues_up_while_a_caller_commits_is_the_next_group() {
    let bench = Bench::new();
    let commits = &bench.commits;
    thread::scope(|scope| {
        let caller = scope.spawn(|| commits.apply(1));
        assert_eq!(bench.begun.recv().unwrap(), [1]);
        bench.submit(2);
        bench.submit(3);
        assert!(bench.heard.try_recv().is_err(), "nobody is answered before the commit");
        bench.all_made(1);
        assert_eq!(caller.join().unwrap(), Ok("made"));
        assert_eq!(bench.begun.recv().unwrap(), [2, 3]);
        bench.all_made(2);
        assert_eq!(bench.heard.recv().unwrap(), (2, Ok("made")));
        assert_eq!(bench.heard.recv().unwrap(), (3, Ok("made")));
    });
}

#[test]
fn a_caller_that_waits_hears_its_own_answer_with_the_next_group() {
    let bench = Bench::new();
    let commits = &bench.commits;
    bench.submit(1);
    bench.begun.recv().unwrap();
    thread::scope(|scope| {
        let caller = scope.spawn(|| commits.apply(2));
        bench.all_made(1);
        assert_eq!(bench.begun.recv().unwrap(), [2]);
        bench.go_on.send(Err(Fault::DiskIsFull)).unwrap();
        assert_eq!(caller.join().unwrap(), Err(Fault::DiskIsFull));
    });
}

#[test]
fn closing_waits_for_a_caller_that_commits() {
    let bench = Bench::new();
    let commits = &bench.commits;
    thread::scope(|scope| {
        let caller = scope.spawn(|| commits.apply(1));
        bench.begun.recv().unwrap();
        let closing = scope.spawn(|| commits.close());
        let has_waited = (0..10_000).all(|_| {
            thread::yield_now();
            !closing.is_finished()
        });
        bench.go_on.send(Ok(vec![Ok("refused")])).unwrap();
        assert_eq!(caller.join().unwrap(), Ok("refused"));
        closing.join().unwrap();
        assert!(has_waited, "somebody was still at work");
    });
}

#[test]
fn a_committer_that_panics_on_a_callers_thread_leaves_nobody_waiting() {
    let Bench { commits, begun, go_on, answered, heard } = Bench::new();
    thread::scope(|scope| {
        let caller = scope.spawn(|| commits.apply(1));
        begun.recv().unwrap();
        submit(&commits, &answered, 2);
        drop(go_on);
        assert_eq!(heard.recv().unwrap(), (2, CLOSED));
        assert_eq!(caller.join().unwrap(), UNKNOWN);
        assert_eq!(commits.apply(3), CLOSED);
        commits.close();
    });
}

#[test]
fn jobs_that_are_submitted_together_are_one_group() {
    let bench = Bench::new();
    let done = |number| {
        let answered = bench.answered.clone();
        move |answer| answered.send((number, answer)).unwrap()
    };
    bench.commits.submit_all((1..=3).map(|number| (number, done(number))));
    assert_eq!(bench.begun.recv().unwrap(), [1, 2, 3]);
    bench.commits.submit_all((4..=5).map(|number| (number, done(number))));
    bench.all_made(3);
    assert_eq!(bench.begun.recv().unwrap(), [4, 5]);
    bench.all_made(2);
    let heard: Vec<_> = (1..=5).map(|_| bench.heard.recv().unwrap()).collect();
    assert_eq!(heard, (1..=5).map(|number| (number, Ok("made"))).collect::<Vec<_>>());
}

#[test]
fn jobs_beyond_the_limit_of_the_queue_are_refused() {
    let bench = Bench::new();
    bench.submit(0);
    assert_eq!(bench.begun.recv().unwrap(), [0]);
    let done = |number| {
        let answered = bench.answered.clone();
        move |answer| answered.send((number, answer)).unwrap()
    };
    let too_many = QUEUE_LIMIT as u64 + 2;
    bench.commits.submit_all((1..=too_many).map(|number| (number, done(number))));
    for number in [too_many - 1, too_many] {
        assert_eq!(bench.heard.recv().unwrap(), (number, BUSY));
    }
    bench.all_made(1);
    assert_eq!(bench.begun.recv().unwrap().len(), QUEUE_LIMIT);
    bench.all_made(QUEUE_LIMIT);
}

#[test]
fn those_who_do_not_come_back_are_not_waited_for() {
    let bench = Bench::new();
    bench.submit(1);
    bench.begun.recv().unwrap();
    (2..=4).for_each(|number| bench.submit(number));
    bench.all_made(1);
    bench.begun.recv().unwrap();
    bench.all_made(3);
    (1..=4).for_each(|_| assert!(bench.heard.recv().unwrap().1.is_ok()));
    bench.submit(5);
    assert_eq!(bench.begun.recv().unwrap(), [5]);
    bench.all_made(1);
    assert_eq!(bench.heard.recv().unwrap(), (5, Ok("made")));
}

#[test]
fn dropping_it_commits_what_is_queued_and_ends_the_thread() {
    let Bench { commits, begun, go_on, answered, heard } = Bench::new();
    (1..=2).for_each(|number| submit(&commits, &answered, number));
    // One group or two, depending on the thread's timing.
    (0..2).for_each(|_| go_on.send(Ok(vec![Ok("made"); 2])).unwrap());
    drop(commits);
    assert_eq!(begun.try_iter().flatten().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(begun.try_recv(), Err(TryRecvError::Disconnected), "the committer is gone");
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), [(1, Ok("made")), (2, Ok("made"))]);
}
