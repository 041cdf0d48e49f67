//! Claim forms.

use papers::claim::{ClaimForm, ClaimLine, blank_steps};
use papers::paper::{Paper, Print};
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
