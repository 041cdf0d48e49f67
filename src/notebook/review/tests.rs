//! A supervisor's device with a claim that waits for her.

use std::collections::BTreeSet;

use records::decision::Decision;
use records::id::{DocId, Replica};
use records::kinds::claim::{CLAIM, ClaimNo, Claimant, CostOwner, CutReason, Lines, Placed, Submission};
use records::kinds::org::{ORG, OrgCode, OrgKind, Unit};
use records::kinds::staff::{Person, Post, Role, Roles, STAFF};
use records::kinds::voucher::Category;
use records::money::Fen;
use records::value::{Count, Ref, Target};
use sync_protocol::enrolment::Enrolment;
use sync_protocol::message::Item;
use sync_protocol::op::Write;

use crate::clock::Now;
use crate::notebook::refusal::NotebookError;
use crate::notebook::review::approve::{Approve, approve};
use crate::notebook::review::cut::{Cut, cut};
use crate::notebook::review::send_back::{SendBack, send_back};
use crate::notebook::review::view::view;
use crate::notebook::review::waiting::waiting;
use crate::notebook::review::{alarm, paper, read, text};
use crate::notebook::typed::Writes;
use crate::store::Store;
use crate::store::testing::{NOW, answer, enrolment};
use crate::store::write::On;

/// A device of somebody with a role in a centre of a branch, and a colleague there who claims.
pub(crate) struct Desk {
    _dir: tempfile::TempDir,
    pub(crate) store: Store,
    /// The colleague's device.
    theirs: Store,
    claimant: DocId,
    unit: DocId,
}

fn make(store: &mut Store, kind: &'static records::schema::Kind, fill: impl FnOnce(&mut Writes)) -> DocId {
    let mut writes = Writes::default();
    fill(&mut writes);
    DocId(store.save(writes.into_ops(kind, On::Create), NOW).unwrap()[0])
}

impl Desk {
    pub(crate) fn of(role: Role) -> Self {
        let mine = Enrolment { roles: vec![role], ..enrolment() };
        let dir = tempfile::tempdir().unwrap();
        let mut store = Store::create(&dir.path().join("mine"), &mine, NOW).unwrap();
        // What the company wrote of the person himself is not here yet: his enrolment says where he works.
        let unit = unit(&mut store, "HZC", OrgKind::SERVICE_CENTER, Some(mine.unit));
        let claimant = person(&mut store, "T101", unit, Role::ENGINEER);
        let other = Enrolment { replica: Replica(42), staff: claimant, ..enrolment() };
        let theirs = Store::create(&dir.path().join("theirs"), &other, NOW).unwrap();
        Self { _dir: dir, store, theirs, claimant, unit }
    }

    /// A claim of two lines and three vouchers that was submitted.
    pub(crate) fn claim(&mut self) -> DocId {
        let (claimant, unit) = (self.claimant, self.unit);
        let line = |n: u32, fen: i64| Lines {
            line: Some(Count(n)),
            category: Some(Category::MEAL),
            date: "2026-09-03".parse().ok(),
            claimed: Some(Fen(fen)),
            ..Lines::default()
        };
        let placed = |line: u32, seq: u64, fen: i64| Placed {
            line: Some(Count(line)),
            voucher: Some(Ref(Target::Doc(format!("9.1.{seq}").parse().unwrap()))),
            amount: Some(Fen(fen)),
            ..Placed::default()
        };
        let step = CLAIM.machine.unwrap().step("submit").unwrap().0;
        let submit = Decision {
            step,
            role: Role::ENGINEER,
            on_behalf_of: None,
            to: None,
            reason: String::new(),
            saw: None,
            picks: None,
        };
        let id = make(&mut self.theirs, &CLAIM, |writes| {
            writes.single(crate::notebook::typed::register(&Claimant {
                staff: Some(Ref(Target::Doc(claimant))),
                unit: Some(Ref(Target::Doc(unit))),
                half: text("2026-09-H1"),
                cost_owner: Some(CostOwner::SERVICE),
            }));
            writes
                .single(crate::notebook::typed::register(&ClaimNo { claim_no: text("HZC-T101-2026-0001") }));
            writes.single(crate::notebook::typed::register(&Submission {
                rev: Some(Count(1)),
                submitted_day: "2026-09-16".parse().ok(),
                submitted_at: Some(NOW.wall),
                cycle: text("2026-09-B"),
                claimed_total: Some(Fen(8_000)),
                voucher_total_count: Some(Count(3)),
                policy_version: None,
            }));
            [line(1, 5_000), line(2, 3_000)].iter().for_each(|line| writes.add(line));
            [placed(1, 1, 2_500), placed(1, 2, 2_500), placed(2, 3, 3_000)]
                .iter()
                .for_each(|placed| writes.add(placed));
            writes.single(Write {
                tag: records::decision::DECISION_TAG,
                bytes: postcard::to_allocvec(&submit).unwrap(),
            });
        });
        let segments = self.theirs.unsent(usize::MAX, usize::MAX).unwrap();
        let (page, proof) = answer(&[], segments.into_iter().map(Item::Segment).collect(), Vec::new(), 1);
        self.store.apply(&page, &proof, NOW).unwrap();
        id
    }
}

fn unit(store: &mut Store, code: &str, kind: OrgKind, parent: Option<DocId>) -> DocId {
    make(store, &ORG, |writes| {
        writes.single(crate::notebook::typed::register(&OrgCode { code: text(code) }));
        writes.single(crate::notebook::typed::register(&Unit {
            name: text(code),
            kind: Some(kind),
            parent: parent.map(|id| Ref(Target::Doc(id))),
        }));
    })
}

fn person(store: &mut Store, code: &str, unit: DocId, role: Role) -> DocId {
    make(store, &STAFF, |writes| {
        writes.single(crate::notebook::typed::register(&Person { code: text(code) }));
        writes.single(crate::notebook::typed::register(&Post {
            name: text(code),
            unit: Some(Ref(Target::Doc(unit))),
            grade: None,
        }));
        writes.add(&Roles { role: Some(role) });
    })
}

fn by_hand(id: DocId, vouchers: u32, acks: &[&str]) -> Approve {
    Approve {
        record: id.to_string(),
        vouchers: Some(vouchers),
        acks: acks.iter().map(|ack| (*ack).to_owned()).collect(),
        principal: None,
        note: String::new(),
    }
}

fn rules(error: &NotebookError) -> Vec<String> {
    match error {
        NotebookError::Refused(refusal) => {
            let points = refusal.points.iter();
            let rule = |point: &records::problems::Problem| {
                format!("{} {}", point.rule, point.text(records::value::text::Lang::En))
            };
            points.map(rule).collect()
        }
        other => panic!("{other}"),
    }
}

fn later(ms: i64) -> Now {
    Now { wall: records::time::Ts(NOW.wall.0 + ms), ..NOW }
}

#[test]
fn a_clean_claim_passes_with_the_number_of_its_vouchers_and_a_wrong_number_names_both() {
    let mut desk = Desk::of(Role::SUPERVISOR);
    let id = desk.claim();
    let waits = waiting(&desk.store, NOW).unwrap();
    assert_eq!((waits.len(), waits[0].id, waits[0].step, waits[0].vouchers), (1, id, "sup_approve", 3));
    assert_eq!(waits[0].due, "2026-09-17".parse().ok());
    let wrong = rules(&approve(&mut desk.store, &by_hand(id, 4, &[]), NOW).unwrap_err());
    assert!(wrong[0].starts_with("P-03") && wrong[0].contains('4') && wrong[0].contains('3'), "{wrong:?}");
    let done = approve(&mut desk.store, &by_hand(id, 3, &[]), NOW).unwrap();
    assert_eq!((done.decided.step, done.decided.state, done.rev), ("sup_approve", "sup_approved", 1));
    let claim = read(&desk.store.document(id).unwrap().unwrap()).unwrap();
    let [approval] = claim.approvals.as_slice() else { panic!("{:?}", claim.approvals) };
    assert_eq!((approval.step.as_str(), approval.rev, approval.vouchers), ("sup_approve", 1, Some(3)));
    assert!(waiting(&desk.store, NOW).unwrap().is_empty());
}

#[test]
fn each_anomaly_is_named_until_it_is_acknowledged() {
    let mut desk = Desk::of(Role::SUPERVISOR);
    let id = desk.claim();
    alarm::alarm(&mut desk.store, &id.to_string(), Some(2), "two dinners in one evening", NOW).unwrap();
    assert_eq!(waiting(&desk.store, NOW).unwrap()[0].anomalies, ["manual"]);
    let open = rules(&approve(&mut desk.store, &by_hand(id, 3, &[]), NOW).unwrap_err());
    assert_eq!(open.len(), 1);
    assert!(open[0].starts_with("C-07") && open[0].contains("manual"), "{open:?}");
    let shown = view(&desk.store, &id.to_string(), None, NOW).unwrap();
    assert_eq!(shown.anomalies[0].evidence, "two dinners in one evening");
    approve(&mut desk.store, &by_hand(id, 3, &["manual"]), NOW).unwrap();
}

#[test]
fn a_cut_counts_with_the_approval_that_follows_and_can_be_taken_back() {
    let mut desk = Desk::of(Role::SUPERVISOR);
    let id = desk.claim();
    let mut order = Cut {
        record: id.to_string(),
        line: 2,
        to: Some(Fen(1_000)),
        reason: "wrong_amount: the bill says 10".to_owned(),
        principal: None,
    };
    cut(&mut desk.store, &order, NOW).unwrap();
    let payable = |desk: &Desk| view(&desk.store, &id.to_string(), None, NOW).unwrap().settled.payable;
    assert_eq!(payable(&desk), Fen(6_000));
    order.to = None;
    cut(&mut desk.store, &order, later(1)).unwrap();
    assert_eq!(payable(&desk), Fen(8_000));
    order.to = Some(Fen(3_000));
    let whole = rules(&cut(&mut desk.store, &order, later(2)).unwrap_err());
    assert!(whole[0].starts_with("C-14"), "{whole:?}");
    order.to = Some(Fen(2_000));
    cut(&mut desk.store, &order, later(3)).unwrap();
    let done = approve(&mut desk.store, &by_hand(id, 3, &[]), later(4)).unwrap();
    assert_eq!((done.decided.step, done.cuts), ("sup_cut", vec![(2, Fen(2_000))]));
    let claim = read(&desk.store.document(id).unwrap().unwrap()).unwrap();
    assert_eq!((claim.cut_to(2, "sup_cut"), claim.cut_to(1, "sup_cut")), (Some(Fen(2_000)), None));
    assert_eq!(claim.cuts[0].reason, Some(CutReason::WRONG_AMOUNT));
}

#[test]
fn a_claim_goes_back_with_a_listed_reason_and_the_line_that_is_meant() {
    let mut desk = Desk::of(Role::SUPERVISOR);
    let id = desk.claim();
    let mut back = SendBack {
        record: id.to_string(),
        lines: vec![7],
        reason: "ugly".to_owned(),
        note: String::new(),
        principal: None,
    };
    let rule = |error: NotebookError| match error {
        NotebookError::Refused(refusal) => refusal.rule,
        other => panic!("{other}"),
    };
    assert_eq!(rule(send_back(&mut desk.store, &back, NOW).unwrap_err()), "W-63");
    back.reason = "missing_sheet: the sheet of the 3rd".to_owned();
    assert_eq!(rule(send_back(&mut desk.store, &back, NOW).unwrap_err()), "W-64");
    back.lines = vec![2];
    assert_eq!(send_back(&mut desk.store, &back, NOW).unwrap().state, "returned");
    let claim = read(&desk.store.document(id).unwrap().unwrap()).unwrap();
    assert_eq!((claim.line_returns[0].line, claim.line_returns[0].rev), (2, 1));
}

#[test]
fn whose_turn_it_is_not_is_told_why() {
    let mut desk = Desk::of(Role::BRANCH_GM);
    let id = desk.claim();
    assert!(waiting(&desk.store, NOW).unwrap().is_empty(), "the supervisor comes first");
    let told = rules(&approve(&mut desk.store, &by_hand(id, 3, &[]), NOW).unwrap_err());
    assert!(told[0].starts_with("C-02") && told[0].contains("supervisor"), "{told:?}");
    let paper = paper::paper(&mut desk.store, &id.to_string(), "", NOW).unwrap_err();
    assert!(matches!(paper, NotebookError::Refused(refusal) if refusal.rule == "W-65"));
    let mut desk = Desk::of(Role::SUPERVISOR);
    let id = desk.claim();
    paper::paper(&mut desk.store, &id.to_string(), "", NOW).unwrap();
    assert!(waiting(&desk.store, NOW).unwrap()[0].paper);
    let all: BTreeSet<_> = waiting(&desk.store, NOW).unwrap().into_iter().map(|waits| waits.id).collect();
    assert!(all.contains(&id) && all.len() == 1);
}
