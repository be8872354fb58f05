//! The names of organisations, and callers (the introduction of section 4).

use std::borrow::Borrow;

use custom_models_core::tenant::Actor;
use custom_models_core::{Caller, Organisation, Plan};
use proptest::prelude::*;

use crate::support::{config, tape};

fn is_allowed(character: char) -> bool {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-".contains(character)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn an_organisation_is_named_by_1_to_64_of_its_characters(
        mut tape in tape(),
        length in 0usize..70,
    ) {
        let characters = ['a', 'Z', '0', '_', '-'];
        let mut name: String = characters.into_iter().cycle().take(length).collect();
        if tape.below(2) == 0 {
            name.push(tape.character());
        }
        let expected = (1..=64).contains(&name.chars().count()) && name.chars().all(is_allowed);
        prop_assert_eq!(Organisation::new(&name).is_ok(), expected, "{:?}", name);
        prop_assert_eq!(name.parse::<Organisation>().is_ok(), expected);
        if let Ok(organisation) = Organisation::new(&name) {
            prop_assert_eq!(organisation.as_str(), &name);
            prop_assert_eq!(organisation.to_string(), name);
        }
    }
}

#[test]
fn every_character_is_judged_in_the_name_of_an_organisation() {
    for character in '\0'..='\u{FFFF}' {
        let name = character.to_string();
        assert_eq!(Organisation::new(&name).is_ok(), is_allowed(character), "{character:?}");
        assert_eq!(Organisation::new(&format!("a{name}")).is_ok(), is_allowed(character));
    }
    for (length, expected) in [(0, false), (1, true), (63, true), (64, true), (65, false)] {
        assert_eq!(Organisation::new(&"a".repeat(length)).is_ok(), expected);
    }
}

#[test]
fn a_caller_is_an_organisation_and_its_plan() {
    let organisation = Organisation::new("acme").unwrap();
    let caller = Caller::new(organisation.clone(), Plan::gold());
    assert_eq!(caller.organisation(), &organisation);
    assert_eq!(caller.plan(), &Plan::gold());
}

#[test]
fn names_of_organisations_and_actors_are_borrowed_and_shown_as_they_are() {
    let acme = Organisation::new("acme").unwrap();
    let texts: [&str; 3] = [acme.as_str(), acme.as_ref(), acme.borrow()];
    assert_eq!(texts, ["acme"; 3]);
    let actor = Actor::new("worker-7").unwrap();
    assert_eq!(actor.as_str(), "worker-7");
    assert_eq!(format!("{actor:>10}"), "  worker-7");
}
