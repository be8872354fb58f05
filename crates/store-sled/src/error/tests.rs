use std::error::Error;

use super::*;

#[test]
fn a_panic_is_damage_with_its_message_as_the_cause() {
    let fault = guarded::<()>(|| panic!("page {} is odd", 7)).unwrap_err();
    assert_eq!(fault.kind(), StoreErrorKind::Damaged);
    let cause = fault.source().unwrap().to_string();
    assert_eq!(cause, "sled panicked: page 7 is odd");
    let fault = guarded::<()>(|| std::panic::panic_any(7)).unwrap_err();
    let cause = fault.source().unwrap().to_string();
    assert_eq!(cause, "sled panicked: without a message");
}

#[test]
fn a_full_disk_is_full_also_when_sled_handed_the_error_on() {
    let full = io::Error::from_raw_os_error(28);
    let direct = guarded::<()>(|| Err(sled::Error::Io(full))).unwrap_err();
    assert_eq!(direct.kind(), StoreErrorKind::Full);
    let handed_on = sled::Error::Io(io::Error::from_raw_os_error(28)).clone();
    let fault = guarded::<()>(|| Err(handed_on)).unwrap_err();
    assert_eq!(fault.kind(), StoreErrorKind::Full);
}
