//! DATA-6: pages of a model's data, and what they cost. TRAIN-3: those of a training.

use std::num::NonZeroU64;

use custom_models_core::model::{DataId, DataPage, DataPair, DataType, Expected, Fence};
use custom_models_core::request::{ListData, PerPage, Start};
use custom_models_core::store::{ArchiveChange, ArchiveStore, Record, StoreErrorKind};
use custom_models_core::{Caller, Engine, MemoryStore, ModelId, Plan, Refusal};

use crate::support::{Call, Recorder};
use crate::support::{Clock, caller, pair, request};
use crate::training::{ANYTHING, HOURS_5, beat, lease, worker};

/// A model with so many pairs.
fn with_pairs(pairs: usize) -> (Engine, Clock, Recorder, Caller, ModelId) {
    let (clock, acme, store) = (Clock::new(), caller("acme", Plan::gold()), Recorder::default());
    let engine = clock.engine(store.clone());
    let id = engine.create(&acme, request("n")).unwrap().id;
    for number in 0..pairs {
        let data_type = if number % 3 == 2 { DataType::Test } else { DataType::Train };
        engine.add_data(&acme, id, pair(data_type, HOURS_5), &ANYTHING).unwrap();
    }
    store.calls();
    (engine, clock, store, acme, id)
}

fn page(number: u64, per_page: u32) -> ListData {
    let start = Start::Page(NonZeroU64::new(number).unwrap());
    ListData { start, per_page: PerPage::new(per_page).unwrap() }
}

fn all(engine: &Engine, by: &Caller, id: ModelId) -> Vec<DataPair> {
    engine.pairs(by, id).map(Result::unwrap).collect()
}

/// The number of pairs that were read since this was last asked.
fn rows(store: &Recorder) -> usize {
    let rows = |call| if let Call::Data { rows } = call { rows } else { 0 };
    store.calls().into_iter().map(rows).sum()
}

fn remove(engine: &Engine, by: &Caller, id: ModelId, number: u32) {
    engine.remove_data(by, id, DataId::new(number).unwrap(), &ANYTHING).unwrap();
}

#[test]
fn data_6_pages_show_every_pair_once_in_order_whatever_was_removed() {
    let (engine, _, _, acme, id) = with_pairs(60);
    for removed in [&[][..], &[60], &[1], &[2, 3, 4, 30, 31], &[59, 58, 5, 7, 9]] {
        removed.iter().for_each(|number| remove(&engine, &acme, id, *number));
        let all = all(&engine, &acme, id);
        for per_page in [1, 7, 25, 100] {
            // In order, backwards, and again.
            let last = all.len().div_ceil(per_page as usize) as u64;
            for number in (1..=last).chain((1..=last).rev()) {
                let before = (number as usize - 1) * per_page as usize;
                let right: Vec<_> =
                    all.iter().skip(before).take(per_page as usize).cloned().collect();
                let found = engine.data(&acme, id, &page(number, per_page)).unwrap();
                assert_eq!(found, DataPage::new(all.len() as u64, right), "{number}, {per_page}");
            }
            for past in [last + 1, u64::from(u32::MAX) + 2, u64::MAX] {
                let found = engine.data(&acme, id, &page(past, per_page)).unwrap();
                assert_eq!((found.count, found.total_results), (0, all.len() as u64), "{past}");
            }
        }
    }
    let default = engine.data(&acme, id, &ListData::default()).unwrap();
    assert_eq!((default.count, default.total_results), (25, 48));
    let other = caller("other", Plan::gold());
    let refusal = engine.data(&other, id, &ListData::default()).unwrap_err();
    assert!(matches!(refusal, Refusal::ModelNotFound));
    let refused: Vec<_> = engine.pairs(&other, id).collect();
    assert!(matches!(refused[..], [Err(Refusal::ModelNotFound)]));
}

#[test]
fn data_6_a_page_after_a_pair_begins_behind_it_whether_or_not_it_is_there() {
    let (engine, _, _, acme, id) = with_pairs(9);
    remove(&engine, &acme, id, 5);
    for (after, right) in [(4, vec![6, 7]), (5, vec![6, 7]), (8, vec![9]), (u32::MAX, vec![])] {
        let start = Start::After(DataId::new(after).unwrap());
        let list = ListData { start, per_page: PerPage::new(2).unwrap() };
        let found = engine.data(&acme, id, &list).unwrap();
        let ids: Vec<_> = found.result.iter().map(|pair| pair.id.get()).collect();
        assert_eq!((ids, found.total_results), (right, 8), "{after}");
    }
}

#[test]
fn data_6_a_page_reads_what_it_shows_and_not_what_lies_before_it() {
    let (engine, _, store, acme, id) = with_pairs(2500);
    for number in [100, 1, 57, 100] {
        engine.data(&acme, id, &page(number, 25)).unwrap();
        assert_eq!(rows(&store), 25, "page {number}");
    }
    engine.data(&acme, id, &page(101, 25)).unwrap();
    assert!(store.calls().iter().all(|call| matches!(call, Call::Get(..))), "past the end");
    assert_eq!(all(&engine, &acme, id).len(), 2500);
    assert_eq!(rows(&store), 2500);
    // With gaps, pages in order read each pair once.
    remove(&engine, &acme, id, 700);
    store.calls();
    for number in 1..=100 {
        engine.data(&acme, id, &page(number, 25)).unwrap();
    }
    assert_eq!(rows(&store), 2499);
    engine.data(&acme, id, &page(100, 25)).unwrap();
    assert_eq!(rows(&store), 24, "shown again");
    // A change of the data makes the places of before worth nothing: the way to page 90 is gone once.
    remove(&engine, &acme, id, 1);
    store.calls();
    for (number, read) in [(90, 89 * 25 + 25), (90, 25), (91, 25), (92, 25)] {
        engine.data(&acme, id, &page(number, 25)).unwrap();
        assert_eq!(rows(&store), read, "page {number}");
    }
}

#[test]
fn data_6_many_models_with_gaps_are_shown_rightly() {
    let (clock, acme) = (Clock::new(), caller("acme", Plan::enterprise()));
    let engine = clock.engine(MemoryStore::new());
    let ids: Vec<_> = (0..70)
        .map(|number| {
            let id = engine.create(&acme, request("n")).unwrap().id;
            for _ in 0..6 {
                engine.add_data(&acme, id, pair(DataType::Train, 1), &ANYTHING).unwrap();
            }
            remove(&engine, &acme, id, number % 6 + 1);
            id
        })
        .collect();
    for number in [2, 3, 5, 4, 1] {
        for id in &ids {
            let found = engine.data(&acme, *id, &page(number, 1)).unwrap().result;
            assert_eq!(found[..], all(&engine, &acme, *id)[number as usize - 1..][..1]);
        }
    }
}

#[test]
fn data_4_no_pair_is_added_under_the_number_of_another() {
    let (engine, _, store, acme, id) = with_pairs(1);
    let second = DataPair { id: DataId::new(2).unwrap(), ..all(&engine, &acme, id).remove(0) };
    let organisation = acme.organisation().clone();
    let record = Record::Data { organisation, model: id, pair: second.clone() };
    store.store.archive(ArchiveChange::Import(vec![record])).unwrap();
    let refusal = engine.add_data(&acme, id, pair(DataType::Test, 1), &ANYTHING).unwrap_err();
    assert!(matches!(refusal, Refusal::Store(fault) if fault.kind() == StoreErrorKind::Damaged));
    assert_eq!(all(&engine, &acme, id)[1], second);
}

#[test]
fn train_3_a_worker_reads_the_data_of_its_training_page_by_page() {
    let (engine, clock, store, acme, id) = with_pairs(60);
    engine.run(&acme, id, &ANYTHING).unwrap();
    store.calls();
    let of = engine.claim(&worker("w"), None, lease(60)).unwrap().unwrap();
    assert_eq!((of.data.count, of.data.total_results, rows(&store)), (25, 60, 25));
    let read = |fence, number| engine.training_data(&acme, id, fence, &page(number, 25));
    let pages = [of.data.result.clone(), read(of.fence, 2).unwrap().result];
    let third = read(of.fence, 3).unwrap();
    assert_eq!((third.count, third.total_results), (10, 60));
    let all = all(&engine, &acme, id);
    assert_eq!([pages.concat(), third.result].concat(), all);
    // Of nobody else, and only while the claim holds.
    let is_lost = |fence| matches!(read(fence, 1).unwrap_err(), Refusal::LeaseLost);
    assert!(is_lost(Fence::new(of.fence.get() + 1)));
    beat(&engine, &of, 70).unwrap();
    assert_eq!(read(of.fence, 1).unwrap().count, 25, "progress does not matter");
    clock.go(60_000);
    assert!(is_lost(of.fence));
    let again = engine.claim(&worker("v"), None, lease(60)).unwrap().unwrap();
    assert!(is_lost(of.fence));
    assert_eq!(read(again.fence, 1).unwrap(), of.data);
    engine.cancel(&acme, id, &Expected::Anything).unwrap();
    assert!(is_lost(again.fence));
    let other = caller("other", Plan::gold());
    let foreign = engine.training_data(&other, id, again.fence, &page(1, 25)).unwrap_err();
    assert!(matches!(foreign, Refusal::ModelNotFound));
}
