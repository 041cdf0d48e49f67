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
    pub(crate) const fn new(rule: &'static str, group: &'static str, field: &'static str) -> Self {
        Self {
            rule,
            group,
            field,
            facts: Vec::new(),
        }
    }

    pub(crate) fn fact(mut self, name: &'static str, value: impl Into<String>) -> Self {
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

    /// Returns the sentence, with the facts in it.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        self.fill(self.rule().map_or(self.rule, |rule| rule.text(lang)))
    }

    /// Returns what to do about it.
    #[must_use]
    pub fn hint(&self, lang: Lang) -> String {
        self.fill(self.rule().map_or("", |rule| rule.hint(lang)))
    }

    fn fill(&self, sentence: &str) -> String {
        self.facts
            .iter()
            .fold(sentence.to_owned(), |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), value)
            })
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
    let imported = record
        .get::<sheet::Origin>()
        .is_some_and(|origin| origin.source.is_some());
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
    result
        .is_none()
        .then(|| Problem::new("S-03", sheet::Result::GROUP.name, "result"))
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
    let groups = record
        .open
        .iter()
        .filter_map(|tag| record.kind.group(tag.number()));
    let content = groups.filter(|group| group.content);
    content
        .map(|group| Problem::new("S-10", group.name, "").fact("group", group.name))
        .collect()
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
///
/// Source: docs/RULES.md, Vouchers.
#[must_use]
pub fn at_capture(record: &Record) -> Vec<Problem> {
    let imported = record
        .get::<voucher::VoucherOrigin>()
        .is_some_and(|origin| origin.source.is_some());
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
    problems.extend(against_qr(record, &money));
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

fn against_qr(record: &Record, money: &voucher::Amount) -> Option<Problem> {
    let text = record.get::<voucher::InvoiceNo>()?.qr_raw?.0;
    let invoice = Invoice::parse(&text).ok()?;
    let claimed = money.amount?;
    let checksum = match invoice.checksum {
        Checksum::Match => "✓",
        Checksum::Miss => "✗",
        Checksum::Absent => "–",
    };
    let fine = invoice.agrees_with(claimed, money.tax) && invoice.checksum != Checksum::Miss;
    (!fine).then(|| {
        Problem::new("N5", voucher::InvoiceNo::GROUP.name, "qr_raw")
            .fact("amount", claimed.to_string())
            .fact("qr", invoice.amount.to_string())
            .fact("checksum", checksum)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::install::INSTALL;
    use crate::kinds::repair::REPAIR;
    use crate::kinds::sheet::{NoSign, SheetResult};
    use crate::kinds::template::SheetType;
    use crate::kinds::voucher::VOUCHER;
    use crate::schema::Kind;
    use crate::time::Day;
    use crate::value::{Count, FileHash, Ref, Target, Text};

    fn text<const MAX: u16>(text: &str) -> Option<Text<MAX>> {
        Some(Text(text.to_owned()))
    }

    fn blank(kind: &'static Kind) -> Record {
        Record::new("7.1.1".parse().unwrap(), kind)
    }

    /// A sheet that may be sealed.
    fn good(kind: &'static Kind) -> Record {
        blank(kind)
            .with(&[sheet::Visit {
                arrived: Some(Ts(0)),
                left: Some(Ts(0)),
            }])
            .with(&[sheet::Result {
                result: Some(SheetResult::DONE),
                outcome: None,
            }])
            .with(&[sheet::CustomerSign {
                no_sign_reason: Some(NoSign::REMOTE),
                ..Default::default()
            }])
    }

    fn check_seal(record: &Record, expected: &[&str]) {
        let kind = if record.kind.name == "install" {
            SheetType::INSTALL
        } else {
            SheetType::REPAIR
        };
        let template = Template::built_in(kind, Lang::En);
        let found = before_seal(record, &template, Zone::SHANGHAI);
        let rules: Vec<_> = found.iter().map(|problem| problem.rule).collect();
        assert_eq!(rules, expected);
        for problem in &found {
            assert!(
                !problem.text(Lang::Zh).contains('{') && !problem.hint(Lang::En).contains('{'),
                "{problem:?}"
            );
            let group = record
                .kind
                .groups
                .iter()
                .find(|group| group.name == problem.group);
            let fields = group.map_or(&[][..], |group| group.fields);
            let named = problem.field.is_empty() || fields.iter().any(|field| field.name == problem.field);
            assert!(named, "{problem:?} names no field");
        }
    }

    #[test]
    fn a_sheet_is_sealed_only_when_it_is_finished() {
        check_seal(&good(&REPAIR), &[]);
        check_seal(&blank(&REPAIR), &["S-01", "S-03", "S-07"]);
        let early = sheet::Visit {
            arrived: Some(Ts(60_000)),
            left: Some(Ts(0)),
        };
        check_seal(&good(&REPAIR).with(&[early]), &["S-02"]);
        let rating = sheet::Rating {
            customer_rating: Some(Count(6)),
        };
        check_seal(&good(&REPAIR).with(&[rating]), &["S-11"]);
        let amends = sheet::Amends {
            amend_of: Some(Ref(Target::Text("RHZ-T006-2503-001".into()))),
            amend_reason: None,
        };
        check_seal(&good(&REPAIR).with(&[amends]), &["S-12"]);
    }

    #[test]
    fn a_signature_names_its_signer_and_excludes_a_reason() {
        let mut sign = sheet::CustomerSign {
            png: Some(FileHash(vec![1; 32])),
            ..Default::default()
        };
        check_seal(&good(&REPAIR).with(&[sign.clone()]), &["S-08"]);
        sign.signer_name = text("李雷");
        check_seal(&good(&REPAIR).with(&[sign.clone()]), &[]);
        sign.no_sign_reason = Some(NoSign::REFUSED);
        check_seal(&good(&REPAIR).with(&[sign]), &["S-09"]);
    }

    #[test]
    fn an_installation_needs_its_photo_unless_an_import_brought_it() {
        check_seal(&good(&INSTALL), &["S-06"]);
        let photo = sheet::Photos {
            file: Some(FileHash(vec![7; 12])),
            ..Default::default()
        };
        check_seal(&good(&INSTALL).with(&[photo]), &[]);
        let origin = sheet::Origin {
            source: text("nist_excavators"),
            ..Default::default()
        };
        check_seal(&good(&INSTALL).with(&[origin]), &[]);
    }

    #[test]
    fn an_open_conflict_in_content_forbids_the_seal() {
        let mut record = good(&REPAIR);
        record.open.insert(crate::kinds::repair::Charge::GROUP.tag());
        record.open.insert(sheet::Next::GROUP.tag());
        check_seal(&record, &["S-10"]);
    }

    #[test]
    fn a_meter_does_not_run_backwards_in_silence() {
        let row = |mantissa, jump| sheet::Readings {
            meter: text("main"),
            value: Some(MeterValue {
                mantissa,
                decimals: 1,
                unit: "kWh".into(),
            }),
            jump,
            ..Default::default()
        };
        let found = readings(&[
            row(100, None),
            row(101, None),
            row(99, None),
            row(5, Some(sheet::Jump::ROLLOVER)),
        ]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].text(Lang::En),
            "the reading 9.9 kWh of \"main\" is below the last one, 10.1 kWh"
        );
    }

    fn voucher(fen: i64) -> Record {
        blank(&VOUCHER)
            .with(&[voucher::Amount {
                amount: Some(Fen(fen)),
                ..Default::default()
            }])
            .with(&[voucher::Dated {
                date: Some(Day(20_000)),
            }])
            .with(&[voucher::Purpose {
                category: Some(voucher::Category::MEAL),
                category_text: None,
            }])
    }

    fn check_voucher(record: &Record, expected: &[&str]) {
        let rules: Vec<_> = at_capture(record).iter().map(|problem| problem.rule).collect();
        assert_eq!(rules, expected);
    }

    #[test]
    fn a_voucher_has_an_amount_above_zero_a_date_and_a_category() {
        check_voucher(&voucher(1), &[]);
        check_voucher(&blank(&VOUCHER), &["V-01", "V-02", "V-03"]);
        check_voucher(&voucher(0), &["V-05"]);
        check_voucher(&voucher(-100), &["V-05"]);
    }

    #[test]
    fn a_refund_comes_by_import_only_and_zero_never() {
        let origin = voucher::VoucherOrigin {
            source: text("birmingham_pcard"),
            ..Default::default()
        };
        check_voucher(&voucher(-100).with(std::slice::from_ref(&origin)), &[]);
        check_voucher(&voucher(0).with(&[origin]), &["V-05"]);
    }

    #[test]
    fn a_sum_that_is_not_the_invoices_is_a_notice() {
        let qr = |raw: &str| voucher::InvoiceNo {
            qr_raw: text(raw),
            ..Default::default()
        };
        let raw = "01,32,,25152000009858579102,56.00,20250302,,D263";
        check_voucher(&voucher(5600).with(&[qr(raw)]), &[]);
        let record = voucher(6500).with(&[qr(raw)]);
        check_voucher(&record, &["N5"]);
        assert!(!at_capture(&record)[0].blocks());
        check_voucher(&voucher(5600).with(&[qr("not an invoice")]), &[]);
    }
}
