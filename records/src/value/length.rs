//! How many bytes a row takes, without writing them.
//!
//! postcard reads numbers, and so lengths and variants, that are spelt longer than they need to be; everything else has
//! one spelling. Of all bytes that decode to a row, those that are written of it are therefore the only ones as short:
//! whether bytes are in their canonical form is told by their number.

use crate::id::{DocId, OpId};
use crate::schema::Field;
use crate::value::{Row, Target, Type, Value};

/// Returns the length of [`crate::value::encode`]'s bytes.
pub(crate) fn of_row(fields: &[Field], values: &[Option<Value>]) -> usize {
    let value = |at| values.get(at).and_then(Option::as_ref);
    fields
        .iter()
        .enumerate()
        .map(|(at, field)| 1 + value(at).map_or(0, |value| of_value(field.ty, value)))
        .sum()
}

/// Returns the length of rows behind their number.
pub(crate) fn of_rows(fields: &[Field], rows: &[Row]) -> usize {
    of_len(rows.len()) + rows.iter().map(|row| of_row(fields, row)).sum::<usize>()
}

/// Returns the length of a list's removals behind their number.
pub(crate) fn of_removals(removals: &[(OpId, u32)]) -> usize {
    let each = removals.iter().map(|(op, index)| of_op(*op) + of_number((*index).into()));
    of_len(removals.len()) + each.sum::<usize>()
}

fn of_value(ty: Type, value: &Value) -> usize {
    match value {
        Value::Text(text) => of_bytes(text.as_bytes()),
        Value::Int(int) => match (ty, u32::try_from(*int)) {
            (Type::Min | Type::Count | Type::Metre, Ok(count)) => of_number(count.into()),
            _ => of_signed(*int),
        },
        Value::Bool(_) | Value::Choice(_) => 1,
        Value::Ref(Target::Text(text)) => 1 + of_bytes(text.as_bytes()),
        Value::Ref(Target::Doc(DocId(op))) => 1 + of_op(*op),
        Value::Meter(meter) => of_signed(meter.mantissa) + 1 + of_bytes(meter.unit.as_bytes()),
        Value::Fix(fix) => {
            of_signed(fix.lat.into()) + of_signed(fix.lon.into()) + of_number(fix.accuracy.into()) + 1
        }
        Value::File(hash) => of_bytes(hash),
    }
}

fn of_op(op: OpId) -> usize {
    of_number(op.replica.0.into()) + of_number(op.epoch.0.into()) + of_number(op.seq)
}

fn of_bytes(bytes: &[u8]) -> usize {
    of_len(bytes.len()) + bytes.len()
}

fn of_len(len: usize) -> usize {
    of_number(u64::try_from(len).unwrap_or(u64::MAX))
}

/// A signed number is spelt as 0, -1, 1, -2, ... are counted.
fn of_signed(number: i64) -> usize {
    of_number((number << 1 ^ number >> 63).cast_unsigned())
}

/// Seven bits a byte.
fn of_number(number: u64) -> usize {
    match number.checked_ilog2() {
        None => 1,
        Some(bits) => usize::try_from(bits / 7 + 1).unwrap_or(10),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop};

    use super::*;
    use crate::kinds::KINDS;
    use crate::schema::{Class, SetChange};
    use crate::value::tests::any_row;
    use crate::value::{decode, decode_exact, encode, payload};

    /// Rows of every group that has some, and how to spell one of their bytes longer.
    fn any_spelling() -> impl Strategy<Value = (&'static [Field], Row, usize)> {
        let groups = KINDS.iter().flat_map(|kind| kind.groups).filter(|group| group.class != Class::Decision);
        let fields: Vec<&'static [Field]> = groups.map(|group| group.fields).collect();
        let row = |fields: &'static [Field]| any_row(fields).prop_map(move |row| (fields, row));
        prop::sample::select(fields).prop_flat_map(row).prop_flat_map(|(fields, row)| {
            let bytes = encode(fields, &row).len();
            (0..bytes).prop_map(move |at| (fields, row.clone(), at))
        })
    }

    /// The same bytes with a zero of seven more bits behind the one at `at`: a longer spelling, where a number ends there.
    fn padded(bytes: &[u8], at: usize) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        bytes[at] |= 0x80;
        bytes.insert(at + 1, 0);
        bytes
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(256))]

        #[test]
        fn a_length_is_that_of_the_bytes_and_bytes_of_another_spelling_are_longer((fields, row, at) in any_spelling()) {
            let bytes = encode(fields, &row);
            proptest::prop_assert_eq!(of_row(fields, &row), bytes.len());
            let other = padded(&bytes, at);
            for bytes in [bytes, other] {
                let canonical = decode(fields, &bytes).is_ok_and(|(row, rest)| rest.is_empty() && encode(fields, &row) == bytes);
                proptest::prop_assert_eq!(decode_exact(fields, &bytes).is_ok(), canonical);
            }
        }

        #[test]
        fn lists_are_as_long_as_their_bytes(
            (fields, row, at) in any_spelling(),
            replica in any::<u32>(), seq in any::<u64>(), index in any::<u32>(),
        ) {
            let op = OpId { replica: crate::id::Replica(replica), epoch: crate::id::Epoch(7), seq };
            let rows = vec![row.clone(), row];
            let bytes = payload::encode_rows(fields, &rows);
            proptest::prop_assert_eq!(of_rows(fields, &rows), bytes.len());
            let change = SetChange { add: rows, remove: vec![(op, index)] };
            let set = payload::encode_set(fields, &change);
            proptest::prop_assert_eq!(of_rows(fields, &change.add) + of_removals(&change.remove), set.len());
            for bytes in [padded(&bytes, at), bytes] {
                let read = payload::decode_rows(fields, &bytes);
                proptest::prop_assert!(read.is_err() || payload::encode_rows(fields, &read.unwrap()) == bytes);
            }
            for bytes in [padded(&set, at), set] {
                let read = payload::decode_set(fields, &bytes);
                proptest::prop_assert!(read.is_err() || payload::encode_set(fields, &read.unwrap()) == bytes);
            }
        }
    }
}
