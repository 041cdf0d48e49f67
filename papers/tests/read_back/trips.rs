//! Trip summaries.

use papers::claim::SignStep;
use papers::paper::{Paper, Print};
use papers::trip::{TripDay, TripForm};
use papers::words::Lang;
use records::time::Day;

use crate::Printed;

fn form(days: i32) -> TripForm {
    let day = |n| TripDay {
        date: Day(20_742 + n),
        place: "石家庄".to_owned(),
        customer: "华北制药集团有限责任公司".to_owned(),
        purpose: "二期空压机维修".to_owned(),
        legs: vec!["北京西 08:00 → 石家庄 09:12 火车".to_owned()],
        sheets: vec!["RBJ01-E1001-2610-007".to_owned()],
        nights: 1,
        allowance_days: 1,
    };
    let signed = SignStep {
        title: "主管".to_owned(),
        name: "李四（代王五）".to_owned(),
        decision: "同意".to_owned(),
        day: Some(Day(20_758)),
    };
    TripForm {
        staff: "欧阳明轩".to_owned(),
        staff_code: "E1001".to_owned(),
        unit: "北京客服中心".to_owned(),
        half: "2026-10-H2".to_owned(),
        state: "已批准".to_owned(),
        days: (0..days).map(day).collect(),
        note: "其中两天为培训，附通知。".to_owned(),
        steps: vec![signed],
    }
}

fn print(lang: Lang, form: TripForm) -> Printed {
    Printed::of(&Print { lang, title: form.half.clone(), papers: vec![Paper::Trip(form)] })
}

#[test]
fn a_trip_summary_gives_back_its_days_and_who_approved() {
    let page = print(Lang::ZhCn, form(16));
    for words in ["出差汇总审批表", "2026-10-31", "华北制药集团", "李四（代王五）", "2026-11-01", "附通知"]
    {
        page.has(words);
    }
}

#[test]
fn a_half_month_without_travel_prints_too() {
    let page = print(Lang::En, TripForm { note: String::new(), steps: Vec::new(), ..form(0) });
    assert_eq!(page.pages(), 1);
    page.has("Trip summary");
}
