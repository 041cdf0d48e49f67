//! The device's pages: no flow of anybody's, but every page in every width and language.

use crate::audit::Face;
use crate::flow::Flow;
use crate::page::{DESK, PHONE, TABLET};
use crate::served::Served;
use crate::town::{ENGINEER, Town};

#[test]
fn every_tab_of_a_device_stands_in_every_width_and_language() {
    let town = Town::found();
    let device = town.device(ENGINEER);
    let pages = Served::of(&device);
    for (width, lang) in [(PHONE, "zh-CN"), (PHONE, "en"), (TABLET, "zh-CN"), (DESK, "en")] {
        let mut flow = Flow::begin(pages.open(width, lang), Face::Device);
        // Who has the phone knows who he is; there the title has the room.
        assert_eq!(flow.page.shown().contains("刘洋"), width != PHONE);
        let shown = flow.page.text_of("document.documentElement.lang");
        assert_eq!(shown, lang);
    }
}
