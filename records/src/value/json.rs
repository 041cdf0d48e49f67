//! Values as they stand in `--json` answers and JSON lines.

use serde_json::{Value as Json, json};

use crate::money::Fen;
use crate::schema::Field;
use crate::time::Zone;
use crate::value::{Target, Type, Value};

/// Returns the members that a field gives: `amount_fen` and `amount` for money, one of its own name for the rest.
///
/// Numbers that could be read as fractions are texts; a reference is `{"id"}` or `{"text"}`; absent is `null`.
///
/// Source: docs/CLI.md, JSON.
///
/// ```
/// use records::schema::Field;
/// use records::value::{Type, Value, json};
/// let field = Field { name: "amount", ty: Type::Fen, unit: "", zh: "金额", en: "Amount", since: 1 };
/// let pairs = json::pairs(&field, Some(&Value::Int(3500)), records::time::Zone::SHANGHAI);
/// assert_eq!(pairs, [("amount_fen".to_owned(), 3500.into()), ("amount".to_owned(), "35.00".into())]);
/// ```
#[must_use]
pub fn pairs(field: &Field, value: Option<&Value>, zone: Zone) -> Vec<(String, Json)> {
    let name = field.name.to_owned();
    match (field.ty, value) {
        (Type::Fen, None) => vec![(format!("{name}_fen"), Json::Null), (name, Json::Null)],
        (Type::Fen, Some(Value::Int(fen))) => {
            vec![(format!("{name}_fen"), json!(fen)), (name, json!(Fen(*fen).to_string()))]
        }
        (_, None) => vec![(name, Json::Null)],
        (ty, Some(value)) => vec![(name, plain(ty, value, zone))],
    }
}

/// Returns one object of a row's present values.
#[must_use]
pub fn object(fields: &[Field], row: &[Option<Value>], zone: Zone) -> serde_json::Map<String, Json> {
    fields
        .iter()
        .zip(row)
        .filter(|(_, value)| value.is_some())
        .flat_map(|(field, value)| pairs(field, value.as_ref(), zone))
        .collect()
}

fn plain(ty: Type, value: &Value, zone: Zone) -> Json {
    match (ty, value) {
        (_, Value::Bool(yes)) => json!(yes),
        (Type::Min | Type::Count | Type::Metre, Value::Int(count)) => json!(count),
        (_, Value::Ref(Target::Doc(doc))) => json!({ "id": doc.to_string() }),
        (_, Value::Ref(Target::Text(text))) => json!({ "text": text }),
        _ => json!(value.text(ty, zone)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::sheet::{Equipment, Place, Visit};
    use crate::schema::Typed;

    #[test]
    fn a_row_reads_as_the_contract_says() {
        let check = |fields: &[Field], row: &[Option<Value>], expected: Json| {
            assert_eq!(Json::Object(object(fields, row, Zone::SHANGHAI)), expected);
        };
        check(
            Visit::GROUP.fields,
            &[Some(Value::Int(1_795_311_000_000)), None],
            json!({ "arrived": "2026-11-22T09:30:00+08:00" }),
        );
        check(
            Place::GROUP.fields,
            &[
                Some(Value::Ref(Target::Text("C687664".into()))),
                Some(Value::Ref(Target::Doc("7.1.2".parse().unwrap()))),
            ],
            json!({ "customer": { "text": "C687664" }, "site": { "id": "7.1.2" } }),
        );
        check(Equipment::GROUP.fields, &[None, None, Some(Value::Int(1500))], json!({ "age": "1.5" }));
    }
}
