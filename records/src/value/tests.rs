//! Any value and any row for property tests, and bytes that no writer makes.

use proptest::prelude::{Just, Strategy, any, prop};
use proptest::strategy::BoxedStrategy;

use super::*;

/// Any value of the type that a well-behaved writer may store.
pub(crate) fn any_value(ty: Type) -> BoxedStrategy<Value> {
    let word =
        |max: u16| prop::collection::vec(prop::char::range(' ', '\u{9fa5}'), 1..=usize::from(max.min(12)));
    match ty {
        Type::Text(max) => word(max).prop_map(|word| Value::Text(composed(word))).boxed(),
        Type::Fen => (-crate::money::FEN_MAX..=crate::money::FEN_MAX).prop_map(Value::Int).boxed(),
        Type::Qty => (-10_i64.pow(12)..10_i64.pow(12)).prop_map(Value::Int).boxed(),
        Type::Ts => (0..4_102_444_800_000_i64).prop_map(Value::Int).boxed(),
        Type::Day => (0..50_000_i64).prop_map(Value::Int).boxed(),
        Type::Min | Type::Count | Type::Metre => any::<u32>().prop_map(|n| Value::Int(n.into())).boxed(),
        Type::Bool => any::<bool>().prop_map(Value::Bool).boxed(),
        Type::Choice(list) => {
            (0..list.options.len()).prop_map(|i| Value::Choice(u8::try_from(i).unwrap_or(0))).boxed()
        }
        Type::Ref(_) => prop_oneof_ref(word(9)),
        Type::Meter => (any::<i32>(), 0..=9_u8, Just("kWh"))
            .prop_map(|(mantissa, decimals, unit)| {
                Value::Meter(MeterValue { mantissa: mantissa.into(), decimals, unit: unit.to_owned() })
            })
            .boxed(),
        Type::Fix => (-900_000_000..=900_000_000, -1_800_000_000..=1_800_000_000, any::<u16>())
            .prop_map(|(lat, lon, accuracy)| Value::Fix(Fix { lat, lon, accuracy, mock: false }))
            .boxed(),
        Type::File | Type::Digest => prop::collection::vec(any::<u8>(), 1..=32).prop_map(Value::File).boxed(),
    }
}

fn prop_oneof_ref(word: impl Strategy<Value = Vec<char>> + 'static) -> BoxedStrategy<Value> {
    let doc = (any::<u32>(), any::<u32>(), 1_u64..1_000_000).prop_map(|(replica, epoch, seq)| {
        Target::Doc(DocId(crate::id::OpId {
            replica: crate::id::Replica(replica),
            epoch: crate::id::Epoch(epoch),
            seq,
        }))
    });
    let text = word.prop_map(|word| Target::Text(composed(word)));
    proptest::prop_oneof![doc, text].prop_map(Value::Ref).boxed()
}

fn composed(word: Vec<char>) -> String {
    use unicode_normalization::UnicodeNormalization;
    // A few letters are longer composed than typed, and a field has its limit.
    let most = word.len();
    let word: String = word.into_iter().filter(|c| !c.is_control()).nfc().take(most).collect();
    let word = word.trim();
    if word.is_empty() { "x".to_owned() } else { word.to_owned() }
}

/// Any row of the fields.
pub(crate) fn any_row(fields: &'static [Field]) -> BoxedStrategy<Row> {
    fields.iter().map(|field| prop::option::of(any_value(field.ty))).collect::<Vec<_>>().boxed()
}

#[test]
fn bytes_that_no_writer_makes_are_refused() {
    use crate::schema::Typed;
    let fields = crate::kinds::sheet::Rating::GROUP.fields;
    assert_eq!(decode_exact(fields, &[1, 5]), Ok(vec![Some(Value::Int(5))]));
    assert_eq!(decode_exact(fields, &[1, 0x85, 0]), Err(CodecError::NotCanonical));
    assert_eq!(decode_exact(fields, &[1, 5, 0]), Err(CodecError::LeftOver(1)));
    assert_eq!(decode_exact(fields, &[2, 5]), Err(CodecError::Malformed));
    assert_eq!(decode_exact(fields, &[]), Err(CodecError::Malformed));
    let text = crate::kinds::sheet::Problem::GROUP.fields;
    assert_eq!(decode_exact(text, &[1, 0xff, 0xff, 0xff, 0xff, 0x0f]), Err(CodecError::Malformed));
    assert_eq!(decode_exact(text, &[1, 1, 0xff]), Err(CodecError::Malformed), "not UTF-8");
    let long = encode(text, &[Some(Value::Text("x".repeat(STRING_BYTES_MAX + 1)))]);
    assert_eq!(decode_exact(text, &long), Err(CodecError::TooLong(STRING_BYTES_MAX + 1)));
}
