use super::*;

const fn at(millis: i64) -> UnixMillis {
    UnixMillis::from_unix_millis(millis)
}

fn admission(number: u64) -> Admission {
    Admission { number, at: at(number.cast_signed() * 10) }
}

/// A run of the admissions with these numbers.
fn run(numbers: std::ops::RangeInclusive<u64>) -> AdmissionRun {
    let mut run = AdmissionRun::new(admission(*numbers.start()));
    numbers.skip(1).for_each(|number| assert_eq!(run.push(admission(number)), None));
    run
}

#[test]
fn every_eighth_admission_begins_a_run() {
    let mut newest = AdmissionRun::new(admission(1));
    let mut complete = Vec::new();
    for number in 2..=25 {
        complete.extend(newest.push(admission(number)));
    }
    assert_eq!(complete, [run(1..=7), run(8..=15), run(16..=23)]);
    assert_eq!(newest, run(24..=25));
    let all = complete.iter().chain([&newest]).flat_map(AdmissionRun::admissions);
    assert!(all.eq((1..=25).map(admission)));
}

#[test]
fn a_run_is_read_as_it_was_written() {
    for run in [run(1..=1), run(8..=15), run(19..=23)] {
        let bytes = run.earlier_to_bytes();
        assert_eq!(AdmissionRun::from_bytes(run.last(), &bytes), Some(run));
    }
    let whole = run(8..=15);
    let bytes = whole.earlier_to_bytes();
    let read = |last, bytes: &[u8]| AdmissionRun::from_bytes(last, bytes);
    let last = whole.last();
    assert_eq!(read(last, bytes.get(1..).unwrap()), None, "cut short");
    assert_eq!(read(Admission { number: 7, ..last }, &bytes), None, "numbered from 0");
    assert_eq!(read(Admission { number: 0, ..last }, &[]), None, "without a number");
    assert_eq!(read(Admission { at: at(139), ..last }, &bytes), None, "not in order");
    assert_eq!(read(last, &[[0; 8].as_slice(), &bytes].concat()), None, "too many");
}

#[test]
fn rate_1_what_is_removed_was_counted() {
    let run = run(8..=15);
    for (until, count) in [(79, 0), (80, 1), (85, 1), (149, 7), (150, 8), (900, 8)] {
        assert_eq!(run.count_until(at(until)), count, "{until}");
        let left = run.clone().without_first(count);
        let left = left.iter().flat_map(AdmissionRun::admissions);
        assert!(left.eq((8 + count..=15).map(admission)), "{until}");
    }
}

#[test]
fn rate_1_a_run_from_the_future_is_moved_to_now() {
    let mut run = run(8..=11);
    run.move_to(at(95));
    let times: Vec<_> = run.admissions().map(|it| (it.number, it.at.unix_millis())).collect();
    assert_eq!(times, [(8, 80), (9, 90), (10, 95), (11, 95)]);
    let same = run.clone();
    run.move_to(at(95));
    assert_eq!(run, same);
}
