//! The audit, and who has to agree: verdicts, questions, alarms, delegates, the branch's review in the office.

use records::kinds::voucher::Category;

use crate::cli::stories::{NO, courier};
use crate::cli::testing::Office;

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
    assert_eq!(office.done("due --late --limit 0"), serde_json::json!([]));
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
