//! Checklists answered well and badly.

use super::*;
use crate::value::FileHash;

fn text<const MAX: u16>(text: &str) -> Option<Text<MAX>> {
    Some(Text(text.to_owned()))
}

fn number(mantissa: i64, decimals: u8) -> Option<MeterValue> {
    Some(MeterValue { mantissa, decimals, unit: String::new() })
}

fn item(key: &str, kind: ItemKind) -> Items {
    Items { key: text(key), kind: Some(kind), required: Some(true), ..Items::default() }
}

fn check_one(item: Items, answer: Answers, expected: Option<&str>) {
    let key = item.key.clone();
    let template = Template { items: vec![item] };
    let answer = Answers { item: key, ..answer };
    let found = check(&template, std::slice::from_ref(&answer), &[]);
    assert_eq!(found.first().map(|problem| problem.rule), expected, "{template:?} {answer:?}");
}

#[test]
fn an_answer_must_fit_its_item() {
    let yes = Answers { answer: Some(Answer::YES), ..Answers::default() };
    let fault = Answers { answer: Some(Answer::FAULT), ..Answers::default() };
    let said = |word: &str| Answers { text: text(word), ..Answers::default() };
    check_one(item("a", ItemKind::YESNO), yes.clone(), None);
    check_one(item("a", ItemKind::YESNO), fault.clone(), Some("S-14"));
    check_one(item("a", ItemKind::OK_WATCH_FAULT), fault, None);
    check_one(item("a", ItemKind::NUMBER), yes, Some("S-14"));
    check_one(item("a", ItemKind::DATE), said("2026-02-30"), Some("S-14"));
    let list = |kind| Items { options: text("red; green"), ..item("a", kind) };
    check_one(list(ItemKind::CHOICE), said("green"), None);
    check_one(list(ItemKind::CHOICE), said("blue"), Some("S-14"));
    check_one(list(ItemKind::MULTI), said("green;red"), None);
}

#[test]
fn a_value_outside_its_limits_needs_a_note() {
    let limits = || Items { min: number(5, 1), max: number(10, 0), ..item("t", ItemKind::NUMBER) };
    let value = |value| Answers { value, ..Answers::default() };
    check_one(limits(), value(number(50, 2)), None);
    check_one(limits(), value(number(49, 2)), Some("S-05"));
    check_one(limits(), value(number(10_001, 3)), Some("S-05"));
    let noted = Answers { note: text("heating was off"), ..value(number(11, 0)) };
    check_one(limits(), noted, None);
}

#[test]
fn a_hidden_item_is_not_asked() {
    let hidden = Items { show_if: text("leak=yes"), ..item("where", ItemKind::TEXT) };
    let template = Template { items: vec![item("leak", ItemKind::YESNO), hidden] };
    let leak = |answer| vec![Answers { item: text("leak"), answer: Some(answer), ..Answers::default() }];
    assert_eq!(check(&template, &leak(Answer::NO), &[]), []);
    let found = check(&template, &leak(Answer::YES), &[]);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].rule, &found[0].facts[0].1), ("S-04", &"where".to_owned()));
}

#[test]
fn photos_are_counted_by_item() {
    let template =
        Template { items: vec![Items { photos_min: Some(Count(2)), ..item("plate", ItemKind::PHOTO) }] };
    let photo = |item| Photos { file: Some(FileHash(vec![1])), item, ..Photos::default() };
    assert_eq!(check(&template, &[], &[photo(text("plate")), photo(None)]), []);
    assert_eq!(check(&template, &[], &[photo(text("plate")), photo(text("other"))])[0].rule, "S-06");
}

#[test]
fn the_built_in_checklists_ask_only_for_the_photo_of_an_installation() {
    for (sheet, expected) in
        [(SheetType::INSTALL, vec!["S-06"]), (SheetType::REPAIR, vec![]), (SheetType::INSPECTION, vec![])]
    {
        let template = Template::built_in(sheet, Lang::Zh);
        assert!(template.items.len() > 2 && template.items.iter().all(|item| item.label.is_some()));
        let rules: Vec<_> = check(&template, &[], &[]).iter().map(|problem| problem.rule).collect();
        assert_eq!(rules, expected);
    }
}
