use super::*;

fn replay(events: &[EventType]) -> (Replay, Vec<bool>) {
    let mut replay = Replay::default();
    let taken = events.iter().map(|event_type| {
        let event_type = event_type.clone();
        let actor = "host".parse().unwrap();
        replay.take(&NewEvent { created_at: Timestamp::MIN, actor, event_type })
    });
    let taken = taken.collect();
    (replay, taken)
}

fn added(id: u32) -> EventType {
    EventType::DataAdded { data_id: DataId::new(id).unwrap() }
}

fn removed(id: u32) -> EventType {
    EventType::DataRemoved { data_id: DataId::new(id).unwrap() }
}

/// The last event cannot follow, the others can.
#[test]
fn an_event_follows_only_those_that_let_it_happen() {
    use EventType::{
        Created, Deleted, TrainingCancelled as Cancelled, TrainingStarted as Started,
        TrainingSucceeded as Succeeded, Updated,
    };
    let progressed = || EventType::TrainingProgressed { training_progress: Progress::ALL };
    let failed = || EventType::TrainingFailed { error: String::new() };
    for events in [
        vec![Created, Created],
        vec![Updated, Created],
        vec![Deleted, Updated],
        vec![Created, Started],
        vec![Created, added(2)],
        vec![Created, removed(1)],
        vec![Created, added(1), added(1)],
        vec![Created, added(1), removed(2)],
        vec![added(7), added(9)],
        vec![added(7), progressed()],
        vec![removed(7), Succeeded],
        vec![removed(7), Cancelled],
        vec![Started, added(1)],
        vec![Started, removed(1)],
        vec![Started, Deleted],
        vec![Started, Started],
        vec![progressed(), Started],
        vec![progressed(), added(1)],
        vec![Succeeded, failed()],
        vec![Succeeded, Started],
        vec![Cancelled, Cancelled],
        vec![failed(), progressed()],
        vec![Succeeded, added(1), Started, Succeeded, Succeeded],
    ] {
        let (_, taken) = replay(&events);
        let right: Vec<bool> = (1..=events.len()).map(|it| it < events.len()).collect();
        assert_eq!(taken, right, "{events:?}");
    }
}

#[test]
fn a_status_is_one_that_the_last_events_allow() {
    use EventType::{
        Created, TrainingCancelled as Cancelled, TrainingStarted as Started,
        TrainingSucceeded as Succeeded, Updated,
    };
    let failed = || EventType::TrainingFailed { error: String::new() };
    // The numbers of the statuses with too little data, and with enough.
    for (events, too_little, enough) in [
        (vec![Updated], vec![1, 2, 3, 4, 5], vec![1, 2, 3, 4, 5]),
        (vec![Created], vec![1], vec![2]),
        (vec![added(3)], vec![1, 2, 4, 5], vec![2]),
        (vec![removed(3)], vec![1, 2, 4, 5], vec![1, 2, 4, 5]),
        (vec![Started], vec![3], vec![3]),
        (vec![Succeeded], vec![4], vec![4]),
        (vec![Succeeded, removed(1)], vec![4], vec![4]),
        (vec![Succeeded, added(1)], vec![1, 4], vec![2]),
        (vec![failed()], vec![5], vec![5]),
        (vec![failed(), added(1), removed(1)], vec![1, 5], vec![2]),
        (vec![Cancelled], vec![1], vec![2]),
    ] {
        let (replay, _) = replay(&events);
        for (is_enough, right) in [(false, too_little), (true, enough)] {
            let fits = TrainingStatus::ALL.into_iter();
            let fits = fits.filter(|status| replay.is_of_status(*status, is_enough));
            let fits: Vec<u8> = fits.map(TrainingStatus::number).collect();
            assert_eq!(fits, right, "{events:?}, {is_enough}");
        }
    }
}

#[test]
fn pairs_are_those_that_were_added_and_not_removed() {
    use EventType::{Created, Updated};
    // What the events leave open may be anything.
    for (events, pairs, last_id, right) in [
        (vec![Created], &[][..], 0, true),
        (vec![Created], &[], 1, false),
        (vec![Created, added(1), added(2), removed(1)], &[2], 2, true),
        (vec![Created, added(1), added(2), removed(1)], &[1], 2, false),
        (vec![Created, added(1), added(2), removed(1)], &[2], 3, false),
        (vec![Created, added(1), added(2), added(3), added(4)], &[4, 2, 1, 3], 4, true),
        (vec![Created, added(1), added(2), added(3), removed(2)], &[2, 2], 3, false),
        (vec![Updated], &[3], 7, true),
        (vec![added(7)], &[3], 7, true),
        (vec![added(7)], &[3], 9, false),
    ] {
        let (replay, _) = replay(&events);
        let mut found = Pairs::default();
        pairs.iter().for_each(|id| found.add(DataId::new(*id).unwrap()));
        assert_eq!(replay.is_of_pairs(found, last_id), right, "{events:?}, {pairs:?}, {last_id}");
    }
}
