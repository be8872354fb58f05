use unicode_general_category::{GeneralCategory, get_general_category};

use super::*;

fn echo(sent: &str) -> String {
    let mut message = String::new();
    push_echo(&mut message, sent);
    message
}

#[test]
fn body_5_every_control_and_format_character_is_escaped_and_no_other_is() {
    for character in '\0'..=char::MAX {
        let shown = echo(&String::from(character));
        let category = get_general_category(character);
        if matches!(category, GeneralCategory::Control | GeneralCategory::Format) {
            assert_eq!(shown, format!("\\u{{{:x}}}", u32::from(character)));
        } else {
            assert_eq!(shown, String::from(character));
        }
    }
}

#[test]
fn body_5_forty_characters_are_shown_and_no_more() {
    for character in ['x', '語', '\u{202E}'] {
        let forty = echo(&String::from(character).repeat(40));
        let more = echo(&String::from(character).repeat(41));
        assert_eq!(forty, more);
        assert!(echo(&String::from(character).repeat(39)).len() < forty.len());
    }
}
