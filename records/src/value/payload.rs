//! The payloads of list groups: a Ledger's rows and a Set's changes, bounded before anything is allocated.

use crate::id::OpId;
use crate::schema::{Class, Field, Group, SetChange};
use crate::value::text::ValueError;
use crate::value::{CodecError, LIST_MAX, Row, decode, decode_exact, encode_into, length, push, take};

/// Returns a Ledger payload: the number of rows, then the rows.
#[must_use]
pub fn encode_rows(fields: &[Field], rows: &[Row]) -> Vec<u8> {
    let mut out = Vec::new();
    push_rows(fields, rows, &mut out);
    out
}

/// Reads a whole Ledger payload of 1 to [`LIST_MAX`] rows.
///
/// # Errors
/// [`CodecError`].
pub fn decode_rows(fields: &[Field], bytes: &[u8]) -> Result<Vec<Row>, CodecError> {
    let mut rest = bytes;
    let rows = take_rows(fields, &mut rest)?;
    if rows.is_empty() {
        return Err(CodecError::Entries(0));
    }
    if !rest.is_empty() {
        return Err(CodecError::LeftOver(rest.len()));
    }
    if length::of_rows(fields, &rows) != bytes.len() {
        return Err(CodecError::NotCanonical);
    }
    Ok(rows)
}

/// Returns a Set payload: postcard of [`SetChange`].
#[must_use]
pub fn encode_set(fields: &[Field], change: &SetChange<Row>) -> Vec<u8> {
    let mut out = Vec::new();
    push_rows(fields, &change.add, &mut out);
    push(&mut out, &change.remove);
    out
}

/// Reads a whole Set payload; each list has at most [`LIST_MAX`] entries and one of them is not empty.
///
/// # Errors
/// [`CodecError`].
pub fn decode_set(fields: &[Field], bytes: &[u8]) -> Result<SetChange<Row>, CodecError> {
    let mut rest = bytes;
    let add = take_rows(fields, &mut rest)?;
    let remove =
        (0..take_count(&mut rest)?).map(|_| take::<(OpId, u32)>(&mut rest)).collect::<Result<Vec<_>, _>>()?;
    if add.is_empty() && remove.is_empty() {
        return Err(CodecError::Entries(0));
    }
    if !rest.is_empty() {
        return Err(CodecError::LeftOver(rest.len()));
    }
    if length::of_rows(fields, &add) + length::of_removals(&remove) != bytes.len() {
        return Err(CodecError::NotCanonical);
    }
    Ok(SetChange { add, remove })
}

/// Returns the rows that a payload of `group` adds: one of a register, those of a Ledger or a Set.
///
/// # Errors
/// [`CodecError`]; [`CodecError::Unreadable`] for a Decision, which is no row.
pub fn rows_of(group: &Group, bytes: &[u8]) -> Result<Vec<Row>, CodecError> {
    rows_at(group, u8::MAX, bytes)
}

/// As [`rows_of`], of a payload written under `schema` of the kind; what that schema did not have is empty.
///
/// # Errors
/// As [`rows_of`].
///
/// Source: docs/PROTOCOL.md, Evolution.
pub fn rows_at(group: &Group, schema: u8, bytes: &[u8]) -> Result<Vec<Row>, CodecError> {
    let fields = group.fields_at(schema);
    let mut rows = match group.class {
        Class::Once | Class::Last | Class::Contested => vec![decode_exact(fields, bytes)?],
        Class::Ledger => decode_rows(fields, bytes)?,
        Class::Set => decode_set(fields, bytes)?.add,
        Class::Decision => return Err(CodecError::Unreadable),
    };
    rows.iter_mut().for_each(|row| row.resize(group.fields.len(), None));
    Ok(rows)
}

/// Reads one row written under `schema` from the front of `bytes`, and returns the rest: what a newer version put
/// behind it. What that schema did not have is empty.
///
/// # Errors
/// [`CodecError::Malformed`], [`CodecError::TooLong`].
pub fn row_at<'a>(group: &Group, schema: u8, bytes: &'a [u8]) -> Result<(Row, &'a [u8]), CodecError> {
    let (mut row, rest) = decode(group.fields_at(schema), bytes)?;
    row.resize(group.fields.len(), None);
    Ok((row, rest))
}

/// Why a payload is not taken.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum PayloadError {
    /// The bytes are not rows of the group.
    #[error(transparent)]
    Codec(#[from] CodecError),
    /// A value is outside the limits of its field.
    #[error("{field}: {why}")]
    Value {
        /// The field's name.
        field: &'static str,
        /// What is wrong with it.
        why: ValueError,
    },
    /// An element of a keyed Set has no key.
    #[error("{field} must stand, it names the entry")]
    NoKey {
        /// The key field's name.
        field: &'static str,
    },
}

/// Checks a payload that somebody else wrote: readable rows, every value within its field's limits, every key there.
///
/// Choices beyond their list pass: they come from a newer version.
///
/// # Errors
/// [`PayloadError`], the first in the order of rows and fields.
pub fn check(group: &Group, bytes: &[u8]) -> Result<(), PayloadError> {
    for row in rows_of(group, bytes)? {
        for (at, (field, value)) in group.fields.iter().zip(&row).enumerate() {
            match value {
                Some(value) => {
                    value.check(field.ty).map_err(|why| PayloadError::Value { field: field.name, why })?
                }
                None if group.key == Some(at) => return Err(PayloadError::NoKey { field: field.name }),
                None => {}
            }
        }
    }
    Ok(())
}

fn push_rows(fields: &[Field], rows: &[Row], out: &mut Vec<u8>) {
    push(out, &rows.len());
    for row in rows {
        encode_into(fields, row, out);
    }
}

fn take_count(rest: &mut &[u8]) -> Result<usize, CodecError> {
    let count = usize::try_from(take::<u64>(rest)?).map_err(|_| CodecError::Malformed)?;
    if count > LIST_MAX {
        return Err(CodecError::Entries(count));
    }
    Ok(count)
}

fn take_rows(fields: &[Field], rest: &mut &[u8]) -> Result<Vec<Row>, CodecError> {
    let mut rows = Vec::new();
    for _ in 0..take_count(rest)? {
        let (row, left) = decode(fields, rest)?;
        *rest = left;
        rows.push(row);
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop};

    use super::*;
    use crate::kinds::sheet::{Answers, Notes, Parts};
    use crate::schema::Typed;
    use crate::value::Value;
    use crate::value::tests::any_row;

    fn note(text: &str) -> Row {
        vec![Some(Value::Text(text.to_owned()))]
    }

    #[test]
    fn lists_are_bounded_before_they_are_read() {
        let fields = Notes::GROUP.fields;
        let many = vec![note("a"); LIST_MAX + 1];
        assert_eq!(decode_rows(fields, &encode_rows(fields, &many)), Err(CodecError::Entries(257)));
        assert_eq!(decode_rows(fields, &[0]), Err(CodecError::Entries(0)));
        assert_eq!(decode_rows(fields, &[0xff; 9]), Err(CodecError::Malformed));
        assert_eq!(decode_rows(fields, &[1, 1, 1, b'a', 7]), Err(CodecError::LeftOver(1)));
        assert_eq!(decode_rows(fields, &[0x81, 0, 1, 1, b'a']), Err(CodecError::NotCanonical));
        assert_eq!(decode_set(fields, &[0, 0]), Err(CodecError::Entries(0)));
    }

    #[test]
    fn a_payload_of_others_is_held_to_the_same_limits_as_a_typed_value() {
        let wrong = |text: &str| check(&Notes::GROUP, &encode_rows(Notes::GROUP.fields, &[note(text)]));
        let value = |why| Err(PayloadError::Value { field: "text", why });
        assert_eq!(wrong("fine"), Ok(()));
        assert_eq!(wrong(""), value(ValueError::Empty));
        assert_eq!(wrong("\u{1b}[2J"), value(ValueError::Control(0x1b)));
        assert_eq!(wrong("e\u{301}"), value(ValueError::NotComposed));
        assert_eq!(wrong(&"x".repeat(4001)), value(ValueError::TooLong { chars: 4001, max: 4000 }));
        let change = SetChange { add: vec![vec![None; 5]], remove: Vec::new() };
        let bytes = encode_set(Answers::GROUP.fields, &change);
        assert_eq!(check(&Answers::GROUP, &bytes), Err(PayloadError::NoKey { field: "item" }));
        assert_eq!(check(&Answers::GROUP, &[9]), Err(CodecError::Malformed.into()));
    }

    #[test]
    fn a_ledger_is_a_postcard_sequence_and_a_set_its_change() {
        let fields = Parts::GROUP.fields;
        let typed = vec![Parts::default(), Parts::default()];
        let rows = vec![vec![None; fields.len()]; 2];
        assert_eq!(encode_rows(fields, &rows), postcard::to_allocvec(&typed).unwrap());
        let op = "7.9.3".parse().unwrap();
        let typed = SetChange::<Answers> { add: vec![Answers::default()], remove: vec![(op, 4)] };
        let change = SetChange { add: vec![vec![None; 5]], remove: vec![(op, 4)] };
        let bytes = encode_set(Answers::GROUP.fields, &change);
        assert_eq!(bytes, postcard::to_allocvec(&typed).unwrap());
        assert_eq!(decode_set(Answers::GROUP.fields, &bytes), Ok(change));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        #[test]
        fn rows_read_back(rows in prop::collection::vec(any_row(Parts::GROUP.fields), 1..5)) {
            let bytes = encode_rows(Parts::GROUP.fields, &rows);
            proptest::prop_assert_eq!(decode_rows(Parts::GROUP.fields, &bytes), Ok(rows));
        }

        #[test]
        fn hostile_bytes_give_an_error_or_the_same_bytes(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let fields = Answers::GROUP.fields;
            if let Ok(change) = decode_set(fields, &bytes) {
                proptest::prop_assert_eq!(encode_set(fields, &change), bytes.clone());
            }
            if let Ok(rows) = decode_rows(fields, &bytes) {
                proptest::prop_assert_eq!(encode_rows(fields, &rows), bytes);
            }
        }
    }
}
