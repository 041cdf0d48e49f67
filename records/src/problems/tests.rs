//! Each rule of a form, kept and broken.

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
        .with(&[sheet::Visit { arrived: Some(Ts(0)), left: Some(Ts(0)) }])
        .with(&[sheet::Result { result: Some(SheetResult::DONE), outcome: None }])
        .with(&[sheet::CustomerSign { no_sign_reason: Some(NoSign::REMOTE), ..Default::default() }])
}

fn check_seal(record: &Record, expected: &[&str]) {
    let kind = if record.kind.name == "install" { SheetType::INSTALL } else { SheetType::REPAIR };
    let template = Template::built_in(kind, Lang::En);
    let found = before_seal(record, &template, Zone::SHANGHAI);
    let rules: Vec<_> = found.iter().map(|problem| problem.rule).collect();
    assert_eq!(rules, expected);
    for problem in &found {
        assert!(
            !problem.text(Lang::Zh).contains('{') && !problem.hint(Lang::En).contains('{'),
            "{problem:?}"
        );
        let group = record.kind.groups.iter().find(|group| group.name == problem.group);
        let fields = group.map_or(&[][..], |group| group.fields);
        let named = problem.field.is_empty() || fields.iter().any(|field| field.name == problem.field);
        assert!(named, "{problem:?} names no field");
    }
}

#[test]
fn a_sheet_is_sealed_only_when_it_is_finished() {
    check_seal(&good(&REPAIR), &[]);
    check_seal(&blank(&REPAIR), &["S-01", "S-03", "S-07"]);
    let early = sheet::Visit { arrived: Some(Ts(60_000)), left: Some(Ts(0)) };
    check_seal(&good(&REPAIR).with(&[early]), &["S-02"]);
    let rating = sheet::Rating { customer_rating: Some(Count(6)) };
    check_seal(&good(&REPAIR).with(&[rating]), &["S-11"]);
    let amends =
        sheet::Amends { amend_of: Some(Ref(Target::Text("RHZ-T006-2503-001".into()))), amend_reason: None };
    check_seal(&good(&REPAIR).with(&[amends]), &["S-12"]);
}

#[test]
fn a_signature_names_its_signer_and_excludes_a_reason() {
    let mut sign = sheet::CustomerSign { png: Some(FileHash(vec![1; 32])), ..Default::default() };
    check_seal(&good(&REPAIR).with(&[sign.clone()]), &["S-08"]);
    sign.signer_name = text("李雷");
    check_seal(&good(&REPAIR).with(&[sign.clone()]), &[]);
    sign.no_sign_reason = Some(NoSign::REFUSED);
    check_seal(&good(&REPAIR).with(&[sign]), &["S-09"]);
}

#[test]
fn an_installation_needs_its_photo_unless_an_import_brought_it() {
    check_seal(&good(&INSTALL), &["S-06"]);
    let photo = sheet::Photos { file: Some(FileHash(vec![7; 12])), ..Default::default() };
    check_seal(&good(&INSTALL).with(&[photo]), &[]);
    let origin = sheet::Origin { source: text("nist_excavators"), ..Default::default() };
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
        value: Some(MeterValue { mantissa, decimals: 1, unit: "kWh".into() }),
        jump,
        ..Default::default()
    };
    let found =
        readings(&[row(100, None), row(101, None), row(99, None), row(5, Some(sheet::Jump::ROLLOVER))]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].text(Lang::En), "the reading 9.9 kWh of \"main\" is below the last one, 10.1 kWh");
}

fn voucher(fen: i64) -> Record {
    blank(&VOUCHER)
        .with(&[voucher::Amount { amount: Some(Fen(fen)), ..Default::default() }])
        .with(&[voucher::Dated { date: Some(Day(20_000)) }])
        .with(&[voucher::Purpose { category: Some(voucher::Category::MEAL), category_text: None }])
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
    let origin = voucher::VoucherOrigin { source: text("birmingham_pcard"), ..Default::default() };
    check_voucher(&voucher(-100).with(std::slice::from_ref(&origin)), &[]);
    check_voucher(&voucher(0).with(&[origin]), &["V-05"]);
}

#[test]
fn a_sum_that_is_not_the_invoices_is_a_notice() {
    let qr = |raw: &str| voucher::InvoiceNo { qr_raw: text(raw), ..Default::default() };
    let raw = "01,32,,25152000009858579102,56.00,20250302,,D263";
    check_voucher(&voucher(5600).with(&[qr(raw)]), &[]);
    let record = voucher(6500).with(&[qr(raw)]);
    check_voucher(&record, &["N5"]);
    assert!(!at_capture(&record)[0].blocks());
    check_voucher(&voucher(5600).with(&[qr("not an invoice")]), &[]);
}

#[test]
fn a_photographed_voucher_is_kept_and_asks_for_the_rest() {
    let photo = sheet::Photos { file: Some(FileHash(vec![7; 12])), ..Default::default() };
    let day = voucher::Dated { date: Some(Day(20_000)) };
    let shot = blank(&VOUCHER).with(&[photo]).with(&[day]);
    check_voucher(&shot, &["V-06", "V-07"]);
    let strict: Vec<_> = before_place(&shot).iter().map(|problem| problem.rule).collect();
    assert_eq!(strict, ["V-01", "V-03"], "a claim takes nothing unfinished");
}

#[test]
fn a_scanned_voucher_is_kept_and_asks_for_what_the_qr_does_not_say() {
    let qr = |raw: &str| voucher::InvoiceNo { qr_raw: text(raw), ..Default::default() };
    let day = voucher::Dated { date: Some(Day(20_000)) };
    let without_tax = "01,10,011001900311,26105568,356.60,20190602,69609999443421834136,C348";
    let scanned = blank(&VOUCHER).with(&[qr(without_tax)]).with(&[day]);
    check_voucher(&scanned, &["V-06", "V-07"]);
    assert!(at_capture(&scanned).iter().all(|problem| !problem.blocks()));
    let strict: Vec<_> = before_place(&scanned).iter().map(|problem| problem.rule).collect();
    assert_eq!(strict, ["V-01", "V-03"], "a claim takes nothing unfinished");
    let miss = without_tax.replace("C348", "C349");
    let scanned = blank(&VOUCHER).with(&[qr(&miss)]).with(&[voucher::Dated { date: Some(Day(1)) }]);
    check_voucher(&scanned, &["V-06", "V-07", "N5"]);
    check_voucher(&voucher(35_660).with(&[qr(without_tax)]), &[]);
    check_voucher(&voucher(35_000).with(&[qr(without_tax)]), &["N5"]);
}
