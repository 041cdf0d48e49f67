//! The rules against the real calendar: days and amounts that were worked out by hand.

use std::collections::BTreeSet;

use crate::id::{DocId, Epoch, OpId, Replica};
use crate::kinds::voucher::Category;
use crate::money::Fen;
use crate::policy::calendar::Calendar;
use crate::policy::cap::{self, CapAccount};
use crate::policy::count::Count;
use crate::policy::explain::{Question, explain};
use crate::policy::line::{Line, LineError, Paid, Ticket, Verdict, What, payable};
use crate::policy::penalty::{Audited, Offence, days_late, heaviest, late_fine, penalty};
use crate::policy::terms::Policy;
use crate::policy::{age, dispatch, due, what_if};
use crate::time::{Day, Zone};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn policy() -> Policy {
    Policy::parse("").unwrap()
}

/// Returns the standard policy with these keys in place of its own.
fn policy_with(keys: &str) -> Policy {
    Policy::parse(&format!("version = \"t\"\n{keys}")).unwrap()
}

#[test]
fn a_day_that_is_not_worked_is_postponed_to_the_next_that_is() {
    let china = Calendar::china();
    let check = |named: &str, expected: &str| {
        assert_eq!(Count::new(&china).next_working(day(named)), day(expected), "{named}");
    };
    check("2025-05-03", "2025-05-06");
    check("2025-10-03", "2025-10-09");
    check("2026-01-03", "2026-01-04");
    check("2026-02-17", "2026-02-24");
    check("2026-10-03", "2026-10-08");
    check("2026-10-17", "2026-10-19");
    check("2025-10-17", "2025-10-17");
}

#[test]
fn the_mailings_are_postponed_and_carry_their_half_month() {
    let (policy, china) = (policy(), Calendar::china());
    let check = |cycle: &str, due: &str, from: &str, to: &str| {
        let found = dispatch::dispatch(cycle.parse().unwrap(), &policy, &china).unwrap();
        assert_eq!((found.due, found.from, found.to), (day(due), day(from), day(to)), "{cycle}");
        assert!(!found.is_late(found.due) && found.is_late(found.due.plus(1)));
        assert_eq!(dispatch::carrying(found.from, &policy, &china), Some(found.clone()), "{cycle}");
        assert_eq!(dispatch::carrying(found.to, &policy, &china), Some(found), "{cycle}");
    };
    check("2026-02-A", "2026-02-03", "2026-01-16", "2026-01-31");
    check("2026-02-B", "2026-02-24", "2026-02-01", "2026-02-15");
    check("2026-01-A", "2026-01-04", "2025-12-16", "2025-12-31");
    check("2026-10-B", "2026-10-19", "2026-10-01", "2026-10-15");
    check("2025-10-B", "2025-10-17", "2025-10-01", "2025-10-15");
}

#[test]
fn one_mailing_a_month_carries_all_before_its_day() {
    let china = Calendar::china();
    let one = policy_with("cycle.count = 1\ncycle.cutoff = \"before_dispatch_day\"");
    let a = dispatch::dispatch("2026-02-A".parse().unwrap(), &one, &china).unwrap();
    assert_eq!((a.half, a.from, a.to), (None, day("2026-01-03"), day("2026-02-02")));
    assert_eq!(dispatch::dispatch("2026-02-B".parse().unwrap(), &one, &china), None);
    let two = policy_with("cycle.cutoff = \"before_dispatch_day\"");
    let b = dispatch::dispatch("2026-02-B".parse().unwrap(), &two, &china).unwrap();
    assert_eq!((b.from, b.to), (day("2026-02-03"), day("2026-02-16")));
}

#[test]
fn auditor_and_manager_have_three_days_and_one() {
    let (policy, china) = (policy(), Calendar::china());
    let check = |received: &str, audit: &str, manager: &str| {
        let audited = due::audit(day(received), &policy, &china).day;
        assert_eq!(audited, Some(day(audit)), "{received}");
        assert_eq!(due::manager(day(audit), &policy, &china).day, Some(day(manager)), "{received}");
    };
    check("2025-09-26", "2025-09-30", "2025-10-09");
    check("2025-09-30", "2025-10-11", "2025-10-13");
    check("2026-02-13", "2026-02-25", "2026-02-26");
    check("2026-04-30", "2026-05-08", "2026-05-09");
    check("2026-01-20", "2026-01-23", "2026-01-26");
    assert_eq!(due::vp(day("2026-01-23"), &policy, &china).day, Some(day("2026-01-26")));
    assert_eq!(due::answer(day("2026-01-20"), &policy, &china).day, Some(day("2026-01-27")));
    let end = due::end_of(day("2026-01-23"), policy.zone).rfc3339(Zone::SHANGHAI);
    assert_eq!(end, "2026-01-24T00:00:00+08:00");
    let unlimited = policy_with("sla.audit_wd = 0");
    assert_eq!(due::audit(day("2026-01-20"), &unlimited, &china).day, None);
}

#[test]
fn finance_takes_nothing_in_from_the_29th_to_the_9th_and_pays_within_seven_days() {
    let (policy, china) = (policy(), Calendar::china());
    let check = |approved: &str, accepted: &str, due: &str| {
        let payment = due::finance(day(approved), &policy, &china);
        assert_eq!((payment.accepted, payment.due), (day(accepted), Some(day(due))), "{approved}");
    };
    check("2026-01-28", "2026-01-28", "2026-02-06");
    check("2026-01-29", "2026-02-10", "2026-02-26");
    check("2026-02-28", "2026-02-28", "2026-03-10");
    check("2026-03-01", "2026-03-10", "2026-03-19");
    check("2024-02-29", "2024-03-11", "2024-03-20");
    check("2026-05-09", "2026-05-11", "2026-05-20");
    check("2026-10-09", "2026-10-10", "2026-10-20");
    let pausing = policy_with("blackout.pauses_payment = true");
    let payment = due::finance(day("2026-01-28"), &pausing, &china);
    assert_eq!(payment.due, Some(day("2026-02-25")), "the days of the blackout do not count");
}

#[test]
fn a_day_is_closed_by_its_number_and_opens_on_a_working_day() {
    let (policy, china) = (policy(), Calendar::china());
    let check = |date: &str, until: Option<&str>, opens: &str| {
        let closure = due::blackout(day(date), &policy, &china);
        assert_eq!(closure.closed, until.is_some(), "{date}");
        assert_eq!((closure.closed_until, closure.opens), (until.map(day), day(opens)), "{date}");
    };
    check("2026-01-28", None, "2026-01-28");
    check("2026-01-29", Some("2026-02-09"), "2026-02-10");
    check("2026-05-09", Some("2026-05-09"), "2026-05-11");
    check("2026-02-28", None, "2026-02-28");
    check("2026-03-01", Some("2026-03-09"), "2026-03-10");
    check("2024-02-29", Some("2024-03-09"), "2024-03-11");
    check("2026-10-17", None, "2026-10-19");
    let never = policy_with("blackout.from_dom = 0\nblackout.to_dom = 0");
    assert!(!due::blackout(day("2026-01-31"), &never, &china).closed);
    let within = policy_with("blackout.from_dom = 5\nblackout.to_dom = 9");
    assert!(due::blackout(day("2026-01-09"), &within, &china).closed);
    assert!(!due::blackout(day("2026-01-10"), &within, &china).closed);
}

#[test]
fn an_expense_is_claimed_within_a_month() {
    let (policy, china) = (policy(), Calendar::china());
    let check = |date: &str, last: &str| {
        let (date, last) = (day(date), day(last));
        assert_eq!(age::expiry(date, &policy, &china).last_day, last, "{date}");
        assert!(
            !age::is_expired(date, last, &policy, &china)
                && age::is_expired(date, last.plus(1), &policy, &china)
        );
    };
    check("2026-01-31", "2026-02-28");
    check("2026-02-28", "2026-03-30");
    check("2026-01-15", "2026-02-24");
    check("2025-12-31", "2026-02-02");
    check("2026-09-01", "2026-10-08");
    check("2024-01-30", "2024-02-29");
    let thirty = policy_with("[age]\nlimit_months = 0\nlimit_days = 30\nholiday = \"none\"");
    assert_eq!(age::expiry(day("2026-01-31"), &thirty, &china).last_day, day("2026-03-02"));
}

#[test]
fn a_cycle_that_was_missed_once_still_fits_for_most_days() {
    let (policy, china) = (policy(), Calendar::china());
    let fits = |date: &str| age::expiry(day(date), &policy, &china).last_day >= day("2026-02-03");
    assert!(fits("2026-01-03") && fits("2026-01-15"));
    assert!(!fits("2026-01-01") && !fits("2026-01-02"));
    let last = |date: &str, policy: &Policy| {
        let last = dispatch::last_for(day(date), policy, &china).unwrap();
        last.cycle.to_string()
    };
    assert_eq!(
        last("2026-01-15", &policy),
        "2026-02-B",
        "submitted on the last day, with that day's mailing"
    );
    assert_eq!(last("2026-01-20", &policy), "2026-02-B");
    assert_eq!(last("2026-01-25", &policy), "2026-03-A", "submitted after the mailing, with the next one");
    let mailed = policy_with("age.to = \"batch_dispatched\"");
    assert_eq!(last("2026-01-25", &mailed), "2026-02-B");
}

#[test]
fn a_whole_cycle_at_its_limits_ends_on_the_day_worked_out() {
    let (policy, china) = (policy(), Calendar::china());
    let check = |days: [&str; 6]| {
        let course = what_if::course(day(days[0]), 3, &policy, &china);
        let found =
            [course.sent, course.received, course.audited, course.approved, course.accepted, course.paid];
        assert_eq!(found, days.map(day));
    };
    check(["2026-03-17", "2026-03-20", "2026-03-25", "2026-03-26", "2026-03-26", "2026-04-07"]);
    check(["2026-02-03", "2026-02-06", "2026-02-11", "2026-02-12", "2026-02-12", "2026-02-28"]);
}

/// The calendar facts behind the standard's two days of mailing: 36 months, three days in the mail.
#[test]
fn the_what_if_calendar_finds_the_days_that_miss_the_blackout() {
    let month = |text: &str| text.parse().unwrap();
    let rows = what_if::what_if(month("2024-01"), month("2026-12"), 3, &policy(), &Calendar::china());
    assert!(rows.iter().all(|row| row.months == 36));
    let blackout: Vec<u32> = rows.iter().map(|row| row.blackout_months).collect();
    assert_eq!(blackout[..2], [5, 2]);
    assert_eq!(blackout[2..14], [0; 12], "from the 3rd to the 14th");
    assert_eq!(blackout[14..17], [1; 3], "on the 15th, 16th and 17th");
    assert_eq!(blackout[17..19], [6, 12]);
    assert!(blackout[19..].iter().all(|months| (26..=36).contains(months)));
    assert_eq!(rows[0].mean_tenths, 195);
    let tenths: Vec<u32> = rows[2..14].iter().map(|row| row.mean_tenths).collect();
    assert_eq!((tenths.iter().min(), tenths.iter().max()), (Some(&189), Some(&201)));
    assert_eq!(rows.iter().map(|row| row.max_days).max(), Some(37));
}

/// A line with those vouchers and nothing else to it.
fn line(claimed: i64, vouchers: &[Ticket]) -> Line<'_> {
    Line {
        claimed: Fen(claimed),
        sup_cut: None,
        gm_cut: None,
        vouchers,
        needs_vouchers: true,
        verdict: Verdict::Ok,
        cap: None,
    }
}

fn ticket(fen: i64) -> Ticket {
    Ticket { amount: Fen(fen), counts: true }
}

fn rules(paid: &Paid) -> Vec<&str> {
    paid.steps.iter().map(|step| step.rule).filter(|rule| !rule.is_empty()).collect()
}

#[test]
fn vouchers_support_what_is_paid() {
    let policy = policy();
    let check = |vouchers: &[Ticket], pays: i64, expected: &[&str]| {
        let paid = payable(&line(10_000, vouchers), &policy).unwrap();
        assert_eq!((paid.payable, rules(&paid).as_slice()), (Fen(pays), expected));
        assert_eq!(paid.self_paid, Fen(0), "what has no voucher is not the claimant's share of a ceiling");
    };
    check(&[ticket(6_000), ticket(6_000)], 10_000, &["P-26"]);
    check(&[ticket(6_000), ticket(3_000)], 9_000, &["R1"]);
    check(&[Ticket { amount: Fen(12_000), counts: false }, ticket(9_000)], 9_000, &["R1"]);
    check(&[], 0, &["R1"]);
    check(&[ticket(10_000)], 10_000, &[]);
    let refusing = policy_with("voucher.shortage = \"refuse\"");
    assert_eq!(payable(&line(10_000, &[ticket(9_000)]), &refusing).unwrap().payable, Fen(0));
    let free = Line { needs_vouchers: false, ..line(10_000, &[]) };
    assert_eq!(payable(&free, &policy).unwrap().payable, Fen(10_000));
}

#[test]
fn a_ceiling_pays_what_is_left_of_it() {
    let policy = policy();
    let mut account = CapAccount { cap: Fen(15_000), ..CapAccount::default() };
    let pay = |claimed: i64, account: CapAccount| {
        let vouchers = [ticket(claimed)];
        let paid = payable(&Line { cap: Some(account), ..line(claimed, &vouchers) }, &policy).unwrap();
        (paid.payable, paid.self_paid)
    };
    let first = pay(10_000, account);
    assert_eq!(first, (Fen(10_000), Fen(0)));
    account.spend(first.0);
    assert_eq!(pay(8_000, account), (Fen(5_000), Fen(3_000)));
    account.exceptions = Fen(2_000);
    assert_eq!(pay(8_000, account), (Fen(7_000), Fen(1_000)));
    account.spend(Fen(90_000));
    assert_eq!(pay(8_000, account), (Fen(0), Fen(8_000)), "what is left is never below zero");
    let lump = policy_with("caps.receipts = false");
    let line =
        Line { cap: Some(CapAccount { cap: Fen(15_000), ..CapAccount::default() }), ..line(9_000, &[]) };
    assert_eq!(payable(&line, &lump).unwrap().payable, Fen(9_000), "a lump sum asks for no vouchers");
}

#[test]
fn an_expense_counts_in_its_own_month_and_a_phone_bill_in_the_billed_one() {
    let caps = policy().caps;
    let march = "2026-03".parse().ok();
    assert_eq!(cap::month(Category::CITY_TRANSPORT, day("2026-03-31"), None, &caps), march);
    assert_eq!(cap::month(Category::PHONE, day("2026-04-05"), march, &caps), march);
    assert_eq!(cap::month(Category::CITY_TRANSPORT, day("2026-03-31"), "2026-02".parse().ok(), &caps), march);
}

#[test]
fn cuts_and_verdicts_take_off() {
    let policy = policy();
    let vouchers = [ticket(10_000)];
    let cut = Line { sup_cut: Some(Fen(8_000)), gm_cut: Some(Fen(9_000)), ..line(10_000, &vouchers) };
    let paid = payable(&cut, &policy).unwrap();
    assert_eq!((paid.payable, paid.taken_off), (Fen(8_000), Fen(2_000)), "the deeper cut counts");
    let check = |verdict, pays| {
        let paid = payable(&Line { verdict, ..line(10_000, &vouchers) }, &policy).unwrap();
        assert_eq!(paid.payable, Fen(pays), "{verdict:?}");
        assert_eq!(paid.steps.iter().any(|step| step.what == What::Refused), pays == 0);
    };
    use Verdict::{Adjusted, Duplicate, Expired, FakeInvoice, FalseClaim, Invalid, LateBatch};
    use Verdict::{NonCompliant, Ok, OverCap, ShortVoucher, Void};
    for verdict in [Expired, LateBatch, Duplicate, FalseClaim, Void] {
        check(verdict, 0);
    }
    for verdict in [Ok, ShortVoucher, OverCap, Invalid, FakeInvoice, NonCompliant, Adjusted] {
        check(verdict, 10_000);
    }
}

#[test]
fn an_amount_that_cannot_be_one_is_refused() {
    let policy = policy();
    assert_eq!(payable(&line(0, &[]), &policy), Err(LineError::NotPositive(Fen(0))));
    let cut = Line { gm_cut: Some(Fen(-1)), ..line(1, &[]) };
    assert_eq!(payable(&cut, &policy), Err(LineError::Negative(Fen(-1))));
    let vast = [ticket(i64::MAX), ticket(1)];
    assert_eq!(payable(&line(1, &vast), &policy), Err(LineError::TooLarge));
    let refunds = [ticket(i64::MIN)];
    assert_eq!(payable(&line(1, &refunds), &policy).unwrap().payable, Fen(0));
}

#[test]
fn above_two_thousand_yuan_the_vice_president_is_asked() {
    let vp = policy().vp;
    assert!(!vp.is_asked(Fen(200_000), Fen(200_000)));
    assert!(vp.is_asked(Fen(200_001), Fen(200_001)));
    assert!(vp.is_asked(Fen(210_000), Fen(190_000)));
    assert!(policy_with("vp.strict = false").vp.is_asked(Fen(200_000), Fen(0)));
    assert!(!policy_with("vp.basis = \"audited\"").vp.is_asked(Fen(210_000), Fen(190_000)));
}

#[test]
fn a_late_audit_costs_twenty_yuan_for_each_working_day_and_branch() {
    let (terms, china) = (policy().fine, Calendar::china());
    let none = BTreeSet::new();
    let late = |due: &str, done: &str| Audited { due: day(due), done: day(done) };
    let check = |batches: &[Audited], days: usize, fen: i64| {
        let found = days_late(batches, &none, &china);
        assert_eq!((found.len(), late_fine(found.len(), &terms)), (days, Fen(fen)), "{batches:?}");
    };
    check(&[late("2026-03-11", "2026-03-11")], 0, 0);
    check(&[late("2026-03-11", "2026-03-12")], 1, 2_000);
    check(&[late("2026-03-11", "2026-03-16")], 3, 6_000);
    check(&[late("2026-09-24", "2026-10-09")], 5, 10_000);
    let two = [late("2026-03-11", "2026-03-16"), late("2026-03-11", "2026-03-16")];
    check(&two, 3, 6_000);
    let branches: usize = two.iter().map(|batch| days_late(&[*batch], &none, &china).len()).sum();
    assert_eq!(late_fine(branches, &terms), Fen(12_000), "two branches");
    let excused = BTreeSet::from([day("2026-03-13")]);
    assert_eq!(days_late(&two, &excused, &china).len(), 2);
    assert_eq!(late_fine(3, &policy_with("fine.mode = \"record_only\"").fine), Fen(0));
}

#[test]
fn a_case_fines_claimant_and_supervisor_once_each() {
    let person = |seq| DocId(OpId { replica: Replica(0), epoch: Epoch(1), seq });
    let (claimant, supervisor) = (person(1), person(2));
    let terms = policy().fine;
    let found = penalty(Offence::FalseClaim, 2, claimant, Some(supervisor), &terms);
    assert_eq!(found.fines, [(claimant, Fen(5_000)), (supervisor, Fen(5_000))]);
    assert_eq!(found.grade.as_deref(), Some("C"));
    let own = penalty(Offence::FormFault, 1, claimant, Some(claimant), &terms);
    assert_eq!((own.fines, own.grade), (vec![(claimant, Fen(2_000))], None));
    let lines = policy_with("fine.per = \"line\"").fine;
    assert_eq!(penalty(Offence::FormFault, 3, claimant, None, &lines).fines, [(claimant, Fen(6_000))]);
    assert_eq!(penalty(Offence::FalseClaim, 0, claimant, Some(supervisor), &terms).fines, []);
    let silent = policy_with("fine.mode = \"record_only\"").fine;
    assert_eq!(penalty(Offence::FormFault, 1, claimant, None, &silent).fines, [(claimant, Fen(0))]);
    assert_eq!(heaviest(&[Offence::FalseClaim, Offence::FormFault]), Some(Offence::FalseClaim));
}

#[test]
fn every_rule_that_an_answer_names_stands_in_the_document() {
    let (policy, china) = (policy(), Calendar::china());
    let document = include_str!("../../../docs/RULES.md");
    let stands = |rule: &str| {
        let row = |line: &str| {
            line.split('|').nth(1).is_some_and(|ids| ids.split(", ").any(|id| id.trim() == rule))
        };
        assert!(document.lines().any(row), "{rule}");
    };
    let day = day("2026-01-30");
    let questions = [
        Question::Audit { received: day },
        Question::Manager { audited: day },
        Question::Finance { approved: day },
        Question::Age { date: day },
        Question::Dispatch("2026-02-A".parse().unwrap()),
        Question::Blackout { date: day },
    ];
    for question in questions {
        stands(explain(&question, &policy, &china).unwrap().json["rule"].as_str().unwrap());
    }
    for verdict in
        [Verdict::Ok, Verdict::Expired, Verdict::LateBatch, Verdict::FalseClaim, Verdict::Duplicate]
    {
        for vouchers in [[ticket(20_000)], [ticket(9_000)]] {
            let cut = Some(Fen(9_500));
            let cap = Some(CapAccount { cap: Fen(100), exceptions: Fen(1), used: Fen(0) });
            let line = Line { verdict, sup_cut: cut, gm_cut: cut, cap, ..line(10_000, &vouchers) };
            let paid = payable(&line, &policy).unwrap();
            assert!(rules(&paid).len() >= 5);
            rules(&paid).into_iter().for_each(stands);
        }
    }
}
