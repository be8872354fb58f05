use super::*;

#[test]
fn parameters_have_their_ranges_and_are_given_once() {
    let default = ListEvents::from_pairs([]).unwrap();
    assert_eq!(default, ListEvents::default());
    let all = [("after", "7"), ("limit", "100"), ("wait", "30")];
    let wait = Duration::from_secs(30);
    assert_eq!(ListEvents::from_pairs(all), Ok(ListEvents { after: 7, limit: 100, wait }));
    for wrong in ["", "-1", "+1", " 1", "x", "101", "18446744073709551616"] {
        let pairs = ["after", "limit", "wait"].map(|name| (name, wrong));
        let violated = if wrong.starts_with("1") { 2 } else { 3 };
        assert_eq!(ListEvents::from_pairs(pairs).unwrap_err().len(), violated, "{wrong:?}");
    }
    let far = ListEvents::from_pairs([("after", "18446744073709551616")]).unwrap();
    assert_eq!(far.after, u64::MAX, "behind every event there will be");
    assert_eq!(ListEvents::from_pairs([("limit", "0")]).unwrap_err().len(), 1);
    let unknown = ListEvents::from_pairs([("x", ""), ("limit", "0"), ("x", "")]).unwrap_err();
    assert_eq!((unknown.len(), unknown.unknown_parameters().next()), (2, Some("x")));
    let twice = ListEvents::from_pairs([("wait", "1"), ("wait", "x")]).unwrap_err();
    assert_eq!(twice.get(Field::Wait).unwrap().kind(), ViolationKind::Repeated);
}

#[test]
fn messages_name_the_ranges() {
    let message = |field| Violation::new(field, ViolationKind::Unsupported).to_string();
    assert!(message(Field::Limit).ends_with(&format!("1 to {}", ListEvents::MAX_LIMIT)));
    assert!(message(Field::Wait).ends_with(&format!("0 to {}", ListEvents::MAX_WAIT)));
}
