use custom_models_core::store::StoreError;

use super::*;

fn fault(kind: StoreErrorKind) -> Refusal {
    Refusal::Store(StoreError::from(kind))
}

/// The result of answers that come one after the other, and how many were asked for.
fn persisted(answers: Vec<Result<u8, Refusal>>, patience: usize) -> (String, usize) {
    let (mut answers, mut asked) = (answers.into_iter(), 0);
    let attempt = || {
        asked += 1;
        answers.next().unwrap()
    };
    let mut times = 0;
    let result = retry_while(attempt, || {
        times += 1;
        times <= patience
    });
    (format!("{:?}", result.map_err(|refusal| refusal.to_string())), asked)
}

#[test]
fn train_3_a_report_is_made_again_while_the_fault_may_pass() {
    use StoreErrorKind::{Busy, Closed, Damaged, Full, OutcomeUnknown, Unavailable};
    let passing = [Busy, OutcomeUnknown, Full, Unavailable].map(|kind| Err(fault(kind)));
    let answers = || passing.clone().into_iter().chain([Ok(7)]);
    assert_eq!(persisted(answers().collect(), 9), ("Ok(7)".to_owned(), 5));
    let (given_up, asked) = persisted(answers().collect(), 2);
    assert!(given_up.starts_with("Err") && asked == 3, "{given_up} {asked}");
    for stays in [fault(Closed), fault(Damaged), Refusal::LeaseLost, Refusal::ModelNotFound] {
        let (refused, asked) = persisted(vec![Err(stays), Ok(7)], 9);
        assert!(refused.starts_with("Err") && asked == 1, "{refused} {asked}");
    }
}
