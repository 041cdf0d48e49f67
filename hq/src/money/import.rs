//! Ceilings, bank accounts and delegations out of files: what each row must say beside its types.
//!
//! Source: docs/RULES.md, Imports (I-20 to I-23).

use records::claim::people::DELEGATION_DAYS_MAX;
use records::kinds::account::AccountOf;
use records::kinds::cap::{CapAmount, CapFor};
use records::kinds::delegation::Delegated;
use records::kinds::number;
use records::schema::{Group, Typed};
use records::table::refusal::{Reason, Refusal};
use records::table::rows::Row;
use records::time::Zone;
use records::value::{Target, Type, Value};

use crate::intake::desk::Desk;
use crate::store::StoreError;

/// What is wrong with which field of which group.
type Wrong = (&'static Group, usize, Reason);

impl Desk {
    /// Returns the row as it is taken, or why it is not.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(crate) fn sound(&mut self, mut row: Row) -> Result<Result<Row, Refusal>, StoreError> {
        let wrong = match row.kind.number {
            number::CAP => self.cap_wrong(&row)?,
            number::ACCOUNT => {
                own(&mut row);
                self.unknown(&row, &AccountOf::GROUP, 1, true)?
            }
            number::DELEGATION => self.delegation_wrong(&row)?,
            _ => None,
        };
        Ok(match wrong {
            Some((group, at, reason)) => Err(refusal(&row, group, at, reason)),
            None => Ok(row),
        })
    }

    fn cap_wrong(&mut self, row: &Row) -> Result<Option<Wrong>, StoreError> {
        let amount = &CapAmount::GROUP;
        let missing = [(&CapFor::GROUP, 2), (amount, 0), (amount, 1)];
        if let Some((group, at)) = missing.into_iter().find(|(group, at)| value(row, group, *at).is_none()) {
            return Ok(Some((group, at, Reason::Missing)));
        }
        if matches!(value(row, amount, 0), Some(Value::Int(fen)) if *fen < 0) {
            return Ok(Some((amount, 0, Reason::BelowZero)));
        }
        if let Some(wrong) = self.unknown(row, &CapFor::GROUP, 1, true)? {
            return Ok(Some(wrong));
        }
        if let Some(wrong) = self.unknown(row, &CapFor::GROUP, 4, false)? {
            return Ok(Some(wrong));
        }
        Ok(period(row, (amount, 1, 2), None))
    }

    fn delegation_wrong(&mut self, row: &Row) -> Result<Option<Wrong>, StoreError> {
        let given = &Delegated::GROUP;
        if let Some(at) = (0..4).find(|at| value(row, given, *at).is_none()) {
            return Ok(Some((given, at, Reason::Missing)));
        }
        for (at, needed) in [(0, true), (1, true), (5, false)] {
            if let Some(wrong) = self.unknown(row, given, at, needed)? {
                return Ok(Some(wrong));
            }
        }
        if value(row, given, 0) == value(row, given, 1) {
            return Ok(Some((given, 1, Reason::SamePerson)));
        }
        Ok(period(row, (given, 2, 3), Some(DELEGATION_DAYS_MAX)))
    }

    /// Looks whether the person or unit that a field names is in the master data; one that is `needed` must be named.
    fn unknown(
        &mut self,
        row: &Row,
        group: &'static Group,
        at: usize,
        needed: bool,
    ) -> Result<Option<Wrong>, StoreError> {
        let code = match value(row, group, at) {
            Some(Value::Ref(Target::Text(code))) => code,
            Some(_) => return Ok(None),
            None => return Ok(needed.then_some((group, at, Reason::Missing))),
        };
        let people = self.people()?;
        let unit = group.fields.get(at).is_some_and(|field| field.ty == Type::Ref(number::ORG));
        let known = if unit {
            people.units.values().any(|unit| unit.code == *code)
        } else {
            people.by_code(code).is_some()
        };
        Ok((!known).then_some((group, at, Reason::NotKnown)))
    }
}

/// An account's row names its person once, by the code that is its key.
fn own(row: &mut Row) {
    let tag = AccountOf::GROUP.tag();
    let values = row.groups.iter_mut().find(|(group, _)| *group == tag);
    if let Some([code, staff]) = values.and_then(|(_, rows)| rows.first_mut()).map(Vec::as_mut_slice)
        && let (Some(Value::Text(text)), None) = (&*code, &*staff)
    {
        *staff = Some(Value::Ref(Target::Text(text.clone())));
    }
}

fn value<'r>(row: &'r Row, group: &Group, at: usize) -> Option<&'r Value> {
    let (_, rows) = row.groups.iter().find(|(tag, _)| *tag == group.tag())?;
    rows.first()?.get(at)?.as_ref()
}

/// Are the days in their order, and not more than may be?
fn period(row: &Row, (group, from, to): (&'static Group, usize, usize), max: Option<i32>) -> Option<Wrong> {
    let day = |at| match value(row, group, at) {
        Some(Value::Int(day)) => Some(*day),
        _ => None,
    };
    let days = day(to)?.saturating_sub(day(from)?).saturating_add(1);
    let good = days >= 1 && max.is_none_or(|max| days <= i64::from(max));
    (!good).then_some((group, to, Reason::Period { max }))
}

fn refusal(row: &Row, group: &Group, at: usize, reason: Reason) -> Refusal {
    let field = group.fields.get(at);
    let shown = field.zip(value(row, group, at)).map(|(field, value)| value.text(field.ty, Zone::SHANGHAI));
    Refusal {
        line: row.line,
        field: field.map_or("", |field| field.name).to_owned(),
        value: shown.unwrap_or_default(),
        reason,
    }
}
