//! One year of the working calendar (工作日历), where it differs from Monday to Friday.

use crate::kinds::number;
use crate::schema::{Kind, Reach, Typed};
use crate::time::Day;
use crate::value::Text;

crate::group! {
    /// Which year.
    Year = 2 "year" ("年份", "Year") Once content=true frozen=false writer=Hq {
        year: Text<4> = ("年份", "Year", ""),
    }
}

crate::group! {
    /// Holidays and make-up workdays.
    CalendarDays = 3 "day" ("日期", "Days") Set content=true frozen=false writer=Hq key=0 {
        date: Day = ("日期", "Date", ""),
        name: Text<40> = ("名称", "Name", ""),
        off: bool = ("休息", "Off", ""),
    }
}

/// The table.
pub static CALENDAR: Kind = Kind {
    number: number::CALENDAR,
    schema: 1,
    name: "calendar",
    zh: "工作日历",
    en: "Working calendar",
    reach: Reach::Company,
    machine: None,
    key: Some("year"),
    title: &["year"],
    concerns: &[],
    groups: &[&Year::GROUP, &CalendarDays::GROUP],
};
