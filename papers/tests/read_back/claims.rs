//! Claim forms.

use papers::claim::{ClaimForm, ClaimLine, blank_steps};
use papers::paper::{Paper, PaperError, Print};
use papers::words::Lang;
use records::money::Fen;
use records::time::Day;

use crate::Printed;

fn line(detail: &str, claimed: i64, payable: Option<i64>) -> ClaimLine {
    ClaimLine {
        date: Day(20_757),
        category: "长途交通".to_owned(),
        detail: detail.to_owned(),
        sheets: vec!["RBJ01-E1001-2610-007".to_owned()],
        claimed: Fen(claimed),
        vouchers: 2,
        payable: payable.map(Fen),
        self_paid: Fen(0),
        reason: String::new(),
    }
}

fn form(lines: Vec<ClaimLine>) -> ClaimForm {
    ClaimForm {
        number: "BJ01-E1001-2026-0007".to_owned(),
        company: "华北分公司".to_owned(),
        claimant: "欧阳明轩".to_owned(),
        staff_code: "E1001".to_owned(),
        unit: "北京客服中心".to_owned(),
        period: "2026-10-H2".to_owned(),
        submitted: Some(Day(20_758)),
        policy: "2022-06/1".to_owned(),
        non_service: false,
        lines,
        steps: blank_steps(Lang::ZhCn, true),
    }
}

fn print(lang: Lang, form: ClaimForm) -> Printed {
    Printed::of(&Print { lang, title: "费用报销单".to_owned(), papers: vec![Paper::Claim(form)] })
}

#[test]
fn a_claim_form_gives_back_its_words_and_amounts() {
    let cut = ClaimLine {
        payable: Some(Fen(10_000)),
        reason: "超过本月市内交通费上限".to_owned(),
        self_paid: Fen(3_456),
        ..line("市内打车", 13_456, None)
    };
    let page = print(Lang::ZhCn, form(vec![line("北京—石家庄", 110_000, Some(110_000)), cut]));
    assert_eq!(page.pages(), 1);
    for words in [
        "费用报销单",
        "BJ01-E1001-2026-0007",
        "欧阳明轩",
        "北京—石家庄",
        "1234.56",
        "壹仟贰佰叁拾肆元伍角陆分",
        "壹仟贰佰元整",
        "34.56",
        "核减原因：超过本月市内交通费上限",
        "副总经理",
    ] {
        page.has(words);
    }
}

#[test]
fn forty_lines_with_long_notes_go_over_pages_and_every_one_is_there() {
    let note = "因客户二期空压机突发故障，当日往返现场三次，附客户签字的维修单与过路费清单；";
    let lines = (1..=40).map(|n| line(&format!("{n}号{}", note.repeat(n % 4)), 1_000, None));
    let page = print(Lang::ZhCn, form(lines.collect()));
    assert!(page.pages() > 2);
    page.has("40号");
    page.has(&format!("第 1 页，共 {} 页", page.pages()));
    page.has("待审核");
    page.has("¥400.00 肆佰元整");
}

#[test]
fn a_note_longer_than_a_page_is_carried_on() {
    let page = print(Lang::ZhCn, form(vec![line(&"说明".repeat(2_000), 1_000, None)]));
    assert!(page.pages() > 2);
}

#[test]
fn a_draft_without_lines_says_that_it_is_one() {
    let draft = ClaimForm { number: String::new(), submitted: None, steps: Vec::new(), ..form(Vec::new()) };
    let page = print(Lang::ZhCn, draft);
    assert_eq!(page.pages(), 1);
    page.has("草稿：尚无编号，不能报销");
    page.has("¥0.00 零元整");
}

#[test]
fn english_words_stand_around_the_same_amounts_in_capitals() {
    let page = print(Lang::En, form(vec![line("Beijing to Shijiazhuang", -320, Some(-320))]));
    page.has("Expense claim");
    page.has("¥-3.20 负叁元贰角整");
    page.has("Page 1 of 1");
}

#[test]
fn a_sum_that_is_no_amount_is_refused() {
    let print =
        |lines| Print { lang: Lang::En, title: String::new(), papers: vec![Paper::Claim(form(lines))] };
    let two = vec![line("", i64::MAX, None), line("", 1, None)];
    assert_eq!(print(two).characters(), Err(PaperError::Sum));
    let cut = vec![line("", i64::MIN, Some(1))];
    assert_eq!(print(cut).characters(), Err(PaperError::Sum));
}
