use std::num::NonZeroU64;

use super::*;

#[test]
fn data_6_the_parameters_of_a_page_have_their_ranges_and_are_given_once() {
    assert_eq!(ListData::from_pairs([]), Ok(ListData::default()));
    assert_eq!(ListData::default().per_page.get(), 25);
    let start = Start::Page(NonZeroU64::new(3).unwrap());
    let right = ListData { start, per_page: PerPage::new(100).unwrap() };
    assert_eq!(ListData::from_pairs([("page", "3"), ("per_page", "100")]), Ok(right));
    for wrong in ["", "0", "-1", "+1", " 1", "x", "1.0"] {
        let pairs = ["page", "per_page"].map(|name| (name, wrong));
        assert_eq!(ListData::from_pairs(pairs).unwrap_err().len(), 2, "{wrong:?}");
    }
    let twice = ListData::from_pairs([("page", "1"), ("page", "1")]).unwrap_err();
    assert_eq!(twice.get(Field::Page).unwrap().kind(), ViolationKind::Repeated);
    for unknown in ["fence", "status", "after"] {
        let violations = ListData::from_pairs([(unknown, "1")]).unwrap_err();
        assert_eq!(violations.unknown_parameters().next(), Some(unknown));
    }
}

#[test]
fn train_3_a_page_of_the_data_of_a_training_needs_the_fence() {
    let right = ListTrainingData { fence: Fence::new(7), list: ListData::default() };
    assert_eq!(ListTrainingData::from_pairs([("fence", "7")]), Ok(right));
    let missing = ListTrainingData::from_pairs([("page", "0")]).unwrap_err();
    assert_eq!(missing.len(), 2);
    assert_eq!(missing.get(Field::Fence).unwrap().kind(), ViolationKind::Missing);
    for wrong in ["", "-1", "+1", "x", "18446744073709551616"] {
        let violations = ListTrainingData::from_pairs([("fence", wrong)]).unwrap_err();
        let kind = violations.get(Field::Fence).unwrap().kind();
        assert_eq!(kind, ViolationKind::Unsupported, "{wrong:?}");
    }
    let twice = ListTrainingData::from_pairs([("fence", "1"), ("fence", "1")]).unwrap_err();
    assert_eq!(twice.get(Field::Fence).unwrap().kind(), ViolationKind::Repeated);
}
