use super::*;

#[test]
fn a_write_that_the_queue_does_not_answer_says_why() {
    let kind = |why| Writer::unanswered(why).kind();
    assert_eq!(kind(Unanswered::Busy), StoreErrorKind::Busy);
    assert_eq!(kind(Unanswered::Closed), StoreErrorKind::Closed);
    assert_eq!(kind(Unanswered::Unknown), StoreErrorKind::OutcomeUnknown);
}
