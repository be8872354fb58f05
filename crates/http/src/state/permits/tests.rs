use super::*;

fn named(name: &str) -> Organisation {
    name.parse().unwrap()
}

fn acquire(permits: &Arc<Permits>, organisation: &str, most: usize) -> Vec<Permit> {
    let taken = std::iter::from_fn(|| permits.acquire(&named(organisation)).ok());
    taken.take(most).collect()
}

#[test]
fn place_4_an_organisation_takes_at_most_its_share_and_at_least_one_place() {
    for (total, percent, share) in [
        (16, 25, 4),
        (1000, 25, 250),
        (3, 25, 1),
        (1, 25, 1),
        (16, 100, 16),
        (16, 0, 1),
        (7, 50, 3),
    ] {
        let permits = Permits::new(total, percent);
        assert_eq!(acquire(&permits, "a", total + 1).len(), share, "{percent} % of {total}");
    }
}

#[test]
fn place_4_other_organisations_take_the_places_that_are_left() {
    let permits = Permits::new(4, 50);
    let first = acquire(&permits, "a", 9);
    let refusal = permits.acquire(&named("a")).map(drop).unwrap_err();
    assert!(matches!(refusal, Rejection::ShareExceeded { places: 2 }), "{refusal}");
    let second = acquire(&permits, "b", 1);
    let third = acquire(&permits, "c", 9);
    assert_eq!((first.len(), second.len(), third.len()), (2, 1, 1));
    let refusal = permits.acquire(&named("b")).map(drop).unwrap_err();
    assert!(matches!(refusal, Rejection::AtCapacity), "{refusal}");
    drop(first);
    assert_eq!(acquire(&permits, "a", 9).len(), 2, "freed permits can be taken again");
    drop((second, third));
    let taken = permits.taken();
    assert_eq!((taken.total, taken.by_organisation.len()), (0, 0));
}
