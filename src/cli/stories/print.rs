//! Papers from the device.

use crate::cli::testing::{Device, enrolment};
use sync_protocol::enrolment::Enrolment;

/// The font of the tests.
const FONT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/papers/fonts/NotoSansCJKsc-GB2312.otf");

impl Device {
    /// Prints a record and returns the answer with the file.
    fn print(&self, words: &[&str]) -> (serde_json::Value, Vec<u8>) {
        let out = self.dir.path().join("paper.pdf");
        let to = out.to_str().unwrap();
        let answer = self.json(&[words, &["--out", to, "--font", FONT]].concat());
        (answer, std::fs::read(&out).unwrap_or_default())
    }
}

#[test]
fn a_sealed_sheet_a_claim_and_a_trip_are_printed_from_the_device_alone() {
    let device = Device::enrolled(&Enrolment { claim_lease: Some((1, 1)), ..enrolment(7) });
    let sheet = device.ready();
    device.done(&["sheet", "seal", &sheet, "--no-sign", "absent"]);
    let (answer, file) = device.print(&["sheet", "print", &sheet]);
    assert_eq!(answer["code"], sheet.as_str(), "{answer:#}");
    assert!(file.starts_with(b"%PDF-1.7") && answer["bytes"] == file.len(), "{answer:#}");
    assert_eq!(answer["replaced"], "");

    device.done(&["voucher", "add", "--category", "phone", "--amount", "35.00", "--date", "2026-11-10"]);
    let drafted = device.json(&["claim", "draft", "2026-11-H1"]);
    let claim = drafted["code"].as_str().unwrap();
    let (answer, file) = device.print(&["claim", "print", claim]);
    assert!(file.starts_with(b"%PDF-1.7"), "{answer:#}");
    let (answer, file) = device.print(&["trip", "print", "2026-11-H2"]);
    assert!(file.starts_with(b"%PDF-1.7"), "{answer:#}");
    let (answer, _) = device.print(&["print", "nothing"]);
    assert_eq!(answer["error"]["rule"], "W-03");
}

#[test]
fn a_font_that_is_none_is_told_and_nothing_is_written() {
    let device = Device::new();
    let sheet = device.ready();
    let out = device.dir.path().join("paper.pdf");
    let no_font = device.dir.path().join("font.ttf");
    std::fs::write(&no_font, b"no font").unwrap();
    let words = ["sheet", "print", &sheet, "--out", out.to_str().unwrap(), "--font"];
    let ran = device.run(&[&words[..], &[no_font.to_str().unwrap()]].concat());
    assert_eq!(ran.exit, 2, "{}", ran.err);
    assert!(ran.err.contains("hint: ") && !out.exists(), "{}", ran.err);
}
