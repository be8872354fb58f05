use super::*;

fn named(name: &str) -> Organisation {
    name.parse().unwrap()
}

fn takes(places: &Arc<Places>, organisation: &str, most: usize) -> Vec<Place> {
    let taken = std::iter::from_fn(|| places.take(&named(organisation)).ok());
    taken.take(most).collect()
}

#[test]
fn place_4_an_organisation_takes_its_share_whoever_else_is_there_and_one_place_at_least() {
    for (all, percent, share) in [
        (16, 25, 4),
        (1000, 25, 250),
        (3, 25, 1),
        (1, 25, 1),
        (16, 100, 16),
        (16, 0, 1),
        (7, 50, 3),
    ] {
        let places = Places::new(all, percent);
        assert_eq!(takes(&places, "a", all + 1).len(), share, "{percent} % of {all}");
    }
}

#[test]
fn place_4_others_have_places_beside_one_that_has_its_share_until_all_are_taken() {
    let places = Places::new(4, 50);
    let first = takes(&places, "a", 9);
    let refusal = places.take(&named("a")).map(drop).unwrap_err();
    assert!(matches!(refusal, Rejection::ShareExceeded { places: 2 }), "{refusal}");
    let second = takes(&places, "b", 1);
    let third = takes(&places, "c", 9);
    assert_eq!((first.len(), second.len(), third.len()), (2, 1, 1));
    let refusal = places.take(&named("b")).map(drop).unwrap_err();
    assert!(matches!(refusal, Rejection::AtCapacity), "{refusal}");
    drop(first);
    assert_eq!(takes(&places, "a", 9).len(), 2, "what was freed is there again");
    drop((second, third));
    let taken = places.taken();
    assert_eq!((taken.all, taken.by.len()), (0, 0));
}
