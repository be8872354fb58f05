use super::*;

#[test]
fn an_outcome_of_another_kind_is_unknown() {
    let model = || JobOutcome::Model(Outcome::Deleted);
    let access = || JobOutcome::Access(AccessOutcome::Done);
    let purged = || JobOutcome::Purged(Purged { events: 3, answers: 2 });
    let archived = || JobOutcome::Archived(7);
    let unknown = StoreErrorKind::OutcomeUnknown;
    assert_eq!(model().model().unwrap(), Outcome::Deleted);
    assert_eq!(access().access().unwrap(), AccessOutcome::Done);
    assert_eq!(purged().purged().unwrap(), Purged { events: 3, answers: 2 });
    assert_eq!(archived().archived().unwrap(), 7);
    for other in [access(), purged(), archived()] {
        assert_eq!(other.model().unwrap_err().kind(), unknown);
    }
    for other in [model(), purged(), archived()] {
        assert_eq!(other.access().unwrap_err().kind(), unknown);
    }
    for other in [model(), access(), archived()] {
        assert_eq!(other.purged().unwrap_err().kind(), unknown);
    }
    for other in [model(), access(), purged()] {
        assert_eq!(other.archived().unwrap_err().kind(), unknown);
    }
}
