use super::*;

#[test]
fn place_2_counts_survive_their_bytes_and_nothing_else_is_read() {
    let totals = Totals { generation: 7, models: 3, events: u64::MAX };
    assert_eq!(Totals::from_row(Some(&totals.to_bytes())).unwrap(), totals);
    for row in [None, Some(&[0; 23][..]), Some(&[0; 25])] {
        assert!(Totals::from_row(row).is_err());
    }
}
