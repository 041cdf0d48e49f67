//! The workbook: ids and long numbers as text, money and days as numbers that can be summed and sorted.

use std::collections::BTreeMap;

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Worksheet, XlsxError};

use crate::schema::{Field, Group};
use crate::table::export::{Column, Layout, Line, rows_of, value_of};
use crate::value::{Type, Value};

/// The first day that all spreadsheets count alike, 1900-03-01, as days since 1970.
const FIRST_DAY: i64 = -25_508;

/// Days between 1899-12-30, from which spreadsheets count, and 1970-01-01.
const EPOCH_DAYS: i32 = 25_569;

/// A workbook that is being filled; all of it is held in memory until its end.
pub(crate) struct Workbook {
    main: Worksheet,
    next: u32,
    lists: BTreeMap<u16, (Worksheet, u32)>,
    looks: Looks,
    /// When the youngest of its records was made, as the workbook's own time: equal records, equal files.
    youngest: i64,
}

struct Looks {
    heading: Format,
    money: Format,
    day: Format,
}

impl Workbook {
    /// Begins the first sheet with the headings of `layout`; lists get sheets of their own.
    pub(crate) fn begin(layout: &Layout) -> Result<Self, XlsxError> {
        let looks = Looks {
            heading: Format::new().set_bold(),
            money: Format::new().set_num_format("#,##0.00"),
            day: Format::new().set_num_format("yyyy-mm-dd"),
        };
        let kind = layout.kind;
        let mut main = Worksheet::new();
        main.set_name(layout.word(kind.name, kind.zh, kind.en))?;
        for (at, column) in (0..).zip(flat(layout)) {
            main.write_string_with_format(0, at, layout.heading(column), &looks.heading)?;
        }
        main.set_freeze_panes(1, 0)?;
        Ok(Self { main, next: 1, lists: BTreeMap::new(), looks, youngest: 0 })
    }

    /// Adds one record.
    pub(crate) fn line(&mut self, layout: &Layout, line: &Line) -> Result<(), XlsxError> {
        for (at, column) in (0..).zip(flat(layout)) {
            match column {
                Column::Head(i) => {
                    self.main.write_string(self.next, at, layout.head(i, line))?;
                }
                Column::Field(group, index, field) => {
                    if let Some(value) = value_of(line, group, index) {
                        self.looks.cell(&mut self.main, (self.next, at), layout, field, value)?;
                    }
                }
                Column::List(_) => {}
            }
        }
        self.next += 1;
        self.youngest = self.youngest.max(line.created.0.div_euclid(1000));
        for column in &layout.columns {
            if let Column::List(group) = *column {
                self.entries(layout, group, line)?;
            }
        }
        Ok(())
    }

    fn entries(&mut self, layout: &Layout, group: &'static Group, line: &Line) -> Result<(), XlsxError> {
        let rows = rows_of(line, group);
        if rows.is_empty() {
            return Ok(());
        }
        let looks = &self.looks;
        let (sheet, next) = match self.lists.entry(group.number) {
            std::collections::btree_map::Entry::Occupied(there) => there.into_mut(),
            std::collections::btree_map::Entry::Vacant(new) => new.insert((looks.list(layout, group)?, 1)),
        };
        for row in rows {
            sheet.write_string(*next, 0, line.id)?;
            for (at, (field, value)) in (1..).zip(group.fields.iter().zip(row)) {
                if let Some(value) = value {
                    looks.cell(sheet, (*next, at), layout, field, value)?;
                }
            }
            *next += 1;
        }
        Ok(())
    }

    /// Returns the file's bytes.
    pub(crate) fn end(&mut self) -> Result<Vec<u8>, XlsxError> {
        let mut book = rust_xlsxwriter::Workbook::new();
        let made =
            ExcelDateTime::from_timestamp(self.youngest).or_else(|_| ExcelDateTime::from_timestamp(0))?;
        book.set_properties(&DocProperties::new().set_creation_datetime(&made));
        book.push_worksheet(std::mem::take(&mut self.main));
        for (sheet, _) in std::mem::take(&mut self.lists).into_values() {
            book.push_worksheet(sheet);
        }
        book.save_to_buffer()
    }
}

fn flat(layout: &Layout) -> impl Iterator<Item = Column> {
    layout.columns.iter().copied().filter(|column| !matches!(column, Column::List(_)))
}

impl Looks {
    fn list(&self, layout: &Layout, group: &Group) -> Result<Worksheet, XlsxError> {
        let mut sheet = Worksheet::new();
        sheet.set_name(layout.word(group.name, group.zh, group.en))?;
        sheet.write_string_with_format(0, 0, "id", &self.heading)?;
        for (at, field) in (1..).zip(group.fields) {
            let heading = layout.word(field.name, field.zh, field.en);
            sheet.write_string_with_format(0, at, heading, &self.heading)?;
        }
        sheet.set_freeze_panes(1, 0)?;
        Ok(sheet)
    }

    fn cell(
        &self,
        sheet: &mut Worksheet,
        (row, at): (u32, u16),
        layout: &Layout,
        field: &Field,
        value: &Value,
    ) -> Result<(), XlsxError> {
        let text = layout.text(field.ty, value);
        match (field.ty, value) {
            (Type::Fen, _) => sheet.write_number_with_format(row, at, number(&text), &self.money)?,
            (Type::Qty, _) => sheet.write_number(row, at, number(&text))?,
            (Type::Min | Type::Count | Type::Metre, Value::Int(int)) => match u32::try_from(*int) {
                Ok(int) => sheet.write_number(row, at, int)?,
                Err(_) => sheet.write_string(row, at, text)?,
            },
            (Type::Day, Value::Int(day)) => {
                match i32::try_from(*day).map(|day| day.checked_add(EPOCH_DAYS)) {
                    Ok(Some(serial)) if *day >= FIRST_DAY => {
                        sheet.write_number_with_format(row, at, serial, &self.day)?
                    }
                    _ => sheet.write_string(row, at, text)?,
                }
            }
            _ => sheet.write_string(row, at, text)?,
        };
        Ok(())
    }
}

/// A spreadsheet keeps numbers as doubles; the text is read as the nearest one, nothing is reckoned with it.
#[expect(clippy::disallowed_types, reason = "the file format knows no other number")]
fn number(text: &str) -> f64 {
    text.parse().unwrap_or_default()
}
