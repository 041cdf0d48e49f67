//! `name=value`, as a command line, a form and an import give it.

use records::schema::Field;
use records::time::Zone;
use records::value::{Type, Value};

use crate::notebook::refusal::Refusal;

/// A field's name and what was typed for it; the empty text takes the value away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The field's identifier.
    pub name: String,
    /// What was typed.
    pub value: String,
}

impl Pair {
    /// Returns the pair.
    #[must_use]
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), value: value.into() }
    }

    /// Reads `name=value`; the value may hold further `=`. `None` where there is none, or no name before it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, value) = text.split_once('=')?;
        let name = name.trim();
        (!name.is_empty()).then(|| Self::new(name, value))
    }
}

/// Returns the value typed for a field; `None` for the empty text.
///
/// # Errors
/// W-02.
pub fn value(field: &Field, text: &str, zone: Zone) -> Result<Option<Value>, Refusal> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    // On a command line a minus cannot be told from an option, so a person may write money with a currency sign.
    let text = if field.ty == Type::Fen { text.trim_start_matches(['¥', '￥']) } else { text };
    Value::parse(field.ty, text, zone).map(Some).map_err(|error| Refusal::value(field.name, text, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_is_cut_at_its_first_sign() {
        let check = |text: &str, expected: Option<(&str, &str)>| {
            assert_eq!(Pair::parse(text), expected.map(|(n, v)| Pair::new(n, v)), "{text}");
        };
        check("result=done", Some(("result", "done")));
        check("problem=a=b", Some(("problem", "a=b")));
        check("next_action=", Some(("next_action", "")));
        check(" brand = x", Some(("brand", " x")));
        check("=x", None);
        check("done", None);
    }

    #[test]
    fn a_value_that_does_not_fit_names_the_field_and_the_limit() {
        let field = |ty| Field { name: "f", ty, unit: "", zh: "", en: "", since: 1 };
        let refused = |ty, text| value(&field(ty), text, Zone::SHANGHAI).unwrap_err();
        assert_eq!(refused(Type::Fen, "12.345").case, "amount_fine");
        assert_eq!(refused(Type::Day, "31/02").case, "day");
        let long = refused(Type::Text(3), "abcd");
        assert_eq!((long.rule, long.case), ("W-02", "too_long"));
        assert!(long.facts.contains(&("limit", crate::notebook::refusal::Said::Text("3".to_owned()))));
        assert_eq!(value(&field(Type::Fen), "¥35.5", Zone::SHANGHAI).unwrap(), Some(Value::Int(3550)));
        assert_eq!(value(&field(Type::Fen), "  ", Zone::SHANGHAI).unwrap(), None);
    }
}
