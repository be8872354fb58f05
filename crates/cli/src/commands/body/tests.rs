use super::*;

#[test]
fn body_6_an_endless_source_is_read_for_64_kib_and_one_byte() {
    let body = read_at_most_one_too_many(io::repeat(b' ')).unwrap();
    assert_eq!(body.len(), 65_537);
}
