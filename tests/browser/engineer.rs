//! The engineer's day on the glass, in a plant room without a network, and the evening when there is one.

use std::path::PathBuf;

use crate::audit::Face;
use crate::flow::Flow;
use crate::page::{PHONE, TABLET};
use crate::served::Served;
use crate::town::{ENGINEER, Town, job};
use crate::world::Device;

/// Writes a photo as a camera takes it: 1600 by 1200, and every one of them another.
fn photo(device: &Device, name: &str) -> PathBuf {
    let pixel = |at: usize| [at % 251, at / 1_600 % 241, at * name.len() % 239];
    let rgb: Vec<u8> =
        (0..1_600 * 1_200).flat_map(pixel).filter_map(|light| u8::try_from(light).ok()).collect();
    let mut jpeg = Vec::new();
    let encoder = jpeg_encoder::Encoder::new(&mut jpeg, 80);
    encoder.encode(&rgb, 1_600, 1_200, jpeg_encoder::ColorType::Rgb).expect("a picture");
    // The browser opens no path that leads through a parent.
    std::fs::canonicalize(device.file(name, &jpeg)).expect("the photo")
}

/// Flow 1: the job's sheet is open with what is known of the place; returns the sheet's address.
fn starts_from_a_job(flow: &mut Flow, device: &Device) -> String {
    flow.visit("/");
    flow.tap(&format!("#jobs a[href^='/jobs/{}']", job(device, "J-1")));
    flow.tap("#arrived");
    flow.page.shows("钱塘纺织有限公司");
    flow.ends(1);
    flow.page.path().split('?').next().expect("a path").to_owned()
}

/// Flow 3: the work was written down meanwhile; what is left is the customer.
fn finishes_with_a_signature(flow: &mut Flow, device: &Device, sheet: &str) {
    let id = sheet.rsplit('/').next().expect("an id");
    device.ask(["sheet", "set", id, "work_done=更换进气滤芯", "problem=排气压力不足"]);
    flow.visit(sheet);
    flow.tap("#finish-done");
    flow.sign("#signature-pad");
    flow.tap("button[name=do][value=seal]");
    flow.page.hides("✗");
    flow.ends(3);
    assert_eq!(device.ask(["sheet", "show", id])["state"], "sealed");
}

/// Flow 2: nobody ordered it, nobody knows of it.
fn begins_unplanned(flow: &mut Flow) {
    flow.visit("/");
    flow.scan("#asset", "JL-AC-2");
    flow.tap("#begin-repair");
    flow.page.shows("JL-AC-2");
    flow.ends(2);
}

/// Flow 4: twenty points, one tap each.
fn goes_round(flow: &mut Flow) {
    flow.visit("/");
    flow.tap("#drafts a.row[href$='/round']");
    for point in 1..=20 {
        flow.tap(&format!("#item-{point}-ok"));
    }
    flow.tap("button[name=do][value=seal]");
    flow.page.hides("✗");
    flow.ends(4);
}

/// Flow 5: a receipt in the taxi; the photo is saved before the amount is known.
fn captures_a_receipt(flow: &mut Flow, device: &Device) {
    flow.visit("/");
    flow.photo("#receipt-photo", &photo(device, "receipt.jpg"));
    flow.type_into("#amount", "35.00");
    flow.tap("#category-city_transport");
    flow.page.shows("35.00");
    flow.ends(5);
}

/// Flow 7: the network is back, and one look proves that headquarters has it all.
fn proves_that_headquarters_has_it(flow: &mut Flow, town: &mut Town) {
    flow.visit("/");
    assert!(
        flow.page.eval("!document.querySelector('.standing .badge.good')") == true,
        "all of it is here only"
    );
    town.hq.serve();
    flow.tap(".standing a");
    flow.page.wait("document.querySelector('[data-fresh] > .told.good')");
    flow.ends(7);
}

fn day(width: u32, lang: &'static str) {
    let mut town = Town::found();
    let mut device = town.device(ENGINEER);
    town.hq.kill();
    let pages = Served::of(&device);
    let mut flow = Flow::begin(pages.open(width, lang), Face::Device);
    let sheet = starts_from_a_job(&mut flow, &device);
    flow.visit(&format!("/jobs/{}", job(&device, "J-2")));
    flow.page.tap("#arrived");
    flow.was_clean();
    drop(pages);

    // Two hours of work later; the tablet was off meanwhile.
    device.now = Some("2025-03-10T10:30:00+08:00".to_owned());
    let pages = Served::of(&device);
    let mut flow = Flow::begin(pages.open(width, lang), Face::Device);
    finishes_with_a_signature(&mut flow, &device, &sheet);
    begins_unplanned(&mut flow);
    captures_a_receipt(&mut flow, &device);
    goes_round(&mut flow);
    proves_that_headquarters_has_it(&mut flow, &mut town);
    flow.was_clean();
    drop(pages);
    assert_eq!(device.status()["unsent_ops"], 0);
    assert_eq!(device.sync()["level"], true);
}

#[test]
fn an_engineers_day_on_a_phone_takes_the_promised_steps() {
    day(PHONE, "zh-CN");
}

#[test]
fn an_engineers_day_on_a_tablet_takes_the_promised_steps() {
    day(TABLET, "en");
}
