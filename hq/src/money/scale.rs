//! What the office's lists hold of many claims, and how long they take.
//!
//! A company of claims made by hand is asked small by every run of the tests; with a number, in release, the same is a
//! measurement, whose folder stays for the commands and pages:
//! `FIELDBOOK_BENCH=100000 FIELDBOOK_BENCH_HOME=DIR cargo test --release -p fieldbook-hq --lib lists_of_many -- --nocapture`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use records::id::DocId;
use records::kinds::claim::{Claimant, CostOwner, Lines, Placed};
use records::kinds::claim_machine as at;
use records::kinds::number;
use records::kinds::staff::Role;
use records::kinds::voucher::{Amount, Category, Dated, InvoiceNo};
use records::money::Fen;
use records::policy::cycle::HalfMonth;
use records::value::Count;

use crate::lists::{Reader, Sieve};
use crate::money::bench::{Bench, Dev, today};
use crate::money::rows::{link, put, text};

/// Claims of one person: one of each half-month of two years.
const EACH: usize = 48;
/// Every so many claims of a person, the last ones, still wait for somebody; the others are done with.
const OPEN: usize = 3;

/// One claim of one voucher, submitted.
fn claim(device: &mut Dev, person: usize, n: usize) -> DocId {
    let serial = person * EACH + n;
    let fen = 1_000 + i64::try_from(serial % 900).unwrap() * 10;
    let day = half(n).first().plus(i32::try_from(serial % 7).unwrap());
    let no = format!("{:020}", 25_152_000_000_000_000_000_u128 + u128::try_from(serial).unwrap());
    let writes = vec![
        put(&[Amount { amount: Some(Fen(fen)), ..Amount::default() }]),
        put(&[Dated { date: Some(day) }]),
        put(&[InvoiceNo { inv_no: text(&no), ..InvoiceNo::default() }]),
    ];
    let voucher = DocId(device.write(number::VOUCHER, None, Vec::new(), writes));
    let claimant = Claimant {
        staff: link(device.staff()),
        unit: link(device.enrolment.unit),
        half: text(&half(n).to_string()),
        cost_owner: Some(CostOwner::SERVICE),
    };
    let line = Lines {
        line: Some(Count(1)),
        category: Some(if n.is_multiple_of(2) { Category::COURIER } else { Category::CITY_TRANSPORT }),
        date: Some(day),
        claimed: Some(Fen(fen)),
        ..Lines::default()
    };
    let placed = Placed {
        line: Some(Count(1)),
        voucher: link(voucher),
        amount: Some(Fen(fen)),
        key: text(&format!("D:{no}")),
        ..Placed::default()
    };
    let writes = vec![put(&[claimant]), put(&[line]), put(&[placed])];
    let claim = DocId(device.write(number::CLAIM, None, Vec::new(), writes));
    let number = format!("C1-{}-2026-{:04}", device.enrolment.staff_code, n + 1);
    let submission = device.submission(fen, &number);
    device.write(number::CLAIM, Some(claim), Vec::new(), submission);
    claim
}

/// The n-th half-month of two years that end now.
fn half(n: usize) -> HalfMonth {
    let back = EACH - 1 - n;
    let month = records::policy::cycle::Month::of(today()).unwrap().plus(-i32::try_from(back / 2).unwrap());
    let name = format!("{month}-H{}", if back.is_multiple_of(2) { 2 } else { 1 });
    name.parse().unwrap()
}

/// A company of so many engineers with all their claims; how many of them wait for the supervisor.
fn company(bench: &mut Bench, people: usize) -> usize {
    let mut staff = String::from("code,name,unit,roles\n");
    for person in 0..people {
        writeln!(staff, "T{person:04},Ren {person},C1,engineer").unwrap();
    }
    bench.import("staff", &staff);
    let mut open = 0;
    for person in 0..people {
        let mut device = bench.device(&format!("T{person:04}"));
        for n in 0..EACH {
            let claim = claim(&mut device, person, n);
            if n + OPEN < EACH {
                device.decide(claim, &[], "void", Role::ENGINEER);
            } else {
                open += 1;
            }
        }
        let verdicts = bench.push(&mut device);
        assert_eq!(verdicts, BTreeMap::new());
    }
    open
}

/// Says how long a job took, where a measurement is asked for.
fn timed<T>(name: &str, job: impl FnOnce() -> T) -> T {
    let start = crate::clock::Clock::REAL.now_ms();
    let done = job();
    let took = Duration::from_millis(crate::clock::Clock::REAL.now_ms().saturating_sub(start));
    if std::env::var_os("FIELDBOOK_BENCH").is_some() {
        eprintln!("{name}: {took:?}, {} MiB at most so far", peak_mib());
    }
    done
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:").map(str::trim));
    line.and_then(|line| line.split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

#[test]
fn lists_of_many_claims_hold_those_that_wait_and_no_others() {
    let asked: usize = std::env::var("FIELDBOOK_BENCH").ok().and_then(|n| n.parse().ok()).unwrap_or(2 * EACH);
    let mut bench = match std::env::var_os("FIELDBOOK_BENCH_HOME").map(PathBuf::from) {
        Some(home) => Bench::at(&home),
        None => Bench::new(),
    };
    let open = timed("making the claims", || company(&mut bench, asked.div_ceil(EACH)));
    let all = asked.div_ceil(EACH) * EACH;
    let auditor = bench.staff("A01");
    let reader: Reader = bench.desk.list_reader(auditor).unwrap();
    let desk = &mut bench.desk;
    let waiting = timed("waiting", || desk.waiting(&[], today()).unwrap());
    assert_eq!(waiting.len(), open);
    assert!(waiting.iter().all(|waiting| waiting.held.claim.state == at::SUBMITTED));
    let totals = timed("cycle_totals", || {
        let branch =
            desk.people().unwrap().units.iter().find(|(_, unit)| unit.code == "B1").unwrap().0.to_owned();
        desk.cycle_totals(branch).unwrap()
    });
    assert_eq!(totals.iter().map(|total| total.claims).collect::<Vec<_>>(), [open]);
    let (page, more) = timed("a page of claims", || {
        desk.listed(&reader, &records::kinds::claim::CLAIM, &Sieve::default(), (0, 50)).unwrap()
    });
    assert_eq!((page.len(), more), (50.min(all), all > 50));
    let gaps = timed("gaps", || desk.gaps(None).unwrap());
    assert!(gaps.is_empty(), "{gaps:?}");
    let claims = timed("the charts' claims", || desk.claims_read(&reader, today()).unwrap());
    assert_eq!(claims.len(), all);
    let charts = timed("costs and ceilings", || {
        (desk.costs(&claims).unwrap(), desk.ceilings(&claims, today()).unwrap())
    });
    assert!(!charts.0[0].bars.is_empty());
    let open = timed("open matters", || desk.open_matters().unwrap());
    assert!(open.bars.iter().all(|(_, bar)| bar == &[0]), "{open:?}");
    let found = timed("search by number", || desk.search(&reader, "C1-T0001-2026-0002", 20).unwrap());
    assert_eq!(found.len(), 1);
    let counted = timed("by state", || {
        let sieve = Sieve { states: vec![at::SUBMITTED], ..Sieve::default() };
        desk.listed(&reader, &records::kinds::claim::CLAIM, &sieve, (0, 50)).unwrap().0.len()
    });
    assert_eq!(counted, 50.min(waiting.len()));
    let first = waiting.first().unwrap().held.claim.id;
    let found = timed("facts of one", || {
        let claim = desk.held_claim(first).unwrap().unwrap();
        desk.facts(&claim.claim, today()).unwrap()
    });
    assert_eq!(found.taken.len(), 1);
    let twins = timed("twins of one voucher", || {
        let claim = desk.held_claim(first).unwrap().unwrap().claim;
        let voucher = claim.lines[0].vouchers[0].voucher.unwrap();
        desk.twins_of(voucher, today()).unwrap()
    });
    assert!(twins.is_empty(), "{twins:?}");
}
