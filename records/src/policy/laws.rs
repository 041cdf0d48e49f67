//! Laws of the rules over any day, amount and order.

use proptest::prelude::*;

use crate::money::Fen;
use crate::policy::calendar::Calendar;
use crate::policy::cap::CapAccount;
use crate::policy::count::{Count, Mark, Trace};
use crate::policy::line::{Line, Ticket, Verdict, payable};
use crate::policy::terms::{Policy, STANDARD};
use crate::policy::{age, dispatch, due, what_if};
use crate::time::Day;

/// Days of the years that are loaded, and some beyond them.
fn days() -> impl Strategy<Value = Day> {
    (15_000..21_500_i32).prop_map(Day)
}

fn amounts() -> impl Strategy<Value = Fen> {
    (0..500_000_i64).prop_map(Fen)
}

/// The days of an explanation follow each other, and what it counts is worked.
fn holds_together(trace: &Trace, calendar: &Calendar) -> Result<(), TestCaseError> {
    let mut counted = 0;
    for step in &trace.steps {
        prop_assert_eq!(step.kind, calendar.kind(step.day));
        if let Mark::Counted(n) = step.mark {
            counted += 1;
            prop_assert_eq!(n, counted);
            prop_assert!(step.kind.is_working());
        }
    }
    prop_assert!(trace.steps.windows(2).all(|pair| pair[0].day < pair[1].day));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_due_day_is_worked_and_never_earlier_for_a_later_start(day in days(), later in 0..40_i32) {
        let (policy, china) = (Policy::parse("").unwrap(), Calendar::china());
        for rule in [due::audit, due::manager, due::vp] {
            let (one, other) = (rule(day, &policy, &china), rule(day.plus(later), &policy, &china));
            let last = one.day.unwrap();
            prop_assert!(last > day && china.is_working(last));
            prop_assert!(other.day.unwrap() >= last);
            holds_together(&one.trace, &china)?;
        }
    }

    #[test]
    fn working_days_add_up_and_are_those_of_the_calendar(day in days(), m in 0..20_u16, n in 0..20_u16) {
        let china = Calendar::china();
        let add = |from, n| Count::new(&china).working_days(from, n, |_| false);
        let there = add(day, m + n);
        prop_assert_eq!(add(add(day, m), n), there);
        let worked = (day.0 + 1..=there.0).filter(|n| china.is_working(Day(*n))).count();
        prop_assert_eq!(worked, usize::from(m + n));
    }

    #[test]
    fn finance_takes_in_on_open_working_days_only_and_pays_on_a_working_day(day in days(), later in 0..40_i32) {
        let (policy, china) = (Policy::parse("").unwrap(), Calendar::china());
        let payment = due::finance(day, &policy, &china);
        prop_assert!(payment.accepted >= day && china.is_working(payment.accepted));
        prop_assert!(!policy.blackout.holds(payment.accepted));
        let open = |n: &i32| china.is_working(Day(*n)) && !policy.blackout.holds(Day(*n));
        prop_assert_eq!((day.0..payment.accepted.0).find(open), None, "no earlier day was open");
        prop_assert!(payment.due.unwrap() > payment.accepted && china.is_working(payment.due.unwrap()));
        let other = due::finance(day.plus(later), &policy, &china);
        prop_assert!(other.accepted >= payment.accepted && other.due >= payment.due);
        holds_together(&payment.trace, &china)?;
        let closure = due::blackout(day, &policy, &china);
        prop_assert_eq!(closure.opens, payment.accepted);
        prop_assert_eq!(closure.closed_until.is_some(), closure.closed);
    }

    #[test]
    fn an_expense_lives_a_month_and_its_last_day_is_worked(day in days(), later in 0..40_i32) {
        let (policy, china) = (Policy::parse("").unwrap(), Calendar::china());
        let last = age::expiry(day, &policy, &china).last_day;
        prop_assert!(last >= day.plus(28) && china.is_working(last));
        prop_assert!(age::expiry(day.plus(later), &policy, &china).last_day >= last);
        let carrying = dispatch::carrying(day, &policy, &china).unwrap();
        prop_assert!((carrying.from..=carrying.to).contains(&day) && carrying.due > day);
        let next = dispatch::first_from(day, &policy, &china).unwrap();
        prop_assert!(next.due >= day && next.due.0 < day.0 + 40);
    }

    #[test]
    fn every_day_goes_with_exactly_one_mailing(day in days(), letter in "half_month|before_dispatch_day") {
        let text = format!("version = \"t\"\ncycle.cutoff = \"{letter}\"");
        let (policy, china) = (Policy::parse(&text).unwrap(), Calendar::china());
        let one = dispatch::carrying(day, &policy, &china).unwrap();
        let before = dispatch::carrying(one.from.plus(-1), &policy, &china).unwrap();
        prop_assert!(before.to < one.from && before.cycle < one.cycle);
    }

    #[test]
    fn the_course_of_a_batch_runs_forward(day in days(), transit in 0..10_u8) {
        let (policy, china) = (Policy::parse("").unwrap(), Calendar::china());
        let c = what_if::course(day, transit, &policy, &china);
        let way = [c.sent, c.received, c.audited, c.approved, c.accepted, c.paid];
        prop_assert!(way.windows(2).all(|pair| pair[0] <= pair[1]));
        prop_assert_eq!(c.meets_blackout, policy.blackout.holds(c.approved));
    }

    #[test]
    fn any_file_is_read_or_refused_with_a_line_of_it(
        at in 0..110_usize, end in 0..110_usize, text in "[a-zA-Z0-9_.= \"'\\[\\]{}\n#-]{0,60}|\\PC{0,40}",
    ) {
        let mut lines: Vec<&str> = STANDARD.lines().collect();
        let (at, end) = (at.min(end).min(lines.len()), at.max(end).min(lines.len()));
        lines.splice(at..end, text.lines());
        let file = lines.join("\n");
        if let Err(error) = Policy::parse(&file) {
            prop_assert!((1..=lines.len().max(1) + 1).contains(&error.line), "{}", error);
            prop_assert!(!error.problem.to_string().is_empty());
        }
        prop_assert_eq!(Policy::differences(&file).is_err(), Policy::parse(&file).is_err_and(|e| e.key.is_empty()));
        prop_assert!(Calendar::china().load(&text).map_or(true, |years| years.is_empty()));
    }

    #[test]
    fn what_is_paid_and_what_is_not_add_up_to_what_was_claimed(
        claimed in (1..500_000_i64).prop_map(Fen),
        vouchers in prop::collection::vec((amounts(), any::<bool>()), 0..6),
        cuts in (prop::option::of(amounts()), prop::option::of(amounts())),
        cap in prop::option::of((amounts(), amounts(), amounts())),
        verdict in prop::sample::select(vec![Verdict::Ok, Verdict::Expired, Verdict::FakeInvoice]),
    ) {
        let policy = Policy::parse("").unwrap();
        let vouchers: Vec<Ticket> =
            vouchers.into_iter().map(|(amount, counts)| Ticket { amount, counts }).collect();
        let cap = cap.map(|(cap, exceptions, used)| CapAccount { cap, exceptions, used });
        let (sup_cut, gm_cut) = cuts;
        let line = Line { claimed, sup_cut, gm_cut, vouchers: &vouchers, needs_vouchers: true, verdict, cap };
        let paid = payable(&line, &policy).unwrap();
        prop_assert_eq!(paid.payable.0 + paid.self_paid.0 + paid.taken_off.0, claimed.0);
        prop_assert!([paid.payable, paid.self_paid, paid.taken_off].iter().all(|part| part.0 >= 0));
        prop_assert!(paid.payable <= claimed.min(paid.support));
        for cut in [sup_cut, gm_cut].into_iter().flatten() {
            prop_assert!(paid.payable <= cut);
        }
        if let Some(cap) = cap {
            prop_assert!(paid.payable <= cap.room());
        }
    }

    #[test]
    fn a_ceiling_is_never_exceeded_in_any_order(
        cap in amounts(),
        lines in prop::collection::vec((1..200_000_i64).prop_map(Fen), 1..12)
            .prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())),
    ) {
        let policy = Policy::parse("").unwrap();
        let pay = |lines: &[Fen]| {
            let mut account = CapAccount { cap, ..CapAccount::default() };
            let mut claimed = 0;
            for amount in lines {
                let vouchers = [Ticket { amount: *amount, counts: true }];
                let line = Line {
                    claimed: *amount, sup_cut: None, gm_cut: None, vouchers: &vouchers, needs_vouchers: true,
                    verdict: Verdict::Ok, cap: Some(account),
                };
                account.spend(payable(&line, &policy).unwrap().payable);
                claimed += amount.0;
            }
            (account.used, claimed)
        };
        let ((one, claimed), (other, _)) = (pay(&lines.0), pay(&lines.1));
        prop_assert!(one <= cap);
        prop_assert_eq!(one, other, "the order decides who is paid, not how much");
        prop_assert_eq!(one, cap.min(Fen(claimed)));
    }
}
