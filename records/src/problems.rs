//! What a sheet still needs before it can be sealed, and a voucher before it can be saved.

use crate::checklist::{Template, check};
use crate::invoice::{Checksum, Invoice};
use crate::kinds::{sheet, voucher};
use crate::money::Fen;
use crate::record::Record;
use crate::rules::{Rule, Weight, by_id};
use crate::schema::Typed;
use crate::time::{Ts, Zone};
use crate::value::text::Lang;
use crate::value::{MeterValue, Type, Value};

/// One thing that is wrong with a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The rule's id, see [`crate::rules::RULES`].
    pub rule: &'static str,
    /// The group to look at.
    pub group: &'static str,
    /// The field of that group; empty where the whole group is meant.
    pub field: &'static str,
    /// What the sentence names, by the words in its braces.
    pub facts: Vec<(&'static str, String)>,
}

impl Problem {
    /// Returns a problem by a rule, with nothing to name yet.
    #[must_use]
    pub const fn new(rule: &'static str, group: &'static str, field: &'static str) -> Self {
        Self { rule, group, field, facts: Vec::new() }
    }

    /// Adds what a word in the sentence stands for.
    #[must_use]
    pub fn fact(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.facts.push((name, value.into()));
        self
    }

    /// Returns the rule.
    #[must_use]
    pub fn rule(&self) -> Option<&'static Rule> {
        by_id(self.rule)
    }

    /// Returns whether the step is refused for it.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.rule().is_none_or(|rule| rule.weight == Weight::Blocks)
    }

    /// Returns the sentence, with the facts in it; a fact `of` names the record that it is about, and stands before it.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let text = self.fill(self.rule().map_or(self.rule, |rule| rule.text(lang)));
        match self.facts.iter().find(|(name, _)| *name == "of") {
            Some((_, of)) => format!("{of}: {text}"),
            None => text,
        }
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn hint(&self, lang: Lang) -> String {
        self.fill(self.rule().map_or("", |rule| rule.hint(lang)))
    }

    /// Fills the facts into a sentence; a part in ⟦⟧ with a place that no fact fills is left out.
    fn fill(&self, sentence: &str) -> String {
        let filled = |part: &str| {
            let place =
                |text: String, (name, value): &(&str, String)| text.replace(&format!("{{{name}}}"), value);
            self.facts.iter().fold(part.to_owned(), place)
        };
        let known = |part: &str| {
            let mut names = part.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
            names.all(|(name, _)| self.facts.iter().any(|(fact, _)| *fact == name))
        };
        let mut parts = sentence.split('⟦');
        let mut text = filled(parts.next().unwrap_or_default());
        for (part, rest) in parts.filter_map(|part| part.split_once('⟧')) {
            if known(part) {
                text.push_str(&filled(part));
            }
            text.push_str(&filled(rest));
        }
        text
    }
}

/// Returns what stands between a sheet and its seal; empty: it may be sealed.
///
/// `record` is the sheet as it would read with the signature. `template` is its checklist.
/// A sheet that an import brought (its origin names a source) is taken as it was:
/// missing answers, photos, signers' names and falling readings are not asked about.
///
/// Source: docs/RULES.md, Sheets.
///
/// ```
/// use records::checklist::Template;
/// use records::kinds::repair::REPAIR;
/// use records::record::Record;
/// use records::time::Zone;
/// let record = Record::new("7.1.1".parse()?, &REPAIR);
/// let problems = records::problems::before_seal(&record, &Template::default(), Zone::SHANGHAI);
/// let rules: Vec<_> = problems.iter().map(|problem| problem.rule).collect();
/// assert_eq!(rules, ["S-01", "S-03", "S-07"]);
/// # Ok::<(), records::id::IdError>(())
/// ```
#[must_use]
pub fn before_seal(record: &Record, template: &Template, zone: Zone) -> Vec<Problem> {
    let imported = record.get::<sheet::Origin>().is_some_and(|origin| origin.source.is_some());
    let mut problems = Vec::new();
    problems.extend(visit(record, zone));
    problems.extend(result(record));
    if !imported {
        problems.extend(check(template, &record.all(), &record.all()));
    }
    problems.extend(signature(record, imported));
    problems.extend(open_conflicts(record));
    problems.extend(rating(record));
    problems.extend(amendment(record));
    if !imported {
        problems.extend(readings(&record.all()));
    }
    problems
}

fn visit(record: &Record, zone: Zone) -> Option<Problem> {
    let visit = record.get::<sheet::Visit>().unwrap_or_default();
    let group = sheet::Visit::GROUP.name;
    match (visit.arrived, visit.left) {
        (None, _) => Some(Problem::new("S-01", group, "arrived")),
        (_, None) => Some(Problem::new("S-01", group, "left")),
        (Some(Ts(arrived)), Some(Ts(left))) if left < arrived => Some(
            Problem::new("S-02", group, "left")
                .fact("arrived", Ts(arrived).minute(zone))
                .fact("left", Ts(left).minute(zone)),
        ),
        (Some(_), Some(_)) => None,
    }
}

fn result(record: &Record) -> Option<Problem> {
    let result = record.get::<sheet::Result>().and_then(|group| group.result);
    result.is_none().then(|| Problem::new("S-03", sheet::Result::GROUP.name, "result"))
}

fn signature(record: &Record, imported: bool) -> Option<Problem> {
    let sign = record.get::<sheet::CustomerSign>().unwrap_or_default();
    let group = sheet::CustomerSign::GROUP.name;
    match (sign.png.is_some(), sign.no_sign_reason.is_some()) {
        (false, false) => Some(Problem::new("S-07", group, "png")),
        (true, true) => Some(Problem::new("S-09", group, "no_sign_reason")),
        (true, false) if sign.signer_name.is_none() && !imported => {
            Some(Problem::new("S-08", group, "signer_name"))
        }
        _ => None,
    }
}

fn open_conflicts(record: &Record) -> Vec<Problem> {
    let groups = record.open.iter().filter_map(|tag| record.kind.group(tag.number()));
    let content = groups.filter(|group| group.content);
    content.map(|group| Problem::new("S-10", group.name, "").fact("group", group.name)).collect()
}

fn rating(record: &Record) -> Option<Problem> {
    let rating = record.get::<sheet::Rating>()?.customer_rating?.0;
    let problem = Problem::new("S-11", sheet::Rating::GROUP.name, "customer_rating");
    (!(1..=5).contains(&rating)).then(|| problem.fact("value", rating.to_string()))
}

fn amendment(record: &Record) -> Option<Problem> {
    let amends = record.get::<sheet::Amends>()?;
    let silent = amends.amend_of.is_some() && amends.amend_reason.is_none();
    silent.then(|| Problem::new("S-12", sheet::Amends::GROUP.name, "amend_reason"))
}

/// Returns the readings that lie below the one before of the same meter and unit, without a reason.
///
/// Source: docs/RULES.md S-13.
#[must_use]
pub fn readings(rows: &[sheet::Readings]) -> Vec<Problem> {
    let below = |(at, row): (usize, &sheet::Readings)| {
        let (meter, value) = (row.meter.as_ref()?, row.value.as_ref()?);
        let same = |old: &&sheet::Readings| old.meter == row.meter && old.asset == row.asset;
        let last = rows.iter().take(at).rev().find(same)?.value.as_ref()?;
        let lower = last.unit == value.unit && value.scaled() < last.scaled() && row.jump.is_none();
        lower.then(|| {
            Problem::new("S-13", sheet::Readings::GROUP.name, "value")
                .fact("meter", &meter.0)
                .fact("value", meter_text(value))
                .fact("last", meter_text(last))
        })
    };
    rows.iter().enumerate().filter_map(below).collect()
}

pub(crate) fn meter_text(value: &MeterValue) -> String {
    Value::Meter(value.clone()).text(Type::Meter, Zone(0))
}

/// Returns what is wrong with a voucher that is to be saved; notices (N..) do not stand in the way.
///
/// A refund (below zero) is taken only from an import, whose origin names a source; zero never.
/// One with an invoice's QR text or a photo may be saved without amount and category: they are asked for by a notice,
/// and [`before_place`] insists.
///
/// Source: docs/RULES.md, Vouchers.
///
/// ```
/// use records::kinds::voucher::VOUCHER;
/// use records::record::Record;
/// let voucher = Record::new("7.1.1".parse()?, &VOUCHER);
/// let rules: Vec<_> = records::problems::at_capture(&voucher).iter().map(|problem| problem.rule).collect();
/// assert_eq!(rules, ["V-01", "V-02", "V-03"]);
/// # Ok::<(), records::id::IdError>(())
/// ```
#[must_use]
pub fn at_capture(record: &Record) -> Vec<Problem> {
    let shown = invoice(record).is_some() || !record.all::<sheet::Photos>().is_empty();
    let later = |problem: Problem| match problem.rule {
        "V-01" if shown => Problem::new("V-06", problem.group, problem.field),
        "V-03" if shown => Problem::new("V-07", problem.group, problem.field),
        _ => problem,
    };
    let mut problems: Vec<Problem> = before_place(record).into_iter().map(later).collect();
    problems.extend(against_qr(record));
    problems
}

/// Returns what stands between a voucher and its place on a claim: nothing may be left for later.
///
/// Source: docs/RULES.md, Vouchers.
#[must_use]
pub fn before_place(record: &Record) -> Vec<Problem> {
    let imported = record.get::<voucher::VoucherOrigin>().is_some_and(|origin| origin.source.is_some());
    let money = record.get::<voucher::Amount>().unwrap_or_default();
    let purpose = record.get::<voucher::Purpose>().unwrap_or_default();
    let date = record.get::<voucher::Dated>().and_then(|group| group.date);
    let mut problems = Vec::new();
    problems.extend(amount(money.amount, imported));
    problems.extend(currency(&money));
    if date.is_none() {
        problems.push(Problem::new("V-02", voucher::Dated::GROUP.name, "date"));
    }
    if purpose.category.is_none() && !imported {
        problems.push(Problem::new("V-03", voucher::Purpose::GROUP.name, "category"));
    }
    problems
}

fn amount(amount: Option<Fen>, imported: bool) -> Option<Problem> {
    let group = voucher::Amount::GROUP.name;
    match amount {
        None => Some(Problem::new("V-01", group, "amount")),
        Some(fen) if fen.0 == 0 || fen.0 < 0 && !imported => {
            Some(Problem::new("V-05", group, "amount").fact("amount", fen.to_string()))
        }
        Some(_) => None,
    }
}

fn currency(money: &voucher::Amount) -> Option<Problem> {
    let currency = &money.currency.as_ref()?.0;
    let wrong = currency.len() != 3 || !currency.bytes().all(|b| b.is_ascii_uppercase());
    wrong.then(|| Problem::new("V-04", voucher::Amount::GROUP.name, "currency").fact("currency", currency))
}

fn invoice(record: &Record) -> Option<Invoice> {
    let text = record.get::<voucher::InvoiceNo>()?.qr_raw?.0;
    Invoice::parse(&text).ok()
}

fn against_qr(record: &Record) -> Option<Problem> {
    let invoice = invoice(record)?;
    let money = record.get::<voucher::Amount>().unwrap_or_default();
    let checksum = match invoice.checksum {
        Checksum::Match => "✓",
        Checksum::Miss => "✗",
        Checksum::Absent => "–",
    };
    let differs = money.amount.is_some_and(|claimed| !invoice.agrees_with(claimed, money.tax));
    (differs || invoice.checksum == Checksum::Miss).then(|| {
        let claimed = money.amount.map_or_else(|| "–".to_owned(), |fen| fen.to_string());
        Problem::new("N5", voucher::InvoiceNo::GROUP.name, "qr_raw")
            .fact("amount", claimed)
            .fact("qr", invoice.amount.to_string())
            .fact("checksum", checksum)
    })
}

#[cfg(test)]
mod tests;
