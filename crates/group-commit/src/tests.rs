mod kinds;

use std::sync::mpsc::{Receiver, Sender, channel};

use custom_models_core::{
    Actor, Change, Edit, EditRefusal, Expected, KeyId, ModelId, Moment, Organisation, Timestamp,
};

use super::*;

type Heard = Receiver<(u64, Result<Outcome, StoreErrorKind>)>;

/// Commits a group when the test says so, and says which writes were in it.
struct Gate {
    begun: Sender<Vec<u64>>,
    go_on: Receiver<Result<Answers, StoreError>>,
}

impl Committer for Gate {
    fn commit(&mut self, jobs: &[Job]) -> Result<Answers, StoreError> {
        self.begun.send(jobs.iter().map(number).collect()).unwrap();
        self.go_on.recv().expect("the test panics the committer by hanging up")
    }
}

struct Bench {
    commits: GroupCommit,
    begun: Receiver<Vec<u64>>,
    go_on: Sender<Result<Answers, StoreError>>,
    answered: Sender<(u64, Result<Outcome, StoreErrorKind>)>,
    heard: Heard,
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

    fn all_deleted(&self, writes: usize) {
        self.go_on.send(Ok((0..writes).map(|_| Ok(DELETED)).collect())).unwrap();
    }
}

fn submit(
    commits: &GroupCommit,
    answered: &Sender<(u64, Result<Outcome, StoreErrorKind>)>,
    number: u64,
) {
    let answered = answered.clone();
    let done = move |answer: Result<Outcome, StoreError>| {
        answered.send((number, answer.map_err(|fault| fault.kind()))).unwrap();
    };
    commits.submit(write(number), Box::new(done));
}

/// A write that can be told by its number.
fn write(number: u64) -> Write {
    let id = ModelId::new(number).unwrap();
    let (edit, expected) = (Box::new(Edit::Delete), Expected::Anything);
    let (of, at) = (Organisation::new("acme").unwrap(), Moment::from_unix_millis(0));
    Write::new(of, Actor::HOST, at, Change::Edit { id, edit, expected })
}

const DELETED: Judged = Judged::Model(Outcome::Deleted);

const REFUSED: Outcome = Outcome::Refused(EditRefusal::PreconditionFailed);

const NOT_FOUND: Judged = Judged::Access(AccessOutcome::NotFound);

const SOME: Purged = Purged { events: 3, answers: 2 };

const PURGED: Judged = Judged::Purged(SOME);

/// A change of access that can be told by its number.
fn revocation(number: u8) -> AccessChange {
    let at = Timestamp::from_unix_seconds(0).unwrap();
    AccessChange::RevokeKey { id: KeyId::from_bytes([0, 0, 0, 0, 0, number]), at }
}

/// A purge that can be told by its number.
fn purge(number: u32) -> Purge {
    let answers_until = Moment::from_unix_millis(0);
    Purge { events_before: None, answers_until, limit: number }
}

fn number(job: &Job) -> u64 {
    match job {
        Job::Model(Write { change: Change::Edit { id, .. }, .. }) => id.get(),
        Job::Access(AccessChange::RevokeKey { id, .. }) => id.to_bytes()[5].into(),
        Job::Purge(Purge { limit, .. }) => (*limit).into(),
        Job::Archive(_) => 0,
        other => panic!("the tests submit deletes, revocations and purges, not {other:?}"),
    }
}

#[test]
fn what_queues_up_during_a_commit_is_the_next_group() {
    let bench = Bench::new();
    bench.submit(1);
    assert_eq!(bench.begun.recv().unwrap(), [1]);
    (2..=9).for_each(|number| bench.submit(number));
    assert!(bench.heard.try_recv().is_err(), "nobody is answered before the commit");
    bench.all_deleted(1);
    assert_eq!(bench.heard.recv().unwrap(), (1, Ok(Outcome::Deleted)));
    assert_eq!(bench.begun.recv().unwrap(), [2, 3, 4, 5, 6, 7, 8, 9]);
    bench.all_deleted(8);
    let order: Vec<u64> = (2..=9).map(|_| bench.heard.recv().unwrap().0).collect();
    assert_eq!(order, [2, 3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn each_write_gets_its_own_answer() {
    let bench = Bench::new();
    bench.submit(1);
    bench.begun.recv().unwrap();
    (2..=4).for_each(|number| bench.submit(number));
    bench.all_deleted(1);
    bench.begun.recv().unwrap();
    let answers = vec![
        Ok(Judged::Model(Outcome::NotFound)),
        Err(StoreErrorKind::IdsExhausted.into()),
        Ok(Judged::Model(REFUSED)),
    ];
    bench.go_on.send(Ok(answers)).unwrap();
    let heard: Vec<_> = (1..=4).map(|_| bench.heard.recv().unwrap()).collect();
    assert_eq!(
        heard,
        [
            (1, Ok(Outcome::Deleted)),
            (2, Ok(Outcome::NotFound)),
            (3, Err(StoreErrorKind::IdsExhausted)),
            (4, Ok(REFUSED)),
        ]
    );
}

#[test]
fn a_failed_commit_answers_its_whole_group_and_the_next_one_is_tried() {
    let bench = Bench::new();
    bench.submit(1);
    bench.begun.recv().unwrap();
    (2..=3).for_each(|number| bench.submit(number));
    bench.go_on.send(Err(StoreErrorKind::Full.into())).unwrap();
    assert_eq!(bench.heard.recv().unwrap(), (1, Err(StoreErrorKind::Full)));
    bench.begun.recv().unwrap();
    bench.go_on.send(Err(StoreErrorKind::OutcomeUnknown.into())).unwrap();
    assert_eq!(bench.heard.recv().unwrap(), (2, Err(StoreErrorKind::OutcomeUnknown)));
    assert_eq!(bench.heard.recv().unwrap(), (3, Err(StoreErrorKind::OutcomeUnknown)));
    bench.submit(4);
    bench.begun.recv().unwrap();
    bench.all_deleted(1);
    assert_eq!(bench.heard.recv().unwrap(), (4, Ok(Outcome::Deleted)));
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
    assert_eq!(bench.heard.recv().unwrap(), (2 + limit, Err(StoreErrorKind::Busy)));
    bench.all_deleted(1);
    assert_eq!(bench.heard.recv().unwrap(), (1, Ok(Outcome::Deleted)));
    assert_eq!(bench.begun.recv().unwrap().len(), QUEUE_LIMIT);
    bench.all_deleted(QUEUE_LIMIT);
    let answered = (0..QUEUE_LIMIT).filter(|_| bench.heard.recv().unwrap().1.is_ok()).count();
    assert_eq!(answered, QUEUE_LIMIT);
}

#[test]
fn closing_waits_for_what_is_queued_and_refuses_what_comes_later() {
    let bench = Bench::new();
    bench.submit(1);
    bench.begun.recv().unwrap();
    bench.submit(2);
    bench.all_deleted(1);
    bench.all_deleted(1);
    bench.commits.close();
    let heard: Vec<_> = bench.heard.try_iter().collect();
    assert_eq!(heard, [(1, Ok(Outcome::Deleted)), (2, Ok(Outcome::Deleted))]);
    bench.submit(3);
    assert_eq!(bench.heard.recv().unwrap(), (3, Err(StoreErrorKind::Closed)));
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
    // The first was in the group: its completion is dropped unanswered. The second was not begun.
    assert_eq!(heard.recv().unwrap(), (2, Err(StoreErrorKind::Closed)));
    submit(3);
    assert_eq!(heard.recv().unwrap(), (3, Err(StoreErrorKind::Closed)));
    commits.close();
}

#[test]
fn a_completion_that_panics_is_the_only_one_that_suffers() {
    let bench = Bench::new();
    bench.submit(1);
    bench.begun.recv().unwrap();
    bench.commits.submit(write(2), Box::new(|_| panic!("a host's mistake")));
    bench.submit(3);
    bench.all_deleted(1);
    bench.begun.recv().unwrap();
    bench.all_deleted(2);
    assert_eq!(bench.heard.recv().unwrap(), (1, Ok(Outcome::Deleted)));
    assert_eq!(bench.heard.recv().unwrap(), (3, Ok(Outcome::Deleted)));
    bench.submit(4);
    bench.begun.recv().unwrap();
    bench.all_deleted(1);
    assert_eq!(bench.heard.recv().unwrap(), (4, Ok(Outcome::Deleted)));
}

#[test]
fn the_last_owner_may_be_a_completion() {
    let (begun_sender, begun) = channel();
    let (go_on, go_on_receiver) = channel();
    let gate = Gate { begun: begun_sender, go_on: go_on_receiver };
    let commits = Arc::new(GroupCommit::start("gate", gate).unwrap());
    let (dropped, was_dropped) = channel();
    let last_owner = Arc::clone(&commits);
    commits.submit(
        write(1),
        Box::new(move |_| {
            drop(last_owner);
            dropped.send(()).unwrap();
        }),
    );
    begun.recv().unwrap();
    drop(commits);
    go_on.send(Ok(vec![Ok(DELETED)])).unwrap();
    was_dropped.recv().unwrap();
}

/// Says on which thread it commits.
struct Whereabouts(Sender<thread::ThreadId>);

impl Committer for Whereabouts {
    fn commit(&mut self, jobs: &[Job]) -> Result<Answers, StoreError> {
        self.0.send(thread::current().id()).unwrap();
        Ok(jobs.iter().map(|_| Ok(DELETED)).collect())
    }
}

#[test]
fn a_caller_that_waits_commits_by_itself_when_nothing_is_at_work() {
    let (sender, places) = channel();
    let commits = GroupCommit::start("whereabouts", Whereabouts(sender)).unwrap();
    for number in 1..=3 {
        assert_eq!(commits.apply(write(number)).unwrap(), Outcome::Deleted);
        assert_eq!(places.recv().unwrap(), thread::current().id());
    }
    commits.close();
    assert_eq!(commits.apply(write(4)).unwrap_err().kind(), StoreErrorKind::Closed);
    assert!(places.try_recv().is_err(), "nothing is committed after the end");
}

#[test]
fn what_queues_up_while_a_caller_commits_is_the_next_group() {
    let bench = Bench::new();
    let commits = &bench.commits;
    thread::scope(|scope| {
        let caller = scope.spawn(|| commits.apply(write(1)));
        assert_eq!(bench.begun.recv().unwrap(), [1]);
        bench.submit(2);
        bench.submit(3);
        assert!(bench.heard.try_recv().is_err(), "nobody is answered before the commit");
        bench.all_deleted(1);
        assert_eq!(caller.join().unwrap().unwrap(), Outcome::Deleted);
        assert_eq!(bench.begun.recv().unwrap(), [2, 3]);
        bench.all_deleted(2);
        assert_eq!(bench.heard.recv().unwrap(), (2, Ok(Outcome::Deleted)));
        assert_eq!(bench.heard.recv().unwrap(), (3, Ok(Outcome::Deleted)));
    });
}

#[test]
fn a_caller_that_waits_hears_its_own_answer_with_the_next_group() {
    let bench = Bench::new();
    let commits = &bench.commits;
    bench.submit(1);
    bench.begun.recv().unwrap();
    thread::scope(|scope| {
        let caller = scope.spawn(|| commits.apply(write(2)));
        bench.all_deleted(1);
        assert_eq!(bench.begun.recv().unwrap(), [2]);
        bench.go_on.send(Err(StoreErrorKind::Full.into())).unwrap();
        assert_eq!(caller.join().unwrap().unwrap_err().kind(), StoreErrorKind::Full);
    });
}

#[test]
fn closing_waits_for_a_caller_that_commits() {
    let bench = Bench::new();
    let commits = &bench.commits;
    thread::scope(|scope| {
        let caller = scope.spawn(|| commits.apply(write(1)));
        bench.begun.recv().unwrap();
        let closing = scope.spawn(|| commits.close());
        let has_waited = (0..10_000).all(|_| {
            thread::yield_now();
            !closing.is_finished()
        });
        bench.go_on.send(Ok(vec![Ok(Judged::Model(REFUSED))])).unwrap();
        assert_eq!(caller.join().unwrap().unwrap(), REFUSED);
        closing.join().unwrap();
        assert!(has_waited, "somebody was still at work");
    });
}

#[test]
fn a_committer_that_panics_on_a_callers_thread_leaves_nobody_waiting() {
    let Bench { commits, begun, go_on, answered, heard } = Bench::new();
    thread::scope(|scope| {
        let caller = scope.spawn(|| commits.apply(write(1)));
        begun.recv().unwrap();
        submit(&commits, &answered, 2);
        drop(go_on);
        assert_eq!(heard.recv().unwrap(), (2, Err(StoreErrorKind::Closed)));
        let unknown = caller.join().unwrap().unwrap_err();
        assert_eq!(unknown.kind(), StoreErrorKind::OutcomeUnknown);
        assert_eq!(commits.apply(write(3)).unwrap_err().kind(), StoreErrorKind::Closed);
        commits.close();
    });
}

#[test]
fn those_who_do_not_come_back_are_not_waited_for() {
    let bench = Bench::new();
    bench.submit(1);
    bench.begun.recv().unwrap();
    (2..=4).for_each(|number| bench.submit(number));
    bench.all_deleted(1);
    bench.begun.recv().unwrap();
    bench.all_deleted(3);
    (1..=4).for_each(|_| assert!(bench.heard.recv().unwrap().1.is_ok()));
    bench.submit(5);
    assert_eq!(bench.begun.recv().unwrap(), [5]);
    bench.all_deleted(1);
    assert_eq!(bench.heard.recv().unwrap(), (5, Ok(Outcome::Deleted)));
}
