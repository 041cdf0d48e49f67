//! What is typed, and what is read back.

use super::*;
use crate::kinds::sheet::SheetResult;
use crate::value::tests::any_value;

const ALL: [Type; 15] = [
    Type::Text(12),
    Type::Fen,
    Type::Ts,
    Type::Day,
    Type::Min,
    Type::Count,
    Type::Metre,
    Type::Qty,
    Type::Bool,
    Type::Choice(&SheetResult::CHOICES),
    Type::Ref(3),
    Type::Meter,
    Type::Fix,
    Type::File,
    Type::Digest,
];

#[test]
fn what_a_person_types_is_taken_or_named() {
    let check = |ty, text, expected| assert_eq!(Value::parse(ty, text, Zone::SHANGHAI), expected, "{text}");
    let list = &SheetResult::CHOICES;
    check(Type::Text(4), " e\u{301}t\u{e9} ", Ok(Value::Text("\u{e9}t\u{e9}".into())));
    check(Type::Text(4), "12345", Err(ValueError::TooLong { chars: 5, max: 4 }));
    check(Type::Text(9), "a\u{1b}[2J", Err(ValueError::Control(0x1b)));
    check(Type::Text(9), "  ", Err(ValueError::Empty));
    check(Type::Fen, "12.345", Err(FenError::TooFine.into()));
    check(Type::Day, "2026-02-30", Err(TimeError::NotADay.into()));
    check(Type::Count, "-1", Err(ValueError::NotACount));
    check(Type::Count, "4294967296", Err(ValueError::NotACount));
    check(Type::Qty, "0.0005", Err(ValueError::NotADecimal { decimals: 3 }));
    check(Type::Qty, "-.5", Err(ValueError::NotADecimal { decimals: 3 }));
    check(Type::Bool, "是", Ok(Value::Bool(true)));
    check(Type::Choice(list), "Partly done", Ok(Value::Choice(1)));
    check(Type::Choice(list), "未完成", Ok(Value::Choice(2)));
    check(Type::Choice(list), "maybe", Err(ValueError::NotInList { list }));
    check(Type::Fix, "91,0", Err(ValueError::NotAFix));
    check(Type::File, "abc", Err(ValueError::NotAHash));
    check(Type::File, "+1", Err(ValueError::NotAHash));
    let meter = MeterValue { mantissa: -1250, decimals: 2, unit: "°C".into() };
    check(Type::Meter, "-12.50 °C", Ok(Value::Meter(meter)));
}

#[test]
fn a_value_reads_in_the_language_of_the_reader() {
    let field = |ty, unit| Field { name: "f", ty, unit, zh: "f", en: "f", since: 1 };
    let check = |field: &Field, value: &Value, zh: &str, en: &str| {
        assert_eq!(value.label(field, Zone::SHANGHAI, Lang::Zh), zh);
        assert_eq!(value.label(field, Zone::SHANGHAI, Lang::En), en);
    };
    check(&field(Type::Choice(&SheetResult::CHOICES), ""), &Value::Choice(0), "完成", "Done");
    check(&field(Type::Choice(&SheetResult::CHOICES), ""), &Value::Choice(200), "#200", "#200");
    check(&field(Type::Bool, ""), &Value::Bool(false), "否", "no");
    check(&field(Type::Min, "min"), &Value::Int(40), "40 min", "40 min");
    check(&field(Type::Ts, ""), &Value::Int(1_795_311_000_000), "2026-11-22 09:30", "2026-11-22 09:30");
    check(&field(Type::Fen, ""), &Value::Int(-5), "-0.05", "-0.05");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

    #[test]
    fn every_value_reads_back_from_its_text(
        values in ALL.map(any_value)
    ) {
        for (ty, value) in ALL.into_iter().zip(values) {
            let text = value.text(ty, Zone::SHANGHAI);
            proptest::prop_assert_eq!(Value::parse(ty, &text, Zone::SHANGHAI), Ok(value));
        }
    }
}
