use std::error::Error;

use super::*;

#[test]
fn a_panic_is_damage_with_its_message_as_the_cause() {
    let error = call_sled::<()>(|| panic!("page {} is odd", 7)).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Damaged);
    let cause = error.source().unwrap().to_string();
    assert_eq!(cause, "sled panicked: page 7 is odd");
    let error = call_sled::<()>(|| std::panic::panic_any(7)).unwrap_err();
    let cause = error.source().unwrap().to_string();
    assert_eq!(cause, "sled panicked: without a message");
}

#[test]
fn a_full_disk_is_full_also_when_sled_handed_the_error_on() {
    let full = io::Error::from_raw_os_error(28);
    let direct = call_sled::<()>(|| Err(sled::Error::Io(full))).unwrap_err();
    assert_eq!(direct.kind(), StoreErrorKind::Full);
    let handed_on = sled::Error::Io(io::Error::from_raw_os_error(28)).clone();
    let error = call_sled::<()>(|| Err(handed_on)).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Full);
}
