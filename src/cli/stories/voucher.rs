//! Vouchers, typed and scanned.

use serde_json::Value;

use crate::cli::testing::Device;

#[test]
fn a_voucher_needs_what_the_policy_asks_for() {
    let device = Device::new();
    let photo = device.dir.path().join("slip.jpg");
    std::fs::write(&photo, b"not really a picture").unwrap();
    let photo = photo.to_str().unwrap();
    let add = ["voucher", "add", "--category", "city_transport", "--amount", "35.00", "--date", "2026-11-20"];
    let made = device.json(&[&add[..], &["--photo", photo]].concat());
    let shown = device.json(&["voucher", "show", made["code"].as_str().unwrap()]);
    assert_eq!((&shown["fields"]["amount_fen"], &shown["fields"]["amount"]), (&3500.into(), &"35.00".into()));
    assert_eq!(shown["lists"]["photo"][0]["mime"], "image/jpeg");
    assert_eq!(device.json(&["status"])["files"]["here_only"], 1);
    for (amount, part) in [("0", "V-05"), ("-3", "V-05"), ("35.005", "35.005"), ("abc", "abc")] {
        let ran =
            device.run(&["voucher", "add", "--category", "meal", "--amount", amount, "--date", "2026-11-20"]);
        assert_eq!(ran.exit, 1, "{amount}");
        assert!(ran.err.contains(part), "{}", ran.err);
    }
    assert_eq!(device.run(&["voucher", "add", "--amount", "3"]).exit, 1);
    assert_eq!(device.json(&["voucher", "list"]).as_array().unwrap().len(), 1);
    device.done(&["voucher", "discard", made["code"].as_str().unwrap()]);
    assert_eq!(device.json(&["voucher", "list", "--state", "captured"]).as_array().unwrap().len(), 0);
}

#[test]
fn scanned_invoices_are_kept_once_and_others_are_told() {
    let device = Device::new();
    let text = "01,32,,25152000009858579102,56.00,20250302,,D263\nhello\n\n";
    let ran = device.run_with(&["voucher", "scan", "--json"], text);
    assert_eq!(ran.exit, 1);
    let answers: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&answers[0]["amount"], &answers[0]["checksum"]), (&"56.00".into(), &"match".into()));
    assert!(answers[1]["error"].as_str().unwrap().contains("hello"));
    let again = device.run_with(&["voucher", "scan"], text.lines().next().unwrap());
    assert_eq!(again.exit, 0);
    assert!(again.out.contains("Already here"), "{}", again.out);
}

#[test]
fn a_scan_never_takes_a_sum_without_tax_for_what_was_paid() {
    let device = Device::new();
    let text = "01,10,011001900311,26105568,356.60,20190602,69609999443421834136,C348";
    let ran = device.run_with(&["voucher", "scan", "--json"], text);
    assert_eq!(ran.exit, 0, "{}", ran.err);
    let answers: Value = serde_json::from_str(&ran.out).unwrap();
    let (scanned, code) = (&answers[0], answers[0]["code"].as_str().unwrap());
    assert_eq!((&scanned["amount"], &scanned["qr_amount"]), (&Value::Null, &"356.60".into()));
    assert_eq!((&scanned["tax"], &scanned["checksum"]), (&"excluded".into(), &"match".into()));
    let rules = |answer: &Value| -> Vec<String> {
        let notices = answer["notices"].as_array().unwrap().iter();
        notices.map(|notice| notice["rule"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(rules(scanned), ["V-06", "V-07"]);
    let shown = device.json(&["voucher", "show", code]);
    assert_eq!((&shown["fields"]["category"], &shown["state"]), (&Value::Null, &"captured".into()));

    let twice = device.run(&["voucher", "add", "--category", "meal", "--amount", "360", "--qr", text]);
    assert!(twice.err.contains("[W-29]") && twice.err.contains(code), "{}", twice.err);
    let low = device.json(&["voucher", "set", code, "amount=350", "category=meal"]);
    assert_eq!(rules(&low), ["N5"], "less than the sum without tax");
    assert_eq!(rules(&device.json(&["voucher", "set", code, "amount=378"])), [""; 0]);
    assert!(device.run(&["voucher", "set", code, "amount=0"]).err.contains("V-05"));
    assert_eq!(device.json(&["voucher", "show", code])["fields"]["amount"], "378.00");

    device.done(&["voucher", "discard", code]);
    let again = device.json(&["voucher", "add", "--category", "meal", "--amount", "378", "--qr", text]);
    let other = again["code"].as_str().unwrap();
    let ran = device.run_with(&["voucher", "scan"], text);
    assert!(ran.out.contains(other), "the voucher that counts is found: {}", ran.out);
}

#[test]
fn a_qr_text_that_was_cut_short_is_told_by_its_part_and_nothing_is_kept() {
    let device = Device::new();
    let add = ["voucher", "add", "--category", "meal", "--amount", "70", "--date", "2026-11-20", "--qr"];
    for (text, part) in [
        ("01,10,011001605111,801007", "is not an invoice's QR text"),
        ("01,10,011001605111,801007,64.9,20161018,", "the invoice number is not 8 or 20 digits"),
        ("01,10,011001605111,80100798,64.9,201610,", "the day of issue is cut short"),
        ("01,10,011001605111,80100798,64.9,20161018,85342965681", "the check code is not 20 digits"),
    ] {
        let ran = device.run(&[&add[..], &[text]].concat());
        assert_eq!(ran.exit, 1, "{text}");
        assert!(ran.err.contains(part) && ran.err.contains("[W-28]\nhint: "), "{}", ran.err);
        let ran = device.run_with(&["voucher", "scan"], text);
        assert!(ran.exit == 1 && ran.out.contains(part), "{} {}", ran.out, ran.err);
    }
    assert_eq!(device.json(&["voucher", "list"]).as_array().unwrap().len(), 0);
}

#[test]
fn a_photo_leaves_its_look_on_the_voucher_once() {
    let device = Device::new();
    let photo = |name: &str, turn: usize| {
        let path = device.dir.path().join(name);
        let bytes: Vec<u8> =
            (0..64 * 64_usize).map(|at| if (at / 8 + at / 512) % 3 == turn { 30 } else { 220 }).collect();
        let mut file = Vec::new();
        let encoder = jpeg_encoder::Encoder::new(&mut file, 90);
        encoder.encode(&bytes, 64, 64, jpeg_encoder::ColorType::Luma).unwrap();
        std::fs::write(&path, file).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let add = ["voucher", "add", "--category", "meal", "--amount", "35.00", "--date", "2026-11-20"];
    let made = device.json(&[&add[..], &["--photo", &photo("a.jpg", 0)]].concat());
    let code = made["code"].as_str().unwrap();
    let look = || device.json(&["voucher", "show", code])["fields"]["phash"].as_str().unwrap().to_owned();
    let first = look();
    assert_eq!(first.len(), 16, "8 bytes: {first}");
    let second = format!("file={}", photo("b.jpg", 1));
    device.done(&["voucher", "attach", code, "photo", &second]);
    assert_eq!(look(), first);
    let bare = device.json(&add);
    device.done(&["voucher", "attach", bare["code"].as_str().unwrap(), "photo", &second]);
    let shown = device.json(&["voucher", "show", bare["code"].as_str().unwrap()]);
    assert_ne!(shown["fields"]["phash"], first.as_str());
}

#[test]
fn a_voucher_that_is_here_already_is_told_when_it_is_captured() {
    let device = Device::new();
    let rules = |answer: &Value| -> Vec<String> {
        let notices = answer["notices"].as_array().unwrap().iter();
        notices.map(|notice| notice["rule"].as_str().unwrap().to_owned()).collect()
    };
    let add = |amount: &str, more: &[&str]| {
        let typed = ["voucher", "add", "--category", "meal", "--amount", amount, "--date", "2026-11-20"];
        device.json(&[&typed[..], more].concat())
    };
    let number = ["--set", "inv_no=25152000009858579102"];
    let first = add("56", &number);
    assert_eq!(rules(&first), [""; 0]);
    let again = add("57", &number);
    assert_eq!(rules(&again), ["B6"]);
    let (code, said) = (first["code"].as_str().unwrap(), again["notices"][0]["message"].as_str().unwrap());
    assert!(said.contains(&format!("is here already: {code}, 2026-11-20")), "{said}");
    // The typed number and the scanned text are one invoice.
    let scanned =
        device.run_with(&["voucher", "scan", "--json"], "01,32,,25152000009858579102,56.00,20250302,,D263");
    let scanned: Value = serde_json::from_str(&scanned.out).unwrap();
    assert_eq!(rules(&scanned[0]), ["V-07", "B6", "B6"]);
    device.done(&["voucher", "discard", again["code"].as_str().unwrap()]);
    device.done(&["voucher", "discard", scanned[0]["code"].as_str().unwrap()]);
    assert_eq!(rules(&device.json(&["voucher", "set", code, "amount=58"])), [""; 0]);

    // Without a number: the same person's day, amount and seller.
    let seller = ["--set", "seller=如家酒店"];
    assert_eq!(rules(&add("35", &seller)), [""; 0]);
    assert_eq!(rules(&add("35", &seller)), ["R2"]);
    let other = add("36", &seller);
    assert_eq!(rules(&other), [""; 0]);
    let set = device.json(&["voucher", "set", other["code"].as_str().unwrap(), "amount=35"]);
    assert_eq!(rules(&set), ["R2", "R2"], "the two that stand");
}
