//! One record out of one row: its groups and its key.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::schema::{Field, Tag};
use crate::table::mapping::{Case, List};
use crate::table::pick::{From, Outside, Pick};
use crate::table::record::{Entry, Record};
use crate::table::refusal::Reason;
use crate::value::{LIST_MAX, Row as Values, Value};

/// What `rest` writes is at most so long; a field's own limit cuts it further.
const REST_CHARS_MAX: usize = 4000;

/// Returns the key of the row that comes after `ordinal` equal ones.
pub(crate) fn nth(key: [u8; 16], ordinal: u32) -> [u8; 16] {
    if ordinal == 0 { key } else { digest(&[&key, &ordinal.to_le_bytes()]) }
}

/// Returns the first 16 bytes of SHA-256 over the parts, each behind its length.
pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in parts {
        context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_le_bytes());
        context.update(part);
    }
    let hash = context.finish();
    hash.as_ref().first_chunk().copied().unwrap_or_default()
}

/// Field, value and reason.
pub(crate) type Wrong = (String, String, Reason);

/// Makes one record out of one row.
pub(crate) struct Maker<'r> {
    pub(crate) case: &'r Case,
    pub(crate) record: &'r Record,
    pub(crate) outside: Outside,
}

impl Maker<'_> {
    /// Returns the groups that have a value.
    pub(crate) fn groups(&self) -> Result<Vec<(Tag, Vec<Values>)>, Wrong> {
        let mut groups: BTreeMap<Tag, Vec<Values>> = BTreeMap::new();
        for flat in &self.case.fields {
            let Some(field) = flat.group.fields.get(flat.index) else {
                continue;
            };
            if let Some(value) = self.value(field, &flat.pick, "", None)? {
                let rows = groups
                    .entry(flat.group.tag())
                    .or_insert_with(|| vec![vec![None; flat.group.fields.len()]]);
                if let Some(place) = rows.first_mut().and_then(|row| row.get_mut(flat.index)) {
                    *place = Some(value);
                }
            }
        }
        for list in &self.case.lists {
            let rows = self.list(list)?;
            if rows.is_empty() {
                continue;
            }
            let all = groups.entry(list.group.tag()).or_default();
            all.extend(rows);
            if all.len() > LIST_MAX {
                return Err((list.group.name.to_owned(), all.len().to_string(), Reason::TooManyEntries));
            }
        }
        Ok(groups.into_iter().collect())
    }

    fn list(&self, list: &List) -> Result<Vec<Values>, Wrong> {
        let Some(each) = &list.each else {
            return Ok(self.entry(list, None)?.into_iter().collect());
        };
        let wrong = |reason| {
            let text = self.record.text(each).unwrap_or_default().into_owned();
            (list.group.name.to_owned(), text, reason)
        };
        let entries = self.record.entries(each, list.split.as_deref()).map_err(wrong)?;
        if entries.len() > LIST_MAX {
            return Err(wrong(Reason::TooManyEntries));
        }
        entries.iter().filter_map(|entry| self.entry(list, Some(entry)).transpose()).collect()
    }

    /// One entry; `None` where only constants would stand in it.
    fn entry(&self, list: &List, entry: Option<&Entry>) -> Result<Option<Values>, Wrong> {
        let mut values: Values = vec![None; list.group.fields.len()];
        let mut told = false;
        for (index, pick) in &list.fields {
            let Some(field) = list.group.fields.get(*index) else {
                continue;
            };
            let value = self.value(field, pick, list.group.name, entry)?;
            told |= value.is_some() && !matches!(pick.from, From::Constant(_));
            if let Some(place) = values.get_mut(*index) {
                *place = value;
            }
        }
        Ok(told.then_some(values))
    }

    fn value(
        &self,
        field: &Field,
        pick: &Pick,
        list: &str,
        entry: Option<&Entry>,
    ) -> Result<Option<Value>, Wrong> {
        let column = |name: &str| match (entry, name.strip_prefix('^')) {
            (Some(entry), None) => entry.text(name),
            (Some(_), Some(outer)) => self.record.text(outer),
            (None, _) => self.record.text(name),
        };
        let text = pick.text(&column, &|| self.rest(), &self.case.empty);
        let path = || {
            if list.is_empty() { field.name.to_owned() } else { format!("{list}.{}", field.name) }
        };
        pick.value(field, &text, self.outside).map_err(|reason| (path(), text, reason))
    }

    /// The columns that nothing names, as `column: text` lines.
    fn rest(&self) -> String {
        let named = self.case.columns();
        let first =
            |name: &str| named.iter().any(|known| known.split('.').next() == Some(name) || *known == name);
        let lines = self.record.columns().into_iter().filter(|name| !first(name)).filter_map(|name| {
            let text = self.record.text(name).filter(|text| !text.is_empty())?;
            let none = self.case.empty.iter().any(|word| *word == text);
            (!none).then(|| format!("{name}: {text}"))
        });
        lines.collect::<Vec<_>>().join("\n").chars().take(REST_CHARS_MAX).collect()
    }

    /// Returns the texts of the key columns; `None` where the mapping names none.
    pub(crate) fn key(&self) -> Result<Option<Vec<String>>, Wrong> {
        let text = |column: &String| {
            let text = self.record.text(column).filter(|text| !text.is_empty());
            text.map(Cow::into_owned).ok_or_else(|| (column.clone(), String::new(), Reason::Missing))
        };
        let texts = self.case.key.iter().map(text).collect::<Result<Vec<_>, _>>()?;
        Ok(if texts.is_empty() { None } else { Some(texts) })
    }

    /// Returns the row's hash: by column name, so that another order of the columns makes no new records.
    pub(crate) fn hash(&self) -> [u8; 16] {
        let kind = self.case.kind.name.as_bytes();
        let named = |name| Some((name, self.record.text(name).filter(|text| !text.is_empty())?));
        let cells: BTreeMap<&str, Cow<str>> = self.record.columns().into_iter().filter_map(named).collect();
        let cells = cells.iter().flat_map(|(name, text)| [name.as_bytes(), text.as_bytes()]);
        digest(&[b"row", kind].into_iter().chain(cells).collect::<Vec<_>>())
    }
}
