use super::*;

#[test]
fn a_counter_survives_its_bytes() {
    let counter = Counter { models: 5, changes: u64::MAX };
    assert_eq!(Counter::from_bytes(&counter.to_bytes()), Some(counter));
    assert_eq!(Counter::from_bytes(&[0; 15]), None);
    assert_eq!(Counter::from_bytes(&[0; 17]), None);
}
