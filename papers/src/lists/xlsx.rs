//! Lists as a workbook.

use records::money::Fen;
use records::table::cell;
use records::time::Day;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::lists::{CELL_CHARS_MAX, Cell, List};

/// The largest amount whose decimal digits a double keeps: 15 digits.
const EXACT_FEN_MAX: u64 = 999_999_999_999_999;

/// The first day that all spreadsheets count alike, 1900-03-01, and the one from which they count, as days since 1970.
const FIRST_DAY: i32 = -25_508;
const EPOCH_DAYS: i32 = 25_569;

/// How wide a column may become, in characters.
const WIDTH_MAX: u16 = 48;

struct Looks {
    head: Format,
    text: Format,
    quoted: Format,
    money: Format,
    day: Format,
}

/// Returns the file.
pub(crate) fn written(lists: &[List]) -> Result<Vec<u8>, XlsxError> {
    let looks = Looks {
        head: Format::new().set_bold(),
        text: Format::new().set_num_format("@"),
        quoted: Format::new().set_num_format("@").set_quote_prefix(),
        money: Format::new().set_num_format("0.00"),
        day: Format::new().set_num_format("yyyy-mm-dd"),
    };
    let mut book = Workbook::new();
    // The file holds no clock: equal lists, equal bytes.
    book.set_properties(&DocProperties::new().set_creation_datetime(&ExcelDateTime::from_timestamp(0)?));
    for list in lists {
        book.push_worksheet(looks.sheet(list)?);
    }
    book.save_to_buffer()
}

impl Looks {
    fn sheet(&self, list: &List) -> Result<Worksheet, XlsxError> {
        let mut sheet = Worksheet::new();
        sheet.set_name(&list.name)?;
        for (at, head) in (0..).zip(&list.heads) {
            sheet.write_string_with_format(0, at, head, &self.head)?;
            sheet.set_column_width(at, width(list, usize::from(at)))?;
        }
        for (n, row) in (1..).zip(&list.rows) {
            for (at, cell) in (0..).zip(row) {
                self.cell(&mut sheet, (n, at), cell)?;
            }
        }
        sheet.set_freeze_panes(1, 0)?;
        Ok(sheet)
    }

    fn cell(&self, sheet: &mut Worksheet, (row, at): (u32, u16), cell: &Cell) -> Result<(), XlsxError> {
        match cell {
            Cell::Text(text) => {
                let look = if cell::formula(text) { &self.quoted } else { &self.text };
                sheet.write_string_with_format(row, at, printable(text), look)?;
            }
            Cell::Money(amount) if amount.0.unsigned_abs() <= EXACT_FEN_MAX => {
                sheet.write_number_with_format(row, at, stored(*amount), &self.money)?;
            }
            Cell::Money(amount) => {
                sheet.write_string_with_format(row, at, amount.to_string(), &self.text)?;
            }
            Cell::Day(day) => match serial(*day) {
                Some(serial) => {
                    sheet.write_number_with_format(row, at, serial, &self.day)?;
                }
                None => {
                    sheet.write_string_with_format(row, at, day.to_string(), &self.text)?;
                }
            },
            Cell::Count(n) => {
                sheet.write_number(row, at, *n)?;
            }
            Cell::Empty => {}
        }
        Ok(())
    }
}

fn serial(day: Day) -> Option<i32> {
    if day.0 >= FIRST_DAY { day.0.checked_add(EPOCH_DAYS) } else { None }
}

/// Returns what the format can hold of a text.
fn printable(text: &str) -> String {
    let kept = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    kept.take(CELL_CHARS_MAX).collect()
}

/// Returns a width that shows most of a column; a Chinese character takes two places.
fn width(list: &List, at: usize) -> u16 {
    let places = |text: &str| text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum::<usize>();
    let cell = |row: &Vec<Cell>| match row.get(at) {
        Some(Cell::Text(text)) => places(text),
        Some(Cell::Money(amount)) => amount.to_string().len(),
        Some(Cell::Day(_)) => 10,
        Some(Cell::Count(_)) => 6,
        Some(Cell::Empty) | None => 0,
    };
    let head = list.heads.get(at).map_or(0, |head| places(head));
    let widest = list.rows.iter().map(cell).max().unwrap_or(0).max(head);
    u16::try_from(widest + 2).unwrap_or(WIDTH_MAX).min(WIDTH_MAX)
}

/// The digits of the amount as the library takes them; it writes the same digits, and nothing is reckoned with them.
#[expect(clippy::disallowed_types, reason = "the file format knows no other number")]
fn stored(amount: Fen) -> f64 {
    amount.to_string().parse().unwrap_or_default()
}
