//! Writes of several kinds in one queue.

use super::*;

#[test]
fn writes_of_all_kinds_are_one_group_and_each_hears_its_own_answer() {
    let bench = Bench::new();
    let (answered, heard) = channel();
    bench.submit(1);
    bench.begun.recv().unwrap();
    bench.submit(2);
    bench.commits.submit_access(revocation(3), Box::new(move |it| answered.send(it).unwrap()));
    bench.submit(4);
    let (purged, was_purged) = channel();
    let done = Done::Purge(Box::new(move |it| purged.send(it).unwrap()));
    bench.commits.push(Job::Purge(purge(5)), done);
    bench.all_deleted(1);
    assert_eq!(bench.begun.recv().unwrap(), [2, 3, 4, 5]);
    bench.go_on.send(Ok(vec![Ok(DELETED), Ok(NOT_FOUND), Ok(DELETED), Ok(PURGED)])).unwrap();
    assert_eq!(heard.recv().unwrap().unwrap(), AccessOutcome::NotFound);
    let others: Vec<u64> = (0..3).map(|_| bench.heard.recv().unwrap().0).collect();
    assert_eq!(others, [1, 2, 4]);
    assert_eq!(was_purged.recv().unwrap().unwrap(), SOME);
}

#[test]
fn an_answer_of_the_wrong_kind_is_none() {
    let bench = Bench::new();
    let (answered, heard) = channel::<Result<AccessOutcome, StoreError>>();
    bench.submit(1);
    bench.begun.recv().unwrap();
    bench.commits.submit_access(revocation(2), Box::new(move |it| answered.send(it).unwrap()));
    bench.go_on.send(Ok(vec![Ok(NOT_FOUND)])).unwrap();
    bench.begun.recv().unwrap();
    bench.all_deleted(1);
    assert!(heard.recv().is_err(), "dropped unanswered");
    assert!(bench.heard.try_recv().is_err());

    let commits = &bench.commits;
    thread::scope(|scope| {
        let model = scope.spawn(|| commits.apply(write(3)));
        assert_eq!(bench.begun.recv().unwrap(), [3]);
        bench.go_on.send(Ok(vec![Ok(NOT_FOUND)])).unwrap();
        let unknown = model.join().unwrap().unwrap_err();
        assert_eq!(unknown.kind(), StoreErrorKind::OutcomeUnknown);
        let access = scope.spawn(|| commits.apply_access(revocation(4)));
        assert_eq!(bench.begun.recv().unwrap(), [4]);
        bench.all_deleted(1);
        let unknown = access.join().unwrap().unwrap_err();
        assert_eq!(unknown.kind(), StoreErrorKind::OutcomeUnknown);
        let purged = scope.spawn(|| commits.purge(purge(5)));
        assert_eq!(bench.begun.recv().unwrap(), [5]);
        bench.all_deleted(1);
        let unknown = purged.join().unwrap().unwrap_err();
        assert_eq!(unknown.kind(), StoreErrorKind::OutcomeUnknown);
    });
}

#[test]
fn a_change_of_access_that_is_waited_for_is_answered_here_or_with_the_next_group() {
    let bench = Bench::new();
    let commits = &bench.commits;
    thread::scope(|scope| {
        let first = scope.spawn(|| commits.apply_access(revocation(1)));
        assert_eq!(bench.begun.recv().unwrap(), [1]);
        let second = scope.spawn(|| commits.apply_access(revocation(2)));
        bench.go_on.send(Ok(vec![Ok(NOT_FOUND)])).unwrap();
        assert_eq!(first.join().unwrap().unwrap(), AccessOutcome::NotFound);
        assert_eq!(bench.begun.recv().unwrap(), [2]);
        bench.go_on.send(Ok(vec![Ok(Judged::Access(AccessOutcome::Done))])).unwrap();
        assert_eq!(second.join().unwrap().unwrap(), AccessOutcome::Done);
    });
}

#[test]
fn a_purge_is_answered_here_or_with_the_next_group() {
    let bench = Bench::new();
    let commits = &bench.commits;
    thread::scope(|scope| {
        let first = scope.spawn(|| commits.purge(purge(1)));
        assert_eq!(bench.begun.recv().unwrap(), [1]);
        let second = scope.spawn(|| commits.purge(purge(2)));
        bench.go_on.send(Ok(vec![Ok(PURGED)])).unwrap();
        assert_eq!(first.join().unwrap().unwrap(), SOME);
        assert_eq!(bench.begun.recv().unwrap(), [2]);
        bench.go_on.send(Err(StoreErrorKind::Full.into())).unwrap();
        assert_eq!(second.join().unwrap().unwrap_err().kind(), StoreErrorKind::Full);
        commits.close();
        assert_eq!(commits.purge(purge(3)).unwrap_err().kind(), StoreErrorKind::Closed);
    });
}
