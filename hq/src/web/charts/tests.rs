//! A chart says the same as its table.

use records::kinds::voucher::Category;

use crate::cli::testing::Office;
use crate::figures;
use crate::web::testing::Browser;

#[test]
fn a_charts_numbers_are_those_of_its_claims_and_of_its_table() {
    let office = Office::new();
    office.claim("E01", "C1", &[(Category::COURIER, "2026-03-05", 2_000, 2_000)]);
    office.claim(
        "E03",
        "C3",
        &[(Category::COURIER, "2026-03-05", 700, 700), (Category::PHONE, "2026-03-06", 50, 50)],
    );
    let mut desk = office.desk();
    let auditor = desk.people().unwrap().by_code("A01").unwrap().0;
    let reader = desk.list_reader(auditor).unwrap();
    let claims = desk.claims_read(&reader, "2026-03-28".parse().unwrap()).unwrap();
    let [branch, category] = desk.costs(&claims).unwrap();
    assert_eq!(branch.bars[0].1, [2_000, 750], "East, West");
    assert_eq!(category.bars[0].1.iter().sum::<i64>(), 2_750);
    let ages = figures::ages(&claims, "2026-03-28".parse().unwrap());
    assert_eq!(ages.bars.iter().map(|(_, bar)| bar.iter().sum::<i64>()).sum::<i64>(), 2);
    assert_eq!(ages.bars.iter().map(|(_, bar)| bar[2]).sum::<i64>(), 2, "eight days");
    let page = Browser::of(&office, "A01").get("/charts");
    for said in
        ["aria-label=\"Cost by branch, last six mailings: 2026-03-B 27.50\"", ">20.00</td>", ">7.50</td>"]
    {
        assert!(page.contains(said), "{said}: {page}");
    }
    assert!(!page.contains("style="), "the content policy forbids it");
}

#[test]
fn whoever_leads_a_branch_sees_its_numbers_only() {
    let office = Office::new();
    office.claim("E01", "C1", &[(Category::COURIER, "2026-03-05", 2_000, 2_000)]);
    office.claim("E03", "C3", &[(Category::COURIER, "2026-03-05", 700, 700)]);
    let page = Browser::of(&office, "G02").get("/charts");
    assert!(page.contains("7.00") && !page.contains("20.00") && !page.contains("27.00"), "{page}");
    assert!(!page.contains("id=\"devices\""), "how devices stand is the administrator's and the manager's");
    assert!(Browser::of(&office, "M01").get("/charts").contains("id=\"devices\""));
}

#[test]
fn a_device_stands_in_the_band_of_its_silence() {
    let office = Office::new();
    office.done("device code --staff E01");
    let mut desk = office.desk();
    let mut device = desk.store.devices(None).unwrap().remove(0);
    let now = office.now_ms();
    let hour = 3_600_000;
    for (silent, band) in [(None, 4), (Some(0), 0), (Some(24 * hour), 1), (Some(7 * 24 * hour), 3)] {
        device.seen_ms = silent.map(|ms| now - ms);
        desk.store.device_put(&device).unwrap();
        let figure = desk.silences(now).unwrap();
        let bands: Vec<i64> = figure.bars.iter().map(|(_, bar)| bar[0]).collect();
        assert_eq!(bands.iter().position(|n| *n == 1), Some(band), "{silent:?}: {bands:?}");
    }
}
