use super::*;

const KEY: &str =
    "cm_5eb9bf6a1588_e9a1bd8ca9bdc428b207c31f384ec2751183f0564fd2b6add83c8ec0acc7c873";

#[test]
fn keys_and_passwords_are_hidden_and_nothing_else_is() {
    for (argument, shown) in [
        (KEY, "***"),
        (&KEY[3..], "***"),
        (&KEY[16..], "***"),
        ("--id=cm_5eb9bf6a1588_e9", "--id=***"),
        ("mysql://u:s@h/x", "mysql://u:***@h/x"),
        ("--store=mysql://u:s@e?c@h/x?a=b", "--store=mysql://u:***@h/x?…"),
        ("postgres:u:secret@h", "postgres:***@h"),
        ("host=h password=secret", "***"),
        ("postgres://h/x?password=secret", "postgres://h/x?…"),
        ("sqlite:a@b.db", "sqlite:***@b.db"),
        ("custom_model_123", "custom_model_123"),
        ("0123456789ab", "0123456789ab"),
        ("a@b", "a@b"),
        ("cm", "cm"),
    ] {
        let message = format!("error: unexpected argument '{argument}' found");
        let expected = format!("error: unexpected argument '{shown}' found");
        assert_eq!(without_secrets(&message, &[argument.into()]), expected, "{argument}");
    }
}
