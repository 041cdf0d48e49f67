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
    use records::value::{Value, encode};

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
}
