//! Dates of the Gregorian calendar, and days counted from 1970.

const DAYS_IN_400_YEARS: i64 = 146_097;

/// The days from 0000-03-01 to 1970-01-01.
const EPOCH: i64 = 719_468;

/// A year, a month from 1, and a day from 1.
pub(super) struct Date(pub(super) i64, pub(super) i64, pub(super) i64);

// Years begin in March here: the leap day is the last of its year, and the months before it have the same
// lengths in every year.
impl Date {
    /// Returns the date that is `days` after 1970-01-01.
    pub(super) const fn from_days(days: i64) -> Self {
        let days = days + EPOCH;
        let (era, day) = (days.div_euclid(DAYS_IN_400_YEARS), days.rem_euclid(DAYS_IN_400_YEARS));
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let (month, next_year) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
        Date(era * 400 + year + next_year, month, day)
    }

    /// Returns the days from 1970-01-01 to this date. A date that does not exist counts as a later one.
    pub(super) const fn days(&self) -> i64 {
        let Date(year, month, day) = *self;
        let (month, year) = if month > 2 { (month - 3, year) } else { (month + 9, year - 1) };
        let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        365 * year + leap_days + (153 * month + 2) / 5 + day - 1 - EPOCH
    }
}
