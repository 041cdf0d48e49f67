//! The office's day by commands: what is received is audited, approved, handed over, accepted, and paid once.

use records::kinds::voucher::Category;

use crate::cli::testing::Office;

#[test]
fn a_received_claim_is_audited_approved_handed_over_accepted_and_paid() {
    let mut office = Office::new();
    let claim = office.claim("E01", "HZC-E01-2026-0001", &[(Category::COURIER, "2026-03-05", 10_000, 9_000)]);
    office.batch("HZ-202603-B", &[(claim, "HZC-E01-2026-0001")]);
    let opened = office.done("batch receive HZ-202603-B --all --as A01");
    assert_eq!((&opened["state"], &opened["received"][0]), (&"received".into(), &"HZC-E01-2026-0001".into()));
    let line = office.done("audit line HZC-E01-2026-0001 --line 1 --verdict short_voucher --as A01");
    assert_eq!(line["payable_fen"], 9_000);
    assert_eq!(office.done("audit done HZC-E01-2026-0001 --as A01")["state"], "audited");
    assert_eq!(office.refused("approve HZC-E01-2026-0001 --as A01"), "C-02");
    office.done("approve HZC-E01-2026-0001 --as M01");
    assert_eq!(office.done("audit hand-over --ready --as A01")[0]["state"], "to_finance");
    assert_eq!(office.done("pay accept --all --as F01")[0]["state"], "fin_received");
    office.account("E01", "6222020200112233445");
    let batch = office.done("pay batch --as F01");
    assert_eq!((&batch["payment_no"], &batch["total_fen"]), (&"PAY-202603-001".into(), &9_000.into()));
    assert_eq!(office.refused("pay approve PAY-202603-001 --as F01"), "H-12");
    office.done("pay approve PAY-202603-001 --as F02");
    let file = office.file("bank.csv");
    let exported = office.done(&format!("pay export PAY-202603-001 --out {file} --as F01"));
    assert_eq!((&exported["n_payments"], &exported["missing_accounts"]), (&1.into(), &serde_json::json!([])));
    let written = std::fs::read_to_string(file).unwrap();
    assert!(written.contains("'=E01,") && written.contains("6222020200112233445"), "{written}");
    office.now = "2026-03-23T10:00:00+08:00";
    let confirmed = office.done("pay confirm PAY-202603-001 --as F01");
    assert_eq!(confirmed["state"], "confirmed");
    assert_eq!(office.done("claim show HZC-E01-2026-0001")["state"], "paid");
    assert_eq!(office.refused("pay batch --as F01"), "H-11");
}

/// Three claims of one person, one of a colleague.
const NO: [&str; 3] = ["HZC-E01-2026-0001", "HZC-E01-2026-0002", "HZC-E01-2026-0003"];

fn courier(fen: i64) -> [(Category, &'static str, i64, i64); 1] {
    [(Category::COURIER, "2026-03-05", fen, fen)]
}

#[test]
fn an_envelope_with_a_hole_in_its_numbers_is_refused_and_one_explained_is_taken() {
    let office = Office::new();
    let [first, third] = [NO[0], NO[2]].map(|no| (office.claim("E01", no, &courier(1_000)), no));
    office.batch("HZ-202603-A", &[first, third]);
    let refused = office.done("batch receive HZ-202603-A --as A01");
    assert_eq!(
        (&refused["state"], &refused["faults"][0]["fault"]),
        (&"refused".into(), &"numbering_fault".into())
    );
    assert_eq!(refused["faults"][0]["numbers"], NO[1]);
    assert_eq!(office.done(&format!("claim show {}", NO[0]))["state"], "in_transit");
    let empty = Office::new();
    empty.batch("HZ-202603-B", &[]);
    assert_eq!(empty.done("batch receive HZ-202603-B --as A01")["faults"][0]["fault"], "no_list");
}

#[test]
fn paper_that_is_missing_is_found_or_given_up_and_the_gaps_tell() {
    let office = Office::new();
    let claims = NO.map(|no| (office.claim("E01", no, &courier(1_000)), no));
    office.batch("HZ-202603-B", &claims);
    let opened = office.done(&format!("batch receive HZ-202603-B --missing {},{} --as A01", NO[1], NO[2]));
    assert_eq!(
        (&opened["state"], &opened["received"]),
        (&"part_received".into(), &serde_json::json!([NO[0]]))
    );
    let gaps = office.done("gaps --staff E01");
    let lost = serde_json::json!({"staff": {"code": "E01", "name": "Wang"}, "fault": "lost_in_transit",
        "first": NO[1], "last": NO[2], "n": 2});
    assert_eq!(gaps, serde_json::json!([lost]));
    let file = office.file("gaps.csv");
    office.done(&format!("gaps --out {file}"));
    let csv = std::fs::read_to_string(&file).unwrap();
    assert_eq!(csv.matches("Lost in transit").count(), 2, "a row for each number: {csv}");
    assert!(csv.contains(NO[2]), "{csv}");
    let lists = office.file("lists.csv");
    office.done(&format!("batch manifest HZ-202603-B --out {lists}"));
    let csv = std::fs::read_to_string(&lists).unwrap();
    assert!(csv.contains(NO[0]) && csv.contains("30.00"), "the lines and their sum: {csv}");
    assert_eq!(office.done(&format!("batch found {} --as A01", NO[1]))["state"], "received");
    assert_eq!(office.done("batch show HZ-202603-B")["state"], "part_received");
    assert_eq!(
        office.all(&["batch", "lose", NO[2], "--reason", "the parcel burned", "--as", "A01"])["state"],
        "void"
    );
    assert_eq!(office.done("batch show HZ-202603-B")["state"], "received");
    assert_eq!(office.done("gaps"), serde_json::json!([]));
}

#[test]
fn a_rejected_voucher_counts_no_more_and_nobody_pays_more_than_the_rules_leave() {
    let office = Office::new();
    let claim =
        office.claim("E01", NO[0], &[(Category::COURIER, "2026-03-05", 10_000, 12_000), courier(500)[0]]);
    office.batch("HZ-202603-B", &[(claim, NO[0])]);
    office.done("batch receive HZ-202603-B --as A01");
    let shown = office.done(&format!("audit show {}", NO[0]));
    let voucher = shown["lines"][0]["vouchers"][0]["code"].as_str().unwrap().to_owned();
    assert_eq!(shown["lines"][0]["payable_fen"], 10_000);
    assert_eq!(
        office.refused(&format!("audit line {} --line 1 --verdict ok --payable 100.01 --as A01", NO[0])),
        "H-21"
    );
    assert_eq!(office.refused(&format!("audit line {} --line 7 --verdict ok --as A01", NO[0])), "H-20");
    assert_eq!(office.refused(&format!("audit line {} --line 1 --verdict ok --as E02", NO[0])), "C-02");
    let wrong =
        format!("audit line {} --line 2 --verdict invalid --reject-voucher {voucher}=fake --as A01", NO[0]);
    assert_eq!(office.refused(&wrong), "H-22");
    let ruled = office.done(&wrong.replace("--line 2", "--line 1").replace("invalid", "fake_invoice"));
    assert_eq!((&ruled["payable_before_fen"], &ruled["payable_fen"]), (&10_000.into(), &0.into()));
    let done = office.done(&format!("audit done {} --as A01", NO[0]));
    assert_eq!((&done["payable_total_fen"], &done["by_rules"][0]["line"]), (&500.into(), &2.into()));
    assert_eq!(office.refused(&format!("approve {} --as A02", NO[0])), "C-02");
}

#[test]
fn a_claim_above_two_thousand_goes_to_the_vice_president_and_the_blackout_holds_it() {
    let mut office = Office::new();
    office.now = "2026-03-27T10:00:00+08:00";
    let claim = office.claim("E01", NO[0], &courier(200_001));
    office.batch("HZ-202603-B", &[(claim, NO[0])]);
    office.done("batch receive HZ-202603-B --as A01");
    office.done(&format!("audit done {} --as A01", NO[0]));
    office.done(&format!("approve {} --as M01", NO[0]));
    assert_eq!(office.done(&format!("claim show {}", NO[0]))["state"], "vp_pending");
    assert_eq!(office.done("approve list")[0]["waits_for"], "sales_vp");
    office.now = "2026-03-30T10:00:00+08:00";
    assert_eq!(office.done(&format!("approve {} --as V01", NO[0]))["state"], "vp_approved");
    let handed = office.done("audit hand-over --ready --as A01");
    assert_eq!((&handed[0]["state"], &handed[0]["opens"]), (&"held_blackout".into(), &"2026-04-10".into()));
    assert_eq!(office.refused("pay accept --all --as F01"), "P-24");
    office.now = "2026-04-10T10:00:00+08:00";
    assert_eq!(office.done("pay accept --all --as F01")[0]["state"], "fin_received");
}

#[test]
fn a_claim_is_in_one_payment_batch_and_a_failed_payment_may_be_tried_again() {
    let office = Office::new();
    let claims = [("E01", NO[0]), ("E02", "HZC-E02-2026-0001")];
    let ids = claims.map(|(staff, no)| office.with_finance(staff, no, 1_000));
    office.account("E01", "6222020200112233445");
    office.done("pay batch --as F01");
    assert_eq!(office.refused("pay batch --as F01"), "H-11");
    // By force: another batch of one of them is refused by the database, and nothing of it is kept.
    let mut desk = office.desk();
    let now = office.now_ms();
    let forced = desk.transact(|desk| {
        let row = records::kinds::payment::PaymentClaims {
            claim: crate::money::rows::link(ids[0]),
            claim_no: crate::money::rows::text(NO[0]),
            staff: crate::money::rows::link(desk.people().unwrap().by_code("E01").unwrap().0),
            amount: Some(records::money::Fen(1_000)),
        };
        let writes = vec![crate::money::rows::put(&[row])];
        let op = crate::author::NewOp {
            kind: records::kinds::number::PAYMENT,
            on: crate::author::On::Create,
            writes,
        };
        desk.write(vec![op], now)
    });
    assert!(format!("{forced:?}").contains("InPayment"), "{forced:?}");
    assert_eq!(office.done("pay list").as_array().unwrap().len(), 1);
    office.done("pay approve PAY-202603-001 --as M01");
    let file = office.file("bank.xlsx");
    let exported = office.done(&format!("pay export PAY-202603-001 --out {file} --as F01"));
    assert_eq!(
        (&exported["n_payments"], &exported["missing_accounts"][0]["code"]),
        (&1.into(), &"E02".into())
    );
    let hash = sync_protocol::chain::sha256(&[&std::fs::read(&file).unwrap()]);
    assert_eq!(exported["sha256"], crate::money::trail::hex(&hash));
    // Written again it is the same file; with another account it is not.
    assert_eq!(
        office.done(&format!("pay export PAY-202603-001 --out {file} --as F01"))["sha256"],
        exported["sha256"]
    );
    assert_eq!(office.refused("pay confirm PAY-202603-001 --failed HZC-E02-2026-0001=x --as F01"), "H-13");
    let confirmed = office.done(&format!("pay confirm PAY-202603-001 --failed {}=closed --as F01", NO[0]));
    assert_eq!((&confirmed["state"], &confirmed["paid"]), (&"part_failed".into(), &serde_json::json!([])));
    let again = office.done("pay batch --as F02");
    assert_eq!((&again["payment_no"], &again["n_claims"]), (&"PAY-202603-002".into(), &2.into()));
    office.all(&["pay", "cancel", "PAY-202603-002", "--reason", "wrong day", "--as", "F02"]);
    assert_eq!(office.done("pay batch --as F02")["payment_no"], "PAY-202603-003");
    let whole = office.desk().rebuild(false).unwrap();
    assert_eq!(whole.differed, 0);
}

#[test]
fn a_false_claim_fines_two_people_marks_one_and_pays_nothing_of_its_line() {
    let mut office = Office::new();
    let claim = office.claim("E01", NO[0], &[courier(5_000)[0], courier(700)[0]]);
    office.batch("HZ-202603-B", &[(claim, NO[0])]);
    office.done("batch receive HZ-202603-B --as A01");
    let words = [
        "case",
        "propose",
        NO[0],
        "--kind",
        "false_claim",
        "--line",
        "1",
        "--evidence",
        "no such trip",
        "--as",
    ];
    let case = office.all(&[&words[..], &["A01"]].concat());
    let code = case["code"].as_str().unwrap().to_owned();
    assert_eq!((&case["state"], &case["fines"]), (&"proposed".into(), &serde_json::json!([])));
    assert_eq!(office.refused(&format!("case confirm {code} --as A01")), "W-08");
    let case = office.done(&format!("case confirm {code} --as M01"));
    let fined: Vec<_> = case["fines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fine| (&fine["person"]["code"], &fine["amount"]))
        .collect();
    assert_eq!(
        format!("{fined:?}"),
        r#"[(String("E01"), String("50.00")), (String("S01"), String("50.00"))]"#
    );
    assert_eq!(case["mark"], serde_json::json!({"month": "2026-03", "grade": "C"}));
    let done = office.done(&format!("audit done {} --as A01", NO[0]));
    assert_eq!(done["payable_total_fen"], 700, "the other line stands");
    let again = office.all(&[&words[..], &["A02"]].concat());
    assert_eq!(office.refused(&format!("case confirm {} --as M01", again["code"].as_str().unwrap())), "H-30");
    assert_eq!(case["appeal_until"], "2026-03-27");
    assert_eq!(office.refused(&format!("case execute {code} --as F01")), "H-32");
    office.now = "2026-03-30T10:00:00+08:00";
    assert_eq!(office.rule(&["case", "appeal", &code, "--reason", "I was there", "--as", "E01"]), "H-31");
    assert_eq!(office.done(&format!("case execute {code} --as F01"))["fines"][1]["state"], "deducted");
    let file = office.file("fines.csv");
    assert_eq!(office.done(&format!("case export --out {file}"))["fines"], 2);
    assert!(std::fs::read_to_string(file).unwrap().contains("E01,Wang,2026-03,False claim"), "the list");
}

#[test]
fn an_appeal_in_time_is_heard_and_a_supervisor_is_fined_once_for_his_own_claim() {
    let office = Office::new();
    let claim = office.claim("S02", "NJC-S02-2026-0001", &courier(900));
    office.batch("NJ-202603-B", &[(claim, "NJC-S02-2026-0001")]);
    let words = [
        "case",
        "propose",
        "NJC-S02-2026-0001",
        "--kind",
        "non_compliant",
        "--evidence",
        "loose",
        "--as",
        "A01",
    ];
    let code = office.all(&words)["code"].as_str().unwrap().to_owned();
    let case = office.done(&format!("case confirm {code} --as M01"));
    assert_eq!(
        (case["fines"].as_array().unwrap().len(), &case["fines"][0]["amount_fen"]),
        (1, &2_000.into())
    );
    assert_eq!(
        office.all(&["case", "appeal", &code, "--reason", "pasted well", "--as", "S02"])["state"],
        "appealed"
    );
    assert_eq!(office.refused(&format!("case execute {code} --as F01")), "W-07");
    let waived = office.all(&["case", "waive", &code, "--reason", "first time", "--as", "M01"]);
    assert_eq!((&waived["state"], &waived["fines"][0]["state"]), (&"waived".into(), &"waived".into()));
}

#[test]
fn an_alarm_stands_in_the_way_until_it_is_acknowledged_and_a_confirmed_one_opens_a_case() {
    let office = Office::new();
    let claim = office.claim("E01", NO[0], &courier(900));
    office.batch("HZ-202603-B", &[(claim, NO[0])]);
    office.done("batch receive HZ-202603-B --as A01");
    let alarm = office.all(&["audit", "alarm", NO[0], "the seller moved away", "--as", "A01"]);
    let code = alarm["code"].as_str().unwrap();
    assert_eq!(office.refused(&format!("audit done {} --as A01", NO[0])), "C-07");
    office.done(&format!("audit done {} --ack manual --as A01", NO[0]));
    let confirmed = office.all(&["alert", "confirm", code, "--reason", "asked him", "--as", "M01"]);
    let case = confirmed["case"].as_str().unwrap();
    assert_eq!(office.done(&format!("case show {case}"))["claim_no"], NO[0]);
    assert_eq!(office.done("alert list --state open"), serde_json::json!([]));
}

#[test]
fn a_question_stops_the_clock_and_a_proposal_to_reject_is_the_managers_to_confirm() {
    let mut office = Office::new();
    let claim = office.claim("E01", NO[0], &courier(900));
    office.batch("HZ-202603-B", &[(claim, NO[0])]);
    office.done("batch receive HZ-202603-B --as A01");
    assert_eq!(office.done("audit list")[0]["due"], "2026-03-25");
    office.all(&["audit", "ask", NO[0], "Where is the sheet?", "--as", "A01"]);
    office.now = "2026-03-24T10:00:00+08:00";
    office.all(&["audit", "answer", NO[0], "It is in the post.", "--as", "S01"]);
    let listed = office.done("audit list");
    assert_eq!((&listed[0]["due"], &listed[0]["late"]), (&"2026-03-27".into(), &false.into()));
    office.now = "2026-03-30T10:00:00+08:00";
    assert_eq!(office.done("due --late")[0]["claim_no"], NO[0]);
    let clocks = office.done(&format!("due {}", NO[0]));
    assert_eq!(
        (&clocks["clocks"][2]["clock"], &clocks["clocks"][2]["off"]),
        (&"audit".into(), &serde_json::json!(["2026-03-21", "2026-03-22", "2026-03-23", "2026-03-24"]))
    );
    let late = office.done("case late --branch HZ --auditor A01 --as M01");
    assert_eq!(late["days"], 1);
    assert_eq!(office.refused("case late --branch HZ --auditor A01 --as M01"), "H-34");
    office.done(&format!("audit reject {} --reason not_business --as A01", NO[0]));
    assert_eq!(
        office.all(&["approve", "dismiss", NO[0], "--reason", "it is", "--as", "M01"])["state"],
        "received"
    );
    office.done(&format!("audit reject {} --reason not_business --as A01", NO[0]));
    assert_eq!(office.done(&format!("approve reject {} --as M01", NO[0]))["state"], "rejected");
}

#[test]
fn a_trail_that_was_changed_cut_or_reordered_is_found_with_its_first_line() {
    let office = Office::new();
    office.with_finance("E01", NO[0], 1_000);
    let file = office.file("trail.jsonl");
    let exported = office.done(&format!("trail export --out {file}"));
    let n = exported["decisions"].as_u64().unwrap();
    assert!(n >= 12, "{exported}");
    let check = |text: &str, line: &str, key: &str| {
        let other = office.file("other.jsonl");
        std::fs::write(&other, text).unwrap();
        let fault = office.ask(&["trail", "verify", &other]).unwrap_err();
        assert_eq!((fault.key.as_ref(), fault.facts[0].1.as_str()), (key, line), "{key}");
    };
    assert_eq!(office.done(&format!("trail verify {file}"))["decisions"], n);
    let key = exported["key"].as_str().unwrap();
    assert_eq!(office.done(&format!("trail verify {file} --key {key}"))["last"], exported["last"]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(
        text.contains("\"by\":{\"code\":\"M01\",\"name\":\"Ma\"}")
            && text.contains("\"step\":\"mgr_approve\""),
        "{text}"
    );
    let lines: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let mut changed = lines.clone();
    let forged = lines[4].replace("S01", "S02");
    changed[4] = &forged;
    if forged != lines[4] {
        check(&joined(&changed), "5", "hq.trail.changed");
    }
    let spaced = lines[6].replace("\"n\":7", "\"n\": 7");
    let mut changed = lines.clone();
    changed[6] = &spaced;
    check(&joined(&changed), "7", "hq.trail.changed");
    let mut removed = lines.clone();
    removed.remove(2);
    check(&joined(&removed), "3", "hq.trail.out_of_place");
    let mut swapped = lines.clone();
    swapped.swap(1, 2);
    check(&joined(&swapped), "2", "hq.trail.out_of_place");
    check(&joined(&lines[..lines.len() - 1]), &n.to_string(), "hq.trail.cut_off");
    check(&joined(&lines[..3]), "3", "hq.trail.cut_off");
    check(&text[..text.len() - 5], &(n + 1).to_string(), "hq.trail.not_a_line");
    check(&format!("{text}{{}}\n"), &(n + 2).to_string(), "hq.trail.behind");
    // The last decisions taken off, under the old seal.
    let mut short = lines.clone();
    short.remove(lines.len() - 2);
    check(&joined(&short), &(n - 1).to_string(), "hq.trail.cut_off");
    let other = Office::new();
    let foreign = other.ask(&["trail", "verify", &file]).unwrap_err();
    assert_eq!(foreign.key, "hq.trail.seal");
}

#[test]
fn a_delegate_acts_for_his_principal_on_the_days_of_the_delegation_and_is_named() {
    let mut office = Office::new();
    let claim = office.claim("E01", NO[0], &courier(900));
    office.batch("HZ-202603-B", &[(claim, NO[0])]);
    office.done("batch receive HZ-202603-B --as A01");
    office.done(&format!("audit done {} --as A01", NO[0]));
    assert_eq!(office.refused(&format!("approve {} --as A02 --for M01", NO[0])), "H-05");
    office.import(
        "delegation",
        "from,to,valid_from,valid_to,reason,granted_by\nM01,A02,2026-03-20,2026-03-21,ill,V01\n",
    );
    assert_eq!(office.refused(&format!("approve {} --as A01 --for M01", NO[0])), "H-05");
    let approved = office.done(&format!("approve {} --as A02 --for M01", NO[0]));
    assert_eq!(approved["state"], "mgr_approved");
    let shown = office.done(&format!("claim show {}", NO[0]));
    let last = shown["approvals"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["by"]["code"], &last["for"]["code"]), (&"A02".into(), &"M01".into()));
    office.now = "2026-03-23T10:00:00+08:00";
    assert_eq!(office.refused(&format!("audit hand-over {} --as A02 --for M01", NO[0])), "H-05");
}

#[test]
fn a_branch_is_reviewed_in_the_office_by_the_rules_of_its_devices() {
    let office = Office::new();
    office.claim_after("E01", NO[0], &courier(1_000), 0);
    assert_eq!(office.refused(&format!("review approve {} --vouchers 2 --as S01", NO[0])), "P-03");
    assert_eq!(office.refused(&format!("review approve {} --vouchers 1 --as S02", NO[0])), "C-05");
    assert_eq!(office.refused(&format!("review approve {} --vouchers 1 --as M01", NO[0])), "C-02");
    let no_list = office.refused(&format!("review cut {} --line 1 --to 9 --reason dear --as S01", NO[0]));
    assert_eq!(no_list, "W-11");
    office.done(&format!("review approve {} --vouchers 1 --as S01", NO[0]));
    assert_eq!(office.done("review list")[0]["waits_for"], "branch_gm");
    let cut = office.done(&format!("review cut {} --line 1 --to 9.00 --reason unreasonable --as G01", NO[0]));
    assert_eq!(cut["state"], "gm_approved");
    assert_eq!(office.done(&format!("review show {}", NO[0]))["rules_payable_fen"], 900);
    office.claim_after("E01", NO[1], &courier(1_000), 0);
    let back =
        ["review", "return", NO[1], "--line", "1", "--reason", "pasted_wrong: upside down", "--as", "S01"];
    assert_eq!(office.all(&back)["state"], "returned");
}

#[test]
fn finance_sends_a_claim_back_only_while_no_batch_pays_it_and_a_batch_goes_on_with_its_claims() {
    let office = Office::new();
    office.with_finance("E01", NO[0], 1_000);
    let batch = format!("batch show B-{}", NO[0]);
    assert_eq!(office.done(&batch)["state"], "forwarded");
    office.done("pay batch --as F01");
    let back = ["pay", "back", NO[0], "--reason", "wrong name", "--as", "F01"];
    assert_eq!(office.rule(&back), "H-10");
    office.done("pay cancel PAY-202603-001 --reason x --as F01");
    assert_eq!(office.all(&back)["state"], "audited");
}

#[test]
fn a_ceiling_is_shared_by_the_claims_of_a_month_and_an_exception_raises_it() {
    use records::kinds::exception::{Ask, ExceptionKind};
    let office = Office::new();
    office.import(
        "cap",
        "code,unit,category,amount,valid_from,source\nK1,HZC,city_transport,150.00,2026-01-01,mail of January\n",
    );
    let line = |fen| [(Category::CITY_TRANSPORT, "2026-03-05", fen, fen)];
    let claims = [
        (office.claim("E01", NO[0], &line(10_000)), NO[0]),
        (office.claim("E01", NO[1], &line(8_000)), NO[1]),
    ];
    office.batch("HZ-202603-B", &claims);
    office.done("batch receive HZ-202603-B --as A01");
    let shares = |no: &str| {
        let shown = office.done(&format!("audit show {no}"));
        (
            shown["rules_payable"].as_str().unwrap().to_owned(),
            shown["rules_self_paid"].as_str().unwrap().to_owned(),
        )
    };
    assert_eq!(
        [shares(NO[0]), shares(NO[1])],
        [("100.00".into(), "0.00".into()), ("50.00".into(), "30.00".into())]
    );
    let mut desk = office.desk();
    let ask = Ask {
        kind_of: Some(ExceptionKind::CAP),
        category: Some(Category::CITY_TRANSPORT),
        month: crate::money::rows::text("2026-03"),
        amount: Some(records::money::Fen(2_000)),
        reason: crate::money::rows::text("a week of nights"),
        asked_by: crate::money::rows::link(desk.people().unwrap().by_code("E01").unwrap().0),
        ..Ask::default()
    };
    let writes = vec![crate::money::rows::put(&[ask])];
    let op = crate::author::NewOp {
        kind: records::kinds::number::EXCEPTION,
        on: crate::author::On::Create,
        writes,
    };
    let now = office.now_ms();
    desk.transact(|desk| desk.write(vec![op], now)).unwrap();
    drop(desk);
    let code = office.done("exception list --state open")[0]["code"].as_str().unwrap().to_owned();
    assert_eq!(office.refused(&format!("exception approve {code} --as A01")), "W-08");
    assert_eq!(office.refused(&format!("exception deny {code} --as M01")), "W-11");
    assert_eq!(office.done(&format!("exception approve {code} --as M01"))["state"], "approved");
    office.done(&format!("audit done {} --ack A7 --ack A11 --ack B3 --ack B4 --ack R4 --as A01", NO[0]));
    let done =
        office.done(&format!("audit done {} --ack A7 --ack A11 --ack B3 --ack B4 --ack R4 --as A01", NO[1]));
    assert_eq!((&done["payable_total"], &done["self_paid_total"]), (&"70.00".into(), &"10.00".into()));
    assert_eq!(done["by_rules"][0]["verdict"], "over_cap");
}

/// A restored headquarters forgot what it had sent to the bank: before anything is sent again, a person compares.
#[test]
fn a_headquarters_that_was_restored_pays_nothing_until_somebody_compared_with_the_bank() {
    let mut office = Office::new();
    let other = "HZC-E02-2026-0001";
    office.with_finance("E01", NO[0], 1_000);
    office.with_finance("E02", other, 500);
    office.account("E01", "6222020200112233445");
    office.account("E02", "6222020200112233446");
    assert_eq!(office.rule(&["pay", "resume", "--reason", "x", "--as", "F01"]), "H-18");
    let backup = office.file("backup");
    office.done(&format!("backup {backup}"));
    let file = office.file("bank.csv");
    office.done("pay batch --as F01");
    office.done("pay approve PAY-202603-001 --as F02");
    office.done(&format!("pay export PAY-202603-001 --out {file} --as F01"));
    let before = office.done(&format!("pay confirm PAY-202603-001 --failed {other}=closed --as F01"));
    assert_eq!(before["paid"][0], NO[0]);

    office.lose();
    office.now = "2026-03-21T10:00:00+08:00";
    office.done(&format!("restore {backup}"));
    assert_eq!(
        office.done(&format!("claim show {}", NO[0]))["state"],
        "fin_received",
        "it would be paid again"
    );
    assert_eq!(office.refused("pay batch --as F01"), "H-16");
    let resume = |paid: &str, staff: &str| {
        let words = ["pay", "resume", "--paid", paid, "--reason", "statement of 21 March", "--as", staff];
        office.ask(&words)
    };
    assert_eq!(resume(NO[0], "A01").unwrap_err().rule, "W-08");
    office.claim("E01", NO[1], &courier(700));
    assert_eq!(resume(NO[1], "F01").unwrap_err().rule, "H-17", "it is not with finance");
    assert_eq!(office.refused("pay batch --as F01"), "H-16", "and nothing went on");
    let entered = resume(NO[0], "F01").unwrap().json["batch"].clone();
    assert_eq!((&entered["payment_no"], &entered["n_claims"]), (&"PAY-202603-101".into(), &1.into()));
    // What was not paid goes its way; what was paid is in no other batch, and in no file.
    let next = office.done("pay batch --as F01");
    assert_eq!(
        (&next["payment_no"], &next["claims"][0]["claim_no"]),
        (&"PAY-202603-102".into(), &other.into())
    );
    assert_eq!(office.refused("pay approve PAY-202603-101 --as F01"), "H-12");
    office.done("pay approve PAY-202603-101 --as F02");
    let exported = office.done(&format!("pay export PAY-202603-101 --out {file} --as F01"));
    assert_eq!((&exported["n_payments"], &exported["total_fen"]), (&0.into(), &0.into()));
    assert!(!std::fs::read_to_string(&file).unwrap().contains("6222020200112233445"));
    assert_eq!(office.done("pay confirm PAY-202603-101 --as F01")["state"], "confirmed");
    assert_eq!(office.done(&format!("claim show {}", NO[0]))["state"], "paid");
    assert_eq!(office.desk().rebuild(false).unwrap().differed, 0);
}
