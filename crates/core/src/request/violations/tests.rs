use super::*;

#[test]
fn fields_are_listed_in_the_order_of_their_numbers() {
    for (place, field) in Field::ALL.into_iter().enumerate() {
        assert_eq!(field as usize, place);
    }
    let kinds = [
        (Field::Name, ViolationKind::Blank),
        (Field::Language, ViolationKind::Unsupported),
        (Field::BaseModel, ViolationKind::WrongType),
        (Field::Description, ViolationKind::TooLong),
    ];
    let violations = Violations::of_create(kinds.map(|(_, kind)| Some(kind)), None, None);
    assert!(violations.iter().map(|violation| (violation.field, violation.kind)).eq(kinds));
}

#[test]
fn wire_400_unknown_parameters_are_named_each_once_and_shown_as_messages_show_what_was_sent() {
    let long = "x".repeat(41);
    let names = ["validate_onyl", "a\"\\b", "a\nb", &long, &long[..40], "a\nb", "name", ""];
    let unknown = Violations::of_unknown_parameters(names);
    let blank = Violations::from(Violation::new(Field::Name, ViolationKind::Blank));
    let all = blank.and(unknown);
    let json = serde_json::to_string(&all).unwrap();
    let forty = &long[..40];
    let expected = format!(
        r#"{{"name":"Name cannot be empty","validate_onyl":"Unknown parameter","a\"\\b":"Unknown parameter","a\\u{{a}}b":"Unknown parameter","{forty}":"Unknown parameter","":"Unknown parameter"}}"#
    );
    assert_eq!((all.len(), json), (6, expected.clone()));
    let mut pushed = String::new();
    all.push_json(&mut pushed);
    assert_eq!(pushed, expected);
    let shown = all.to_string();
    assert!(
        shown.starts_with("name: Name cannot be empty; validate_onyl: Unknown parameter; "),
        "{shown}"
    );
    assert!(!shown.contains('\n') && !all.is_empty(), "{shown}");
    let many: Vec<String> = (0..1000).map(|number| number.to_string()).collect();
    let many = Violations::of_unknown_parameters(many.iter().map(String::as_str));
    assert_eq!(many.len(), MOST_UNKNOWN);
}
