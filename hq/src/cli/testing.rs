//! A headquarters in a temporary folder, worked as the office works it: by commands.

use clap::Parser;
use records::decision::{DECISION_TAG, Decision};
use records::id::DocId;
use records::kinds::approval::Approvals;
use records::kinds::batch::{BatchClaims, BatchNo, Dispatch};
use records::kinds::claim::{CLAIM, ClaimNo, Claimant, CostOwner, Lines, Placed, Submission};
use records::kinds::staff::Role;
use records::kinds::voucher::{Amount, Category, Dated, Purpose};
use records::kinds::{self, number};
use records::money::Fen;
use records::time::{Ts, Zone};
use records::value::{Count, Ref, Target, Text};
use serde_json::Value as Json;
use sync_protocol::op::Write;

use crate::author::{NewOp, On};
use crate::cli::answer::{Answer, Fault, Lang};
use crate::cli::{Cli, Room, work};
use crate::clock::Clock;
use crate::data::Data;
use crate::intake::desk::Desk;
use crate::money::rows::{instant, link, put, text};

const ORG: &str = "code,name,kind,parent,supervisor,manager,lump_sum\nCO,Company,company,,,,\nHZ,East,branch,CO,,G01,\n\
                   HZC,Centre 1,service_center,HZ,S01,,yes\nNJ,West,branch,CO,,G02,\nNJC,Centre 2,service_center,NJ,S02,,\n";
const STAFF: &str = "code,name,unit,roles\nE01,Wang,HZC,engineer\nE02,Li,HZC,engineer\nE03,Zhao,NJC,engineer\n\
                     S01,Chen,HZC,supervisor;engineer\nS02,Sun,NJC,supervisor;engineer\nG01,Gao,HZ,branch_gm\n\
                     G02,Gu,NJ,branch_gm\nA01,Ai,CO,auditor\nA02,An,CO,auditor\nM01,Ma,CO,cs_manager\nV01,Fu,CO,sales_vp\n\
                     F01,Fan,CO,finance\nF02,Fei,CO,finance\n";

/// A headquarters and the time.
pub(crate) struct Office {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) now: &'static str,
}

/// A line of a claim: what for, when, how much, and what its one voucher comes to.
pub(crate) type Entry = (Category, &'static str, i64, i64);

impl Office {
    /// A company with two branches, at ten in the morning of 2026-03-20, a Friday.
    pub(crate) fn new() -> Self {
        let office = Self { folder: tempfile::tempdir().unwrap(), now: "2026-03-20T10:00:00+08:00" };
        office.data().init("http://127.0.0.1:7400").unwrap();
        for (kind, table) in [("org", ORG), ("staff", STAFF), ("org", ORG)] {
            office.import(kind, table);
        }
        office
    }

    pub(crate) fn data(&self) -> Data {
        Data::at(&self.folder.path().join("hq"))
    }

    pub(crate) fn desk(&self) -> Desk {
        self.data().open(true).unwrap()
    }

    /// Loses everything that headquarters had on its disk.
    pub(crate) fn lose(&self) {
        std::fs::remove_dir_all(self.folder.path().join("hq")).unwrap();
    }

    pub(crate) fn now_ms(&self) -> u64 {
        Ts::parse(self.now, Zone::SHANGHAI).unwrap().0.try_into().unwrap()
    }

    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    pub(crate) fn import(&self, kind: &str, table: &str) {
        let (kind, now) = (kinds::by_name(kind).unwrap(), self.now_ms());
        let done = self.desk().transact(|desk| desk.import(table.as_bytes(), kind, now)).unwrap();
        assert!(done.refused.is_empty(), "{:?}", done.refused);
    }

    /// Runs a command.
    pub(crate) fn ask(&self, words: &[&str]) -> Result<Answer, Fault> {
        let cli = Cli::try_parse_from([&["fieldbook-hq"], words].concat()).unwrap();
        let clock = Clock::set(self.now_ms(), false);
        let lang = Lang::chosen(Some("en"));
        work(
            cli.command,
            &Room { data: self.data(), database: None, clock, test_clock: true, lang, json: true },
        )
    }

    /// Runs a command that must be done, and returns its answer.
    #[track_caller]
    pub(crate) fn done(&self, words: &str) -> Json {
        self.all(&words.split(' ').collect::<Vec<_>>())
    }

    /// The same, of words with blanks in them.
    #[track_caller]
    pub(crate) fn all(&self, words: &[&str]) -> Json {
        match self.ask(words) {
            Ok(answer) => answer.json,
            Err(fault) => panic!("{words:?}: {fault:?}"),
        }
    }

    /// Runs a command that must be refused, and returns the rule.
    #[track_caller]
    pub(crate) fn refused(&self, words: &str) -> String {
        self.rule(&words.split(' ').collect::<Vec<_>>())
    }

    /// The same, of words with blanks in them.
    #[track_caller]
    pub(crate) fn rule(&self, words: &[&str]) -> String {
        match self.ask(words) {
            Ok(answer) => panic!("{words:?}: {}", answer.json),
            Err(fault) => {
                let english = Lang::chosen(Some("en"));
                for said in [fault.message(english), fault.hint(english)] {
                    assert!(!said.starts_with(&*fault.key) && !said.contains("%{"), "{said}");
                }
                fault.rule.into_owned()
            }
        }
    }

    /// Makes a claim in the post: submitted, reviewed, dispatched. The devices' part is written by hand.
    pub(crate) fn claim(&self, staff: &str, no: &str, entries: &[Entry]) -> DocId {
        self.claim_after(staff, no, entries, 4)
    }

    /// The same with only so many steps taken after its submission.
    pub(crate) fn claim_after(&self, staff: &str, no: &str, entries: &[Entry], steps: usize) -> DocId {
        let mut desk = self.desk();
        let now = self.now_ms();
        desk.transact(|desk| Ok::<_, Fault>(made(desk, (staff, no), entries, steps, now))).unwrap()
    }

    /// Puts claims into a branch's batch, dispatched on its due day.
    pub(crate) fn batch(&self, no: &str, claims: &[(DocId, &str)]) -> DocId {
        let mut desk = self.desk();
        let now = self.now_ms();
        desk.transact(|desk| Ok::<_, Fault>(dispatched(desk, no, claims, now))).unwrap()
    }

    /// Makes a claim of one courier line that is audited, approved and with finance.
    pub(crate) fn with_finance(&self, staff: &str, no: &str, fen: i64) -> DocId {
        let claim = self.claim(staff, no, &[(Category::COURIER, "2026-03-05", fen, fen)]);
        self.batch(&format!("B-{no}"), &[(claim, no)]);
        self.done(&format!("batch receive B-{no} --as A01"));
        self.done(&format!("audit done {no} --as A01"));
        self.done(&format!("approve {no} --as M01"));
        self.done(&format!("audit hand-over {no} --as A01"));
        self.done(&format!("pay accept {no} --as F01"));
        claim
    }

    pub(crate) fn account(&self, staff: &str, no: &str) {
        self.import(
            "account",
            &format!("code,account_name,account_no,bank_name\n{staff},={staff},{no},ICBC\n"),
        );
    }
}

fn decision(step: &str, role: Role) -> Write {
    let (index, _) = CLAIM.machine.unwrap().step(step).unwrap();
    let (reason, to, on_behalf_of) = (String::new(), None, None);
    let decision = Decision { step: index, role, on_behalf_of, to, reason, saw: None, picks: None };
    Write { tag: DECISION_TAG, bytes: postcard::to_allocvec(&decision).unwrap() }
}

fn write(desk: &mut Desk, kind: u16, on: On, writes: Vec<Write>, now: u64) -> DocId {
    let written = desk.write(vec![NewOp { kind, on, writes }], now).unwrap();
    match on {
        On::Create => DocId(written[0]),
        On::Document(doc) => doc,
    }
}

fn staff(desk: &mut Desk, code: &str) -> DocId {
    desk.people().unwrap().by_code(code).unwrap().0
}

fn made(desk: &mut Desk, (code, no): (&str, &str), entries: &[Entry], taken: usize, now: u64) -> DocId {
    let claimant = staff(desk, code);
    let unit = desk.people().unwrap().staff[&claimant].unit.unwrap();
    let (mut lines, mut placed) = (Vec::new(), Vec::new());
    for (n, (category, date, claimed, support)) in (1..).zip(entries) {
        let voucher = voucher(desk, *category, date, *support, now);
        lines.push(Lines {
            line: Some(Count(n)),
            category: Some(*category),
            date: date.parse().ok(),
            claimed: Some(Fen(*claimed)),
            ..Lines::default()
        });
        placed.push(Placed {
            line: Some(Count(n)),
            voucher: Some(Ref(Target::Doc(voucher))),
            amount: Some(Fen(*support)),
            date: date.parse().ok(),
            key: text(&format!("V:{no}:{n}")),
            ..Placed::default()
        });
    }
    let whose = Claimant {
        staff: link(claimant),
        unit: link(unit),
        half: text("2026-03-H1"),
        cost_owner: Some(CostOwner::SERVICE),
    };
    let claim = write(desk, number::CLAIM, On::Create, vec![put(&[whose]), put(&lines), put(&placed)], now);
    let day = instant(now).day(Zone::SHANGHAI);
    let version = desk.terms().unwrap().in_force.policy(day).version.clone();
    let submission = Submission {
        rev: Some(Count(1)),
        submitted_day: Some(day),
        submitted_at: Some(instant(now)),
        policy_version: text(&version),
        cycle: text("2026-03-B"),
        claimed_total: Some(Fen(entries.iter().map(|(_, _, claimed, _)| claimed).sum())),
        voucher_total_count: Some(Count(entries.len().try_into().unwrap())),
    };
    let sent = vec![
        decision("submit", Role::ENGINEER),
        put(&[submission]),
        put(&[ClaimNo { claim_no: Some(Text(no.to_owned())) }]),
    ];
    write(desk, number::CLAIM, On::Document(claim), sent, now);
    let branch = if code == "E03" || code == "S02" { ["S02", "G02"] } else { ["S01", "G01"] };
    let steps = [
        ("sup_approve", Role::SUPERVISOR, branch[0]),
        ("gm_approve", Role::BRANCH_GM, branch[1]),
        ("batch", Role::SUPERVISOR, branch[0]),
        ("dispatch", Role::SUPERVISOR, branch[0]),
    ];
    for (step, role, by) in steps.into_iter().take(taken) {
        let by = staff(desk, by);
        let approval = Approvals {
            step: text(step),
            by: link(by),
            rev: Some(Count(1)),
            vouchers: Some(Count(entries.len().try_into().unwrap())),
            at: Some(instant(now)),
            ..Approvals::default()
        };
        write(desk, number::CLAIM, On::Document(claim), vec![decision(step, role), put(&[approval])], now);
    }
    claim
}

fn voucher(desk: &mut Desk, category: Category, date: &str, fen: i64, now: u64) -> DocId {
    let (index, _) = kinds::voucher::VOUCHER.machine.unwrap().step("submit").unwrap();
    let amount = Amount { amount: Some(Fen(fen)), ..Amount::default() };
    let dated = Dated { date: date.parse().ok() };
    let purpose = Purpose { category: Some(category), ..Purpose::default() };
    let id =
        write(desk, number::VOUCHER, On::Create, vec![put(&[amount]), put(&[dated]), put(&[purpose])], now);
    let (reason, to, on_behalf_of) = (String::new(), None, None);
    let role = Role::ENGINEER;
    let decision = Decision { step: index, role, on_behalf_of, to, reason, saw: None, picks: None };
    let bytes = postcard::to_allocvec(&decision).unwrap();
    write(desk, number::VOUCHER, On::Document(id), vec![Write { tag: DECISION_TAG, bytes }], now)
}

fn dispatched(desk: &mut Desk, no: &str, claims: &[(DocId, &str)], now: u64) -> DocId {
    let branch = desk.people().unwrap().units.iter().find(|(_, unit)| unit.code == "HZ").map(|(id, _)| *id);
    let today = instant(now).day(Zone::SHANGHAI);
    let of = BatchNo {
        batch_no: text(no),
        branch: link(branch.unwrap()),
        cycle: text("2026-03-B"),
        due_day: Some(today),
    };
    let row = |(at, (claim, no)): (u32, &(DocId, &str))| BatchClaims {
        claim: link(*claim),
        claim_no: text(no),
        at: Some(Count(at)),
    };
    let rows: Vec<BatchClaims> = (1..).zip(claims).map(row).collect();
    let mut first = vec![put(&[of])];
    if !rows.is_empty() {
        first.push(put(&rows));
    }
    let batch = write(desk, number::BATCH, On::Create, first, now);
    for step in ["seal", "dispatch"] {
        let (index, _) = kinds::batch::BATCH.machine.unwrap().step(step).unwrap();
        let (reason, to, on_behalf_of) = (String::new(), None, None);
        let role = Role::SUPERVISOR;
        let decision = Decision { step: index, role, on_behalf_of, to, reason, saw: None, picks: None };
        let mut writes = vec![Write { tag: DECISION_TAG, bytes: postcard::to_allocvec(&decision).unwrap() }];
        if step == "dispatch" {
            writes.push(put(&[Dispatch {
                waybill: text("SF1"),
                dispatched_day: Some(today),
                ..Dispatch::default()
            }]));
        }
        write(desk, number::BATCH, On::Document(batch), writes, now);
    }
    batch
}
