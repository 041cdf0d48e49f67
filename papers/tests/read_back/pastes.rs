//! Paste sheets.

use papers::paper::{Paper, Print};
use papers::paste::{PasteSheets, PasteVoucher, Place};
use papers::words::Lang;
use proptest::prelude::*;
use records::money::Fen;
use records::time::Day;

use crate::Printed;

fn voucher(line: u32, paper: bool) -> PasteVoucher {
    PasteVoucher {
        line,
        date: Day(20_757),
        kind: "增值税普通发票".to_owned(),
        number: format!("2511700000012345{line:04}"),
        seller: "石家庄市如家快捷酒店管理有限公司".to_owned(),
        amount: Fen(i64::from(line) * 100),
        paper,
    }
}

fn sheets(max_per_sheet: u16, vouchers: Vec<PasteVoucher>) -> PasteSheets {
    let (number, claimant) = ("BJ01-E1001-2026-0007".to_owned(), "欧阳明轩".to_owned());
    PasteSheets { number, claimant, max_per_sheet, vouchers }
}

fn print(sheets: PasteSheets) -> Printed {
    let title = "票据粘贴单".to_owned();
    Printed::of(&Print { lang: Lang::ZhCn, title, papers: vec![Paper::Paste(sheets)] })
}

#[test]
fn sixteen_vouchers_fill_one_sheet_of_fifteen_and_begin_a_second() {
    let page = print(sheets(15, (1..=16).map(|line| voucher(line, true)).collect()));
    assert_eq!(page.pages(), 2);
    page.has("票据粘贴单 1/2");
    page.has("票据粘贴单 2/2");
    page.has("25117000000123450016");
}

#[test]
fn an_electronic_invoice_is_listed_but_has_no_place() {
    let pasted = sheets(15, vec![voucher(1, true), voucher(2, false), voucher(3, true)]);
    let place = |place| Some(Place { sheet: 1, place });
    assert_eq!(pasted.places(), [place(1), None, place(2)]);
    let page = print(pasted);
    page.has("只有电子件");
    page.has("25117000000123450002");
}

#[test]
fn without_vouchers_a_sheet_says_so() {
    let page = print(sheets(15, Vec::new()));
    assert_eq!(page.pages(), 1);
    page.has("没有需要粘贴的票据");
}

proptest! {
    #[test]
    fn places_follow_the_order_of_the_vouchers_and_no_sheet_is_overfull(
        most in 0_u16..20,
        papers in prop::collection::vec(any::<bool>(), 0..60),
    ) {
        let vouchers = papers.iter().map(|paper| voucher(1, *paper)).collect();
        let places: Vec<Place> = sheets(most, vouchers).places().into_iter().flatten().collect();
        prop_assert_eq!(places.len(), papers.iter().filter(|paper| **paper).count());
        let most = usize::from(most.max(1));
        for (n, place) in places.iter().enumerate() {
            prop_assert_eq!((place.sheet - 1) * most + place.place - 1, n);
            prop_assert!((1..=most).contains(&place.place));
        }
    }
}
