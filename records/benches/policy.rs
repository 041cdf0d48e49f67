//! The rules on one claim: its checks and its settlement.
//!
//! `cargo bench -p records --bench policy` tells times. `… -- count` names what is measured and `… -- count NAME N`
//! does it N times and nothing else, for `cargo xtask count`.

#![expect(clippy::print_stdout, reason = "a measurement prints what it measured")]

#[path = "company/made.rs"]
mod made;

use std::error::Error;
use std::hint::black_box;

use criterion::Criterion;
use records::claim::checks::check;
use records::claim::facts::Facts;
use records::claim::settle::{settle, spends};
use records::claim::view::Claim;

use crate::made::{EACH, LINES, claim, company};

/// Something that is measured.
type Act = fn(&World);

/// All of them, by name.
const MEASURED: &[(&str, Act)] = &[
    ("policy/check", |world| drop(black_box(check(&world.claim, &world.facts)))),
    ("policy/settle", |world| drop(black_box(settle(&world.claim, &world.facts)))),
];

/// The last claim of one person, with all before it settled.
struct World {
    facts: Facts,
    claim: Claim,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["count"] => MEASURED.iter().for_each(|(name, _)| println!("{name}")),
        ["count", name, times] => {
            let (world, times) = (World::made()?, times.parse::<u32>()?);
            for (_, act) in MEASURED.iter().filter(|(measured, _)| measured == name) {
                (0..times).for_each(|_| act(&world));
            }
        }
        _ => {
            let (world, mut criterion) = (World::made()?, Criterion::default().configure_from_args());
            for (name, act) in MEASURED {
                criterion.bench_function(name, |bencher| bencher.iter(|| act(black_box(&world))));
            }
            criterion.final_summary();
        }
    }
    Ok(())
}

impl World {
    fn made() -> Result<Self, Box<dyn Error>> {
        let mut facts = company()?;
        for n in 0..EACH - 1 {
            let claim = claim(n, &mut facts)?;
            let settled = settle(&claim, &facts);
            for (account, row) in spends(&claim, &settled) {
                facts.spend(account, row);
            }
        }
        let claim = claim(EACH - 1, &mut facts)?;
        assert_eq!(claim.lines.len(), usize::try_from(LINES)?);
        Ok(Self { facts, claim })
    }
}
