//! Sheet numbers, given at the seal from the device's block: no two devices of a person can give the same.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::id::DocId;
use crate::kinds::number;
use crate::time::Day;

/// `<I|R|P><center>-<staff>-<YYMM>-<NNN>`: installation, repair, inspection (patrol).
///
/// ```
/// let number: records::number::SheetNo = "RHZ01-T006-2503-007".parse()?;
/// assert_eq!((number.staff.as_str(), number.n), ("T006", 7));
/// assert_eq!(number.to_string(), "RHZ01-T006-2503-007");
/// # Ok::<(), records::number::NumberError>(())
/// ```
///
/// Source: docs/RULES.md, Numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SheetNo {
    /// The type of sheet.
    pub letter: Letter,
    /// The centre's code: 2 to 6 capital letters and digits.
    pub center: String,
    /// The staff code: 3 to 10 capital letters and digits.
    pub staff: String,
    /// Years after 2000.
    pub year: u8,
    /// 1 to 12.
    pub month: u8,
    /// The number, from 1; at least three digits are printed.
    pub n: u32,
}

/// The letter of the sheet's type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Letter {
    /// Installation.
    I,
    /// Repair.
    R,
    /// Inspection (patrol).
    P,
}

impl Letter {
    /// Returns the letter of a kind of sheet; `None` for other kinds.
    #[must_use]
    pub const fn of(kind: u16) -> Option<Self> {
        match kind {
            number::INSTALL => Some(Self::I),
            number::REPAIR => Some(Self::R),
            number::INSPECTION => Some(Self::P),
            _ => None,
        }
    }
}

/// The numbers that one device may give, both ends included; a person's devices have blocks that do not touch.
///
/// The count begins again with `first` each month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// The lowest, at least 1.
    pub first: u32,
    /// The highest.
    pub last: u32,
}

impl Block {
    /// Returns the number after `used`, the highest this device gave in the month; `None` where the block is used up.
    ///
    /// ```
    /// let block = records::number::Block { first: 1, last: 2 };
    /// assert_eq!((block.after(None), block.after(Some(1)), block.after(Some(2))), (Some(1), Some(2), None));
    /// ```
    #[must_use]
    pub fn after(self, used: Option<u32>) -> Option<u32> {
        let next = used.map_or(Some(self.first), |used| used.checked_add(1))?.max(self.first);
        (next >= 1 && next <= self.last).then_some(next)
    }
}

/// Why a number cannot be made or read.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum NumberError {
    /// Not of the shape.
    #[error("a sheet number is written RHZ01-T006-2503-007")]
    Shape,
    /// The centre's code is not 2 to 6 capital letters and digits.
    #[error("the centre's code is not 2 to 6 capital letters and digits")]
    Center,
    /// The staff code is not 3 to 10 capital letters and digits.
    #[error("the staff code is not 3 to 10 capital letters and digits")]
    Staff,
    /// A day before 2000 or after 2099.
    #[error("the day is not between 2000 and 2099")]
    Day,
}

impl SheetNo {
    /// Makes the number of a sheet sealed on `day`.
    ///
    /// # Errors
    /// [`NumberError::Center`], [`NumberError::Staff`], [`NumberError::Day`].
    pub fn new(letter: Letter, center: &str, staff: &str, day: Day, n: u32) -> Result<Self, NumberError> {
        let (year, month, _) = day.ymd().ok_or(NumberError::Day)?;
        let number = Self {
            letter,
            center: center.to_owned(),
            staff: staff.to_owned(),
            year: u8::try_from(year - 2000).map_err(|_| NumberError::Day)?,
            month: u8::try_from(month).map_err(|_| NumberError::Day)?,
            n,
        };
        number.checked()
    }

    fn checked(self) -> Result<Self, NumberError> {
        if !code(&self.center, 2, 6) {
            return Err(NumberError::Center);
        }
        if !code(&self.staff, 3, 10) {
            return Err(NumberError::Staff);
        }
        if self.year > 99 || !(1..=12).contains(&self.month) || self.n == 0 {
            return Err(NumberError::Shape);
        }
        Ok(self)
    }
}

/// Returns what stands in a number's place while the device may not give numbers: `T*` and the document's code.
///
/// Source: docs/RULES.md, Numbers.
#[must_use]
pub fn suspended(id: &DocId) -> String {
    format!("T*{}", id.code())
}

fn code(text: &str, min: usize, max: usize) -> bool {
    (min..=max).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

impl fmt::Display for SheetNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { letter, center, staff, year, month, n } = self;
        write!(f, "{letter:?}{center}-{staff}-{year:02}{month:02}-{n:03}")
    }
}

impl FromStr for SheetNo {
    type Err = NumberError;

    fn from_str(text: &str) -> Result<Self, NumberError> {
        let letter = match text.bytes().next() {
            Some(b'I') => Letter::I,
            Some(b'R') => Letter::R,
            Some(b'P') => Letter::P,
            _ => return Err(NumberError::Shape),
        };
        let parts: Vec<&str> = text.get(1..).unwrap_or_default().split('-').collect();
        let [center, staff, month, n] = *parts.as_slice() else {
            return Err(NumberError::Shape);
        };
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let shaped = month.len() == 4 && n.len() >= 3 && digits(month) && digits(n);
        let (year, month) = month.split_at_checked(2).filter(|_| shaped).ok_or(NumberError::Shape)?;
        let number = Self {
            letter,
            center: center.to_owned(),
            staff: staff.to_owned(),
            year: year.parse().map_err(|_| NumberError::Shape)?,
            month: month.parse().map_err(|_| NumberError::Shape)?,
            n: n.parse().map_err(|_| NumberError::Shape)?,
        };
        // A number has one spelling: 1000 is not written 01000.
        Some(number.checked()?).filter(|number| number.to_string() == text).ok_or(NumberError::Shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_spelling_is_a_number() {
        for bad in [
            "",
            "R",
            "XHZ-T006-2503-001",
            "RHZ-T006-2503-01",
            "RHZ-T006-2513-001",
            "RHZ-T006-2503-0001",
            "RHZ-T006-2503-000",
            "RHZ-T006-2503-001-2",
            "Rhz-T006-2503-001",
            "R杭州-T006-2503-001",
            "RHZ-T006-+503-001",
            "RHZ-T006-2503-99999999999",
        ] {
            assert!(bad.parse::<SheetNo>().is_err(), "{bad}");
        }
        let day = Day::from_ymd(1999, 12, 31).unwrap();
        assert_eq!(SheetNo::new(Letter::R, "HZ", "T006", day, 1), Err(NumberError::Day));
        let day = Day::from_ymd(2026, 11, 22).unwrap();
        assert_eq!(SheetNo::new(Letter::R, "H", "T006", day, 1), Err(NumberError::Center));
        assert_eq!(SheetNo::new(Letter::R, "HZ", "t006", day, 1), Err(NumberError::Staff));
        assert_eq!(
            SheetNo::new(Letter::P, "HZ", "T006", day, 1000).unwrap().to_string(),
            "PHZ-T006-2611-1000"
        );
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        #[test]
        fn a_number_reads_back(center in "[A-Z0-9]{2,6}", staff in "[0-9A-Z]{3,10}", day in 10_957..47_000_i32, n in 1_u32..) {
            let number = SheetNo::new(Letter::I, &center, &staff, Day(day), n).unwrap();
            proptest::prop_assert_eq!(number.to_string().parse::<SheetNo>(), Ok(number));
        }

        #[test]
        fn two_blocks_that_do_not_touch_never_give_one_number(split in 2_u32..999, used in proptest::option::of(0_u32..2000)) {
            let (mine, other) = (Block { first: 1, last: split }, Block { first: split + 1, last: 999 });
            if let (Some(a), Some(b)) = (mine.after(used), other.after(used)) {
                proptest::prop_assert!(a <= split && b > split && Some(a) > used && Some(b) > used);
            }
        }
    }
}
