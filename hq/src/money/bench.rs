//! A headquarters with two branches and devices made by hand, for tests of claims.

use std::collections::BTreeMap;

use records::claim::view::Claim;
use records::decision::{DECISION_TAG, Decision};
use records::id::{DocId, Epoch, OpId};
use records::kinds;
use records::kinds::approval::Approvals;
use records::kinds::claim::{CLAIM, ClaimNo, Claimant, CostOwner, Lines, Placed, Submission};
use records::kinds::number;
use records::kinds::staff::Role;
use records::kinds::voucher::Category;
use records::money::Fen;
use records::time::{Day, Zone};
use records::value::{Count, Digest, Ref, Target};
use sync_protocol::chain::Link;
use sync_protocol::enrolment::Enrolment;
use sync_protocol::op::{Row, Write};
use sync_protocol::ruling::Verdict;
use sync_protocol::segment::{Run, cut};
use sync_protocol::sign::Signer;
use sync_protocol::stamp::Stamp;

use crate::data::Data;
use crate::enrol::Reach;
use crate::intake::desk::Desk;
use crate::money::rows::{instant, link, put, text};

/// 2026-11-22 10:00 in China: where every clock of these tests starts.
pub(crate) const NOW_MS: u64 = 1_795_312_800_000;

const ORG: &str = "code,name,kind,parent,manager,supervisor,lump_sum\nCO,Company,company,,,,\nB1,East,branch,CO,G01,,\n\
                   C1,Centre 1,service_center,B1,,S01,yes\nB2,West,branch,CO,,,\nC2,Centre 2,service_center,B2,,S02,\n";
const STAFF: &str = "code,name,unit,roles\nE01,Wang,C1,engineer\nE02,Li,C1,engineer\nE03,Zhao,C2,engineer\n\
                     S01,Chen,C1,supervisor;engineer\nS02,Sun,C2,supervisor\nG01,Gao,B1,branch_gm\nA01,Ai,CO,auditor\n\
                     M01,Ma,CO,cs_manager\nV01,Fu,CO,sales_vp\nF01,Fan,CO,finance\nF02,Fei,CO,finance\n";

/// A headquarters.
pub(crate) struct Bench {
    _folder: Option<tempfile::TempDir>,
    pub(crate) desk: Desk,
    pub(crate) now_ms: u64,
    seeds: u32,
}

/// A device, its log, and how much of it headquarters has.
pub(crate) struct Dev {
    pub(crate) enrolment: Enrolment,
    signer: Signer,
    epoch: Epoch,
    rows: Vec<Row>,
    sent: usize,
    stamp: Stamp,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Self::at(folder.path());
        Self { _folder: Some(folder), ..bench }
    }

    /// Makes one in a folder that stays.
    pub(crate) fn at(folder: &std::path::Path) -> Self {
        let data = Data::at(folder);
        data.init("http://127.0.0.1:7400").unwrap();
        let desk = data.open(false).unwrap();
        let mut bench = Self { _folder: None, desk, now_ms: NOW_MS, seeds: 0 };
        bench.import("org", ORG);
        bench.import("staff", STAFF);
        bench
    }

    pub(crate) fn import(&mut self, kind: &str, table: &str) {
        let (kind, now) = (kinds::by_name(kind).unwrap(), self.now_ms);
        let done = self.desk.transact(|desk| desk.import(table.as_bytes(), kind, now)).unwrap();
        assert!(done.refused.is_empty(), "{:?}", done.refused);
    }

    pub(crate) fn device(&mut self, staff: &str) -> Dev {
        let reach = Reach { address: "http://127.0.0.1:7400".into(), tls_pin: None };
        let now = self.now_ms;
        let enrolment = self.desk.transact(|desk| desk.issue_code(staff, &reach, now)).unwrap();
        self.seeds += 1;
        let mut seed = [1; 32];
        seed[..4].copy_from_slice(&self.seeds.to_le_bytes());
        let signer = Signer::from_seed(&seed).unwrap();
        let epoch = Epoch(self.seeds);
        Dev { enrolment, signer, epoch, rows: Vec::new(), sent: 0, stamp: Stamp::default() }
    }

    /// Takes in what the device has not sent yet, and returns the verdicts that are not plainly "accepted".
    pub(crate) fn push(&mut self, device: &mut Dev) -> BTreeMap<OpId, Verdict> {
        let before =
            device.rows[..device.sent].iter().fold(Link::ROOT, |link, row| link.next(&row.to_bytes()));
        let line = (device.enrolment.replica, device.epoch);
        let rows = &device.rows[device.sent..];
        let run = Run { line, first: device.sent as u64 + 1, before, parent: None, test_clock: false, rows };
        let segments = cut(&device.signer, &run).unwrap();
        device.sent = device.rows.len();
        let now = self.now_ms;
        let taken = self.desk.transact(|desk| desk.take(segments, now)).unwrap();
        let named = taken.rulings.iter().flat_map(|ruling| {
            let name = |at: u32| OpId {
                replica: ruling.replica,
                epoch: ruling.epoch,
                seq: ruling.first + u64::from(at),
            };
            ruling.exceptions.iter().map(move |(at, verdict)| (name(*at), verdict.clone()))
        });
        named.collect()
    }

    /// Pushes, and returns the rule that stands against the last op; empty where none does.
    pub(crate) fn rule(&mut self, device: &mut Dev) -> String {
        let verdicts = self.push(device);
        match verdicts.get(&device.last()) {
            Some(Verdict::Quarantined { code, text, .. }) if *code == sync_protocol::reason::GUARD => {
                text.lines().next().unwrap().to_owned()
            }
            Some(other) => format!("{other:?}"),
            None => String::new(),
        }
    }

    pub(crate) fn claim(&mut self, id: DocId) -> Claim {
        Claim::of(&self.desk.record(id).unwrap().unwrap()).unwrap()
    }

    pub(crate) fn state(&mut self, id: DocId) -> &'static str {
        self.desk.record(id).unwrap().unwrap().state_name()
    }

    pub(crate) fn staff(&mut self, code: &str) -> DocId {
        self.desk.people().unwrap().by_code(code).unwrap().0
    }
}

impl Dev {
    pub(crate) fn staff(&self) -> DocId {
        self.enrolment.staff
    }

    pub(crate) fn last(&self) -> OpId {
        OpId { replica: self.enrolment.replica, epoch: self.epoch, seq: self.rows.len() as u64 }
    }

    pub(crate) fn write(
        &mut self,
        kind: u16,
        doc: Option<DocId>,
        seen: Vec<OpId>,
        mut writes: Vec<Write>,
    ) -> OpId {
        self.stamp = self.stamp.next(NOW_MS + self.rows.len() as u64);
        writes.sort_by_key(|write| write.tag);
        let mut seen = seen;
        seen.sort_unstable();
        self.rows.push(Row { kind, schema: 1, doc, stamp: self.stamp, seen, forked_from: None, writes });
        self.last()
    }

    /// Drafts a claim of one line with one voucher.
    pub(crate) fn draft(&mut self, fen: i64) -> DocId {
        let claimant = Claimant {
            staff: link(self.staff()),
            unit: link(self.enrolment.unit),
            half: text("2026-11-H2"),
            cost_owner: Some(CostOwner::SERVICE),
        };
        let line = Lines {
            line: Some(Count(1)),
            category: Some(Category::COURIER),
            date: Some("2026-11-20".parse().unwrap()),
            claimed: Some(Fen(fen)),
            ..Lines::default()
        };
        let placed = Placed {
            line: Some(Count(1)),
            voucher: Some(Ref(Target::Text(format!("paper {fen}")))),
            amount: Some(Fen(fen)),
            key: text(&format!("V:{}:{fen}", self.enrolment.staff_code)),
            ..Placed::default()
        };
        DocId(self.write(
            number::CLAIM,
            None,
            Vec::new(),
            vec![put(&[claimant]), put(&[line]), put(&[placed])],
        ))
    }

    /// What a submission of [`Self::draft`] writes.
    pub(crate) fn submission(&self, fen: i64, number: &str) -> Vec<Write> {
        let submission = Submission {
            rev: Some(Count(1)),
            submitted_day: Some(today()),
            submitted_at: Some(instant(NOW_MS)),
            policy_version: text("2022-06/1"),
            cycle: text("2026-12-A"),
            claimed_total: Some(Fen(fen)),
            voucher_total_count: Some(Count(1)),
        };
        vec![
            decision("submit", self.enrolment.roles[0], "", None),
            put(&[submission]),
            put(&[ClaimNo { claim_no: text(number) }]),
        ]
    }

    /// Drafts a claim and submits it under a number.
    pub(crate) fn submit(&mut self, fen: i64, number: &str) -> DocId {
        let claim = self.draft(fen);
        let writes = self.submission(fen, number);
        self.write(number::CLAIM, Some(claim), Vec::new(), writes);
        claim
    }

    /// Takes a step on a claim of somebody else's, whose last op this device has seen.
    pub(crate) fn decide(&mut self, claim: DocId, seen: &[OpId], step: &str, role: Role) -> OpId {
        let reason = if step.ends_with("return") {
            "other"
        } else if step == "void" {
            "typing error"
        } else {
            ""
        };
        let writes = vec![decision(step, role, reason, None), put(&[approval(step, self.staff())])];
        self.write(number::CLAIM, Some(claim), seen.to_vec(), writes)
    }
}

pub(crate) fn today() -> Day {
    instant(NOW_MS).day(Zone::SHANGHAI)
}

/// What a reviewer of [`Dev::draft`] says.
pub(crate) fn approval(step: &str, by: DocId) -> Approvals {
    Approvals {
        step: text(step),
        by: link(by),
        rev: Some(Count(1)),
        content: Some(Digest(vec![7; 16])),
        vouchers: Some(Count(1)),
        at: Some(instant(NOW_MS)),
        ..Approvals::default()
    }
}

/// A decision on a claim; whoever does not submit has seen content.
pub(crate) fn decision(step: &str, role: Role, reason: &str, principal: Option<DocId>) -> Write {
    let (index, taken) = CLAIM.machine.unwrap().step(step).unwrap();
    let decision = Decision {
        step: index,
        role,
        on_behalf_of: principal,
        to: None,
        reason: reason.to_owned(),
        saw: (!taken.own).then_some([7; 16]),
        picks: None,
    };
    Write { tag: DECISION_TAG, bytes: postcard::to_allocvec(&decision).unwrap() }
}
