use crate::wire::tests::{TEXTS, assert_same};
use crate::wire::{Details, ErrorBody};

#[test]
fn serde_makes_the_same_of_a_value_whatever_a_host_says_in_it() {
    for text in TEXTS {
        let error = ErrorBody::new(400, "", "").with_detail(text, text).with_detail("b", 1);
        assert_same(&error.with_detail("a", vec![text]));
    }
    let nothing = Some(Details::Members(Vec::new()));
    assert_same(&ErrorBody { details: nothing, ..ErrorBody::internal() });
}
