//! Where the rows of a Ledger or Set payload begin and end, without reading their values.

use records::id::OpId;
use records::schema::{Field, Group};
use records::value::Type;

/// A payload's rows and, of a Set, the additions it takes away.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Rows<'a> {
    /// Each row's bytes.
    pub(crate) rows: Vec<&'a [u8]>,
    /// (op, index) of what is removed.
    pub(crate) removed: Vec<(OpId, u32)>,
}

/// Splits a Ledger's payload written under `schema`; `None` where the bytes are not rows of that group.
pub(crate) fn ledger<'a>(group: &Group, schema: u8, bytes: &'a [u8]) -> Option<Rows<'a>> {
    let mut rest = bytes;
    let rows = take_rows(group.fields_at(schema), &mut rest)?;
    rest.is_empty().then_some(Rows { rows, removed: Vec::new() })
}

/// Splits a Set's payload written under `schema`; `None` where the bytes are not a change of that group.
pub(crate) fn set<'a>(group: &Group, schema: u8, bytes: &'a [u8]) -> Option<Rows<'a>> {
    let mut rest = bytes;
    let rows = take_rows(group.fields_at(schema), &mut rest)?;
    let (removed, left): (_, &[u8]) = postcard::take_from_bytes(rest).ok()?;
    left.is_empty().then_some(Rows { rows, removed })
}

/// Returns the bytes of the row's field `at`.
pub(crate) fn field<'a>(group: &Group, row: &'a [u8], at: usize) -> Option<&'a [u8]> {
    let mut rest = row;
    for field in group.fields.get(..at)? {
        skip(field.ty, &mut rest)?;
    }
    let start = rest;
    skip(group.fields.get(at)?.ty, &mut rest)?;
    start.get(..start.len() - rest.len())
}

fn take_rows<'a>(fields: &[Field], rest: &mut &'a [u8]) -> Option<Vec<&'a [u8]>> {
    let n = usize::try_from(varint(rest)?).ok()?;
    // A row has at least one byte, so this bounds what is allocated.
    if fields.is_empty() || n > rest.len() {
        return None;
    }
    let mut rows = Vec::with_capacity(n);
    for _ in 0..n {
        let start = *rest;
        for field in fields {
            skip(field.ty, rest)?;
        }
        rows.push(start.get(..start.len() - rest.len())?);
    }
    Some(rows)
}

/// Steps over one field.
fn skip(ty: Type, rest: &mut &[u8]) -> Option<()> {
    match byte(rest)? {
        0 => return Some(()),
        1 => {}
        _ => return None,
    }
    match ty {
        Type::Text(_) | Type::File | Type::Digest => counted(rest),
        Type::Fen | Type::Ts | Type::Qty | Type::Day | Type::Min | Type::Count | Type::Metre => {
            varint(rest).map(|_| ())
        }
        Type::Bool | Type::Choice(_) => byte(rest).map(|_| ()),
        Type::Ref(_) => match varint(rest)? {
            0 => counted(rest),
            _ => (0..3).try_for_each(|_| varint(rest).map(|_| ())),
        },
        Type::Meter => {
            varint(rest)?;
            byte(rest)?;
            counted(rest)
        }
        Type::Fix => {
            (0..3).try_for_each(|_| varint(rest).map(|_| ()))?;
            byte(rest).map(|_| ())
        }
    }
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, left) = rest.split_first()?;
    *rest = left;
    Some(*first)
}

fn counted(rest: &mut &[u8]) -> Option<()> {
    let n = usize::try_from(varint(rest)?).ok()?;
    *rest = rest.get(n..)?;
    Some(())
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let (value, left) = postcard::take_from_bytes(rest).ok()?;
    *rest = left;
    Some(value)
}

#[cfg(test)]
mod tests {
    use records::kinds::repair::REPAIR;
    use records::schema::{Class, SetChange};
    use records::value::{Value, encode, payload};

    use super::*;

    #[test]
    fn every_group_of_a_sheet_splits_where_its_rows_end() {
        for group in REPAIR.groups.iter().filter(|group| !group.fields.is_empty()) {
            let value = |ty| match ty {
                Type::Text(_) => Value::Text("字".repeat(100)),
                Type::Bool => Value::Bool(true),
                Type::Choice(_) => Value::Choice(3),
                Type::Ref(_) => Value::Ref(records::value::Target::Doc("7.3061842211.42".parse().unwrap())),
                Type::Meter => Value::Meter(records::value::MeterValue {
                    mantissa: -70_000,
                    decimals: 2,
                    unit: "kWh".to_owned(),
                }),
                Type::Fix => {
                    Value::Fix(records::value::Fix { lat: -1, lon: i32::MAX, accuracy: 300, mock: true })
                }
                Type::File | Type::Digest => Value::File(vec![7; 32]),
                _ => Value::Int(1_700_000_000),
            };
            let full: Vec<_> = group.fields.iter().map(|field| Some(value(field.ty))).collect();
            let (a, b) = (encode(group.fields, &full), encode(group.fields, &[]));
            let bytes = [&[2][..], &a, &b].concat();
            assert_eq!(ledger(group, 1, &bytes).unwrap().rows, [&a[..], &b[..]], "{}", group.name);
            assert_eq!(ledger(group, 1, &bytes[..bytes.len() - 1]), None);
            assert_eq!(ledger(group, 1, &[&bytes[..], &[0]].concat()), None);
        }
    }

    /// A group that had one field under schema 1 and has two since schema 2.
    fn grown(class: Class) -> Group {
        const FIELDS: &[Field] = &[
            Field { name: "text", ty: Type::Text(9), unit: "", zh: "文", en: "Text", since: 1 },
            Field { name: "count", ty: Type::Count, unit: "", zh: "数", en: "Count", since: 2 },
        ];
        Group {
            number: 2,
            name: "grown",
            class,
            content: true,
            frozen: false,
            writer: records::schema::Writer::Scope,
            key: None,
            zh: "组",
            en: "Grown",
            fields: FIELDS,
        }
    }

    #[test]
    fn rows_of_an_earlier_schema_end_where_they_ended_then() {
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        let old = [vec![text("a")], vec![text("b")]];
        let new = [vec![text("a"), Some(Value::Int(7))], vec![text("b"), None]];
        let group = grown(Class::Ledger);
        let bytes = payload::encode_rows(group.fields_at(1), &old);
        assert_eq!(ledger(&group, 1, &bytes).unwrap().rows.len(), 2);
        assert_eq!(ledger(&group, 2, &bytes), None);
        let read = payload::rows_at(&group, 1, &bytes).unwrap();
        assert_eq!(read, [[text("a"), None], [text("b"), None]]);
        let bytes = payload::encode_rows(group.fields, &new);
        assert_eq!(ledger(&group, 2, &bytes).unwrap().rows.len(), 2);
        assert_eq!(payload::rows_at(&group, 2, &bytes).unwrap(), new);

        let group = grown(Class::Set);
        let removed = vec![("7.1.1".parse().unwrap(), 3)];
        let change = SetChange { add: old.to_vec(), remove: removed.clone() };
        let bytes = payload::encode_set(group.fields_at(1), &change);
        let read = set(&group, 1, &bytes).unwrap();
        assert_eq!((read.rows.len(), read.removed), (2, removed));
        assert_eq!(payload::rows_at(&group, 1, &bytes).unwrap()[1], [text("b"), None]);
    }
}
