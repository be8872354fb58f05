use super::*;

#[test]
fn every_white_space_character_is_blank_and_no_other_is() {
    for character in '\0'..=char::MAX {
        let text = String::from(character);
        assert_eq!(is_blank(&text), character.is_whitespace(), "{character:?}");
        assert!(!is_blank(&format!("\u{2003}{character}x")), "{character:?}");
    }
    assert!(is_blank(""));
}

#[test]
fn length_is_in_characters_of_every_width() {
    for character in ['a', 'é', '語', '𐍈'] {
        for length in [0, 1, 50, 67, 199, 200, 201, 263, 264, 265, 999, 1000, 1001, 5000] {
            let text = String::from(character).repeat(length);
            for max in [200, 1000] {
                assert_eq!(is_longer_than(&text, max), length > max, "{character} {length}");
            }
        }
    }
}
