use super::*;

#[cfg(unix)]
#[test]
fn wire_503_a_lack_that_passes_is_told_from_other_faults() {
    use rustix::io::Errno;
    let kind = |errno: Errno| fault(errno.into()).kind();
    for passing in [Errno::MFILE, Errno::NFILE, Errno::NOMEM] {
        assert_eq!(kind(passing), StoreErrorKind::Busy);
    }
    assert_eq!(kind(Errno::NOSPC), StoreErrorKind::Full);
    assert_eq!(kind(Errno::IO), StoreErrorKind::Failed);
}
