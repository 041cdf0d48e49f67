//! Whatever devices decide, in whatever order: nobody judges at two levels or for himself, and no device pays.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use records::claim::segregation::Level;
use records::id::{DocId, OpId};
use records::kinds::claim_machine::CLAIM;
use records::kinds::staff::Role;
use sync_protocol::merge::Standing;

use crate::money::bench::{Bench, Dev};

const WHO: [(&str, Role); 9] = [
    ("E01", Role::ENGINEER),
    ("S01", Role::SUPERVISOR),
    ("S01", Role::ENGINEER),
    ("G01", Role::BRANCH_GM),
    ("S02", Role::SUPERVISOR),
    ("A01", Role::AUDITOR),
    ("M01", Role::CS_MANAGER),
    ("V01", Role::SALES_VP),
    ("F01", Role::FINANCE),
];

/// The ends of all logs on a document, but a device's own.
fn seen(bench: &mut Bench, claim: DocId, device: &Dev) -> Vec<OpId> {
    let own = device.last();
    let mut ends: BTreeMap<_, OpId> = BTreeMap::new();
    for op in bench.desk.history(claim).unwrap() {
        let line = (op.id.replica, op.id.epoch);
        if line != (own.replica, own.epoch) {
            let end = ends.entry(line).or_insert(op.id);
            *end = op.id.max(*end);
        }
    }
    ends.into_values().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn no_run_of_device_decisions_pays_or_is_judged_twice_by_one_person(
        supervisors_own in any::<bool>(),
        deeds in proptest::collection::vec((0..WHO.len(), 0..CLAIM.steps.len(), 0..4_u8), 1..24),
    ) {
        let mut bench = Bench::new();
        let mut devices: BTreeMap<&str, Dev> = BTreeMap::new();
        for (who, _) in WHO {
            if !devices.contains_key(who) {
                let device = bench.device(who);
                devices.insert(who, device);
            }
        }
        let claimant = if supervisors_own { "S01" } else { "E01" };
        let claim = {
            let device = devices.get_mut(claimant).unwrap();
            let claim = device.submit(250_000, &format!("C1-{claimant}-2026-0001"));
            prop_assert_eq!(bench.rule(device), "");
            claim
        };
        let usual = [(1, "sup_approve"), (3, "gm_approve"), (1, "batch"), (1, "dispatch")];
        for (n, (who, step, lucky)) in deeds.into_iter().enumerate() {
            // Mostly what comes next in an honest run, so that runs go far.
            let honest = usual.get(n).filter(|_| lucky > 0);
            let (who, name) = honest.map_or((who, CLAIM.steps[step].name), |(who, name)| (*who, *name));
            let (who, role) = WHO[who];
            let device = devices.get_mut(who).unwrap();
            let seen = seen(&mut bench, claim, device);
            device.decide(claim, &seen, name, role);
            let _ = bench.push(device);
        }
        let document = bench.desk.document(claim).unwrap().unwrap();
        let read = bench.claim(claim);
        let standing: BTreeSet<&str> = document.decisions.iter()
            .filter(|ruled| ruled.standing == Standing::Stands)
            .filter_map(|ruled| CLAIM.step_at(ruled.step).map(|step| step.name))
            .collect();
        let late = ["receive", "audit", "mgr_approve", "vp_approve", "hand_over", "accept", "pay", "close"];
        prop_assert!(late.iter().all(|step| !standing.contains(step)), "{standing:?}");
        let mut levels: BTreeMap<DocId, BTreeSet<Level>> = BTreeMap::new();
        for approval in read.approvals.iter().filter(|approval| standing.contains(approval.step.as_str())) {
            if let (Some(by), Some(level)) = (approval.by, Level::of(&approval.step)) {
                prop_assert_ne!(by, read.staff, "nobody judges his own claim");
                levels.entry(by).or_default().insert(level);
            }
        }
        prop_assert!(levels.values().all(|levels| levels.len() == 1), "{levels:?}");
    }
}
