//! Sheets, from nothing to their seal and after it.

use crate::cli::testing::Device;

#[test]
fn a_repair_sheet_goes_from_nothing_to_its_seal_without_a_network() {
    let device = Device::new();
    let code = device.json(&["sheet", "new", "repair", "--set", "customer=Acme"])["code"]
        .as_str()
        .unwrap()
        .to_owned();
    device.done(&[
        "sheet",
        "set",
        &code,
        "product=Pump",
        "problem=leaks = drips",
        "arrived=2026-11-22 08:00",
    ]);
    device.done(&["sheet", "add", &code, "part", "SP-6487", "2"]);
    device.done(&["sheet", "add", &code, "time", "kind=labour", "min=40"]);
    device.done(&["sheet", "add", &code, "note", "came by bus"]);

    let early = device.run(&["sheet", "seal", &code, "--no-sign", "absent"]);
    assert_eq!(early.exit, 1, "{}", early.out);
    assert!(early.err.contains("S-01") && early.err.contains("S-03"), "{}", early.err);
    assert_eq!(device.json(&["sheet", "show", &code])["state"], "draft");

    device.done(&["sheet", "set", &code, "left=2026-11-22 09:10", "result=done"]);
    let sealed = device.json(&["sheet", "seal", &code, "--no-sign", "absent"]);
    assert_eq!(sealed["number"], "RHZ01-T006-2611-001");

    let shown = device.json(&["sheet", "show", "RHZ01-T006-2611-001"]);
    assert_eq!(shown["state"], "sealed");
    assert_eq!(shown["fields"]["problem"], "leaks = drips");
    assert_eq!(shown["lists"]["part"][0]["qty"], "2");
    assert_eq!(shown["decisions"][0]["step"], "seal");

    let late = device.run(&["sheet", "set", &code, "result=partly"]);
    assert_eq!(late.exit, 1);
    assert!(late.err.contains("[W-06]") && late.err.contains("hint: "), "{}", late.err);
    device.done(&["sheet", "add", &code, "note", "invoice follows"]);
    assert_eq!(device.json(&["sheet", "list", "--state", "sealed"])[0]["number"], "RHZ01-T006-2611-001");
    let status = device.json(&["status"]);
    assert_eq!((&status["documents"], &status["next_sheet_no"]), (&1.into(), &2.into()));
}

#[test]
fn what_is_refused_says_why_and_changes_nothing() {
    let device = Device::new();
    let code = device.ready();
    let before = device.json(&["sheet", "show", &code]);
    let check = |words: &[&str], exit: u8, part: &str| {
        let ran = device.run(words);
        assert_eq!(ran.exit, exit, "{words:?}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains(part) && ran.err.contains("hint: "), "{words:?}: {}", ran.err);
        assert!(ran.out.is_empty(), "{words:?}: {}", ran.out);
        for rust in ["Error", "::", "Some(", "None", "unwrap"] {
            assert!(!ran.err.contains(rust), "{words:?}: {}", ran.err);
        }
    };
    check(&["sheet", "set", &code, "charge=12.345"], 1, "12.345");
    check(&["sheet", "set", &code, "colour=red"], 1, "[W-01]");
    check(&["sheet", "set", &code, "produkt=x"], 1, "product");
    check(&["sheet", "set", &code, "result=great"], 1, "done, partly, not_done");
    check(&["sheet", "set", &code, "arrived=31/02"], 1, "2026-11-22 09:30");
    check(&["sheet", "set", "ZZZZZZZZ", "result=done"], 1, "[W-03]");
    check(&["sheet", "set", &code, "result"], 2, "result");
    check(&["sheet", "add", &code, "wheel", "x"], 1, "part");
    check(&["sheet", "seal", &code], 1, "S-07");
    check(&["sheet", "seal", &code, "--no-sign", "tired"], 1, "refused, absent");
    check(&["sheet", "list", "--state", "open"], 2, "draft");
    check(&["sheet", "list", "--since", "yesterday"], 2, "yesterday");
    check(&["sheet", "shw"], 2, "show");
    assert_eq!(device.json(&["sheet", "show", &code]), before);
}

#[test]
fn a_sealed_sheet_is_corrected_by_a_new_one() {
    let device = Device::new();
    let code = device.ready();
    device.done(&["sheet", "seal", &code, "--no-sign", "remote"]);
    let refused = device.run(&["sheet", "void", &code]);
    assert!(refused.err.contains("[W-07]"), "{}", refused.err);
    let amended = device.json(&["sheet", "amend", &code, "--reason", "wrong pump", "--set", "product=Fan"]);
    let new = amended["code"].as_str().unwrap();
    assert_eq!(device.json(&["sheet", "show", &code])["state"], "sealed");
    device.done(&["sheet", "seal", new, "--no-sign", "remote"]);
    assert_eq!(device.json(&["sheet", "show", &code])["state"], "amended");
    let fields = &device.json(&["sheet", "show", new])["fields"];
    assert_eq!((&fields["product"], &fields["customer"]["text"]), (&"Fan".into(), &"Acme".into()));
    let number = device.json(&["sheet", "show", &code])["number"].as_str().unwrap().to_owned();
    let history = device.done(&["sheet", "history", new]);
    assert!(history.contains(&number), "what it corrects by its number: {history}");
    let other = device.ready();
    device.done(&["sheet", "void", &other]);
    assert_eq!(device.json(&["sheet", "show", &other])["state"], "void");
}

#[test]
fn a_history_tells_each_value_from_what_to_what() {
    let device = Device::new();
    let code = device.ready();
    device.done(&["sheet", "set", &code, "product=Fan"]);
    device.done(&["sheet", "add", &code, "note", "hello"]);
    let history = device.json(&["sheet", "history", &code]);
    let set = history.as_array().unwrap().iter().find(|change| change["to"] == "Fan").unwrap();
    assert_eq!(
        (&set["from"], &set["by"], &set["standing"]),
        (&"Pump".into(), &"李工".into(), &"current".into())
    );
    let first = history.as_array().unwrap().iter().find(|change| change["to"] == "Pump").unwrap();
    assert_eq!(first["standing"], "replaced");
    assert!(device.done(&["sheet", "history", &code]).contains("hello"));
}

#[test]
fn an_element_is_taken_out_of_a_set_and_never_out_of_an_account() {
    let device = Device::new();
    let code = device.ready();
    device.done(&["sheet", "add", &code, "tag", "urgent"]);
    device.done(&["sheet", "add", &code, "tag", "leak"]);
    device.done(&["sheet", "add", &code, "helper", "Zhang"]);
    device.done(&["sheet", "add", &code, "part", "SP-6487", "2"]);
    let check = |words: &[&str], rule: &str| {
        let ran = device.run(&[&["sheet", "remove", &code], words].concat());
        assert!(ran.exit == 1 && ran.err.contains(rule), "{words:?}: {}", ran.err);
    };
    check(&["tag", "later"], "[W-31]");
    check(&["part", "SP-6487"], "[W-30]");
    check(&["wheel", "x"], "[W-01]");
    check(&["tag", " "], "[W-02]");
    device.done(&["sheet", "remove", &code, "tag", "urgent"]);
    let lists = &device.json(&["sheet", "show", &code])["lists"];
    assert_eq!(lists["tag"].as_array().map(Vec::len), Some(1), "{lists}");
    assert_eq!(lists["tag"][0]["tag"], "leak");
    device.done(&["sheet", "seal", &code, "--no-sign", "absent"]);
    check(&["helper", "Zhang"], "[W-06]");
    device.done(&["sheet", "remove", &code, "tag", "leak"]);
    let accept = device.run(&["sheet", "accept", &code]);
    assert!(accept.err.contains("[W-08]"), "{}", accept.err);
    let back = device.run(&["sheet", "return", &code, "--reason", "blurred"]);
    assert!(back.err.contains("[W-08]"), "{}", back.err);
}
