//! What happened to somebody once, each with two devices and HQ.

use records::decision::{DECISION_TAG, Decision};
use records::id::{DocId, Epoch, OpId, Replica};
use records::kinds::staff::Role;
use records::kinds::{claim_machine, number, repair, sheet};
use records::schema::{Tag, Typed};

use crate::merge::conflict::Conflict;
use crate::merge::past::seen;
use crate::merge::{Document, Judged, Lines, Standing, fold};
use crate::op::{Row, Write};
use crate::ruling::{Judgement, Verdict};
use crate::stamp::Stamp;

const SEAL: u8 = 0;
const ACCEPT: u8 = 1;
const RETURN: u8 = 2;
const PICK: u8 = 5;

fn id(replica: u32, seq: u64) -> OpId {
    OpId { replica: Replica(replica), epoch: Epoch(replica + 100), seq }
}

/// An op of `replica` at `ms` that saw `seen`, judged in `order`.
fn op(replica: u32, seq: u64, ms: u64, seen: &[OpId], order: u64, writes: Vec<Write>) -> Judged {
    let stamp = Stamp { ms, counter: 0 };
    let doc = (id(replica, seq) != id(7, 1)).then_some(DocId(id(7, 1)));
    let row =
        Row { kind: number::REPAIR, schema: 1, doc, stamp, seen: seen.to_vec(), forked_from: None, writes };
    let judgement = Judgement { order, effective: stamp, verdict: Verdict::Accepted, version: 0 };
    Judged { id: id(replica, seq), row, judgement: Some(judgement) }
}

fn put(tag: Tag, text: &str) -> Write {
    Write { tag, bytes: [&[1, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat() }
}

fn decide(step: u8) -> Write {
    let decision = Decision {
        step,
        role: Role::ENGINEER,
        on_behalf_of: None,
        to: None,
        reason: "because".to_owned(),
        saw: None,
        picks: None,
    };
    said(&decision)
}

fn said(decision: &Decision) -> Write {
    Write { tag: DECISION_TAG, bytes: postcard::to_allocvec(decision).unwrap() }
}

#[test]
fn a_list_of_a_newer_schema_is_one_entry_and_a_register_shows_what_is_known() {
    // One row of three fields and one more that this build does not know; read by the old table it would be two.
    let parts = repair::Replaced::GROUP.tag();
    let row = Write { tag: parts, bytes: vec![1, 0, 1, 1, b'o', 1, 1, b'n', 1, 90] };
    let mut newer = op(7, 1, 1, &[], 1, vec![put(repair::Fault::GROUP.tag(), "E1"), row.clone()]);
    newer.row.writes[0].bytes.extend([1, 1, b'w']);
    newer.row.schema = repair::REPAIR.schema + 1;
    let document = fold(&[newer], &Lines::new()).unwrap();
    let entry = &document.ledgers[&parts][0];
    assert_eq!((entry.schema, &entry.bytes, entry.row(&repair::Replaced::GROUP)), (None, &row.bytes, None));
    let fault = &document.registers[&repair::Fault::GROUP.tag()].value;
    let shown = fault.row(&repair::Fault::GROUP).unwrap();
    assert_eq!(shown, [Some(records::value::Value::Text("E1".into()))]);
    assert!(document.newer && !fault.is_read(&repair::Fault::GROUP));
}

fn found() -> Tag {
    repair::Found::GROUP.tag()
}

fn charge() -> Tag {
    repair::Charge::GROUP.tag()
}

fn folded(ops: &[Judged]) -> Document {
    let document = fold(ops, &Lines::new()).unwrap();
    let backwards: Vec<Judged> = ops.iter().rev().cloned().chain(ops.iter().cloned()).collect();
    assert_eq!(fold(&backwards, &Lines::new()).unwrap(), document);
    document
}

fn standing(document: &Document) -> Vec<Standing> {
    document.decisions.iter().map(|ruled| ruled.standing).collect()
}

#[test]
fn a_week_old_edit_with_a_clock_two_years_ahead_does_not_beat_the_one_that_saw_it() {
    let created = op(7, 1, 1_000, &[], 1, vec![put(found(), "nothing")]);
    let mad = op(8, 1, 63_072_000_000, &[id(7, 1)], 2, vec![put(found(), "the fuse")]);
    let mine = op(7, 2, 2_000, &[id(8, 1)], 3, vec![put(found(), "the fuse and the motor")]);
    let document = folded(&[created, mad, mine]);
    let register = &document.registers[&found()];
    assert_eq!(register.value.op, id(7, 2));
    assert!(register.others.is_empty());
}

#[test]
fn an_edit_concurrent_with_a_later_one_is_kept_as_a_soft_conflict_until_somebody_saw_both() {
    let created = op(7, 1, 1_000, &[], 1, vec![]);
    let mine = op(7, 2, 3_000, &[], 2, vec![put(found(), "mine")]);
    let theirs = op(8, 1, 2_000, &[id(7, 1)], 3, vec![put(found(), "theirs")]);
    let both = folded(&[created.clone(), mine.clone(), theirs.clone()]);
    assert_eq!(both.registers[&found()].value.op, id(7, 2));
    assert_eq!(both.registers[&found()].others[0].op, id(8, 1));
    assert_eq!(both.soft_conflicts().count(), 1);
    assert!(both.conflicts().is_empty());
    let settled = op(8, 2, 2_500, &[id(7, 2)], 4, vec![put(found(), "both")]);
    let document = folded(&[created, mine, theirs, settled]);
    assert_eq!(document.registers[&found()].value.op, id(8, 2));
    assert_eq!(document.soft_conflicts().count(), 0);
}

#[test]
fn money_is_never_decided_by_the_later_writer() {
    let created = op(7, 1, 1_000, &[], 1, vec![]);
    let owner = op(7, 2, 3_000, &[], 2, vec![put(charge(), "a")]);
    let helper = op(8, 1, 9_000, &[id(7, 1)], 3, vec![put(charge(), "b")]);
    let third = op(9, 1, 1, &[id(7, 1)], 4, vec![put(charge(), "a")]);
    let open = folded(&[created.clone(), owner.clone(), helper.clone(), third.clone()]);
    assert_eq!(open.registers[&charge()].value.op, id(7, 2));
    assert_eq!(open.registers[&charge()].others.len(), 1, "equal bytes are no conflict");
    assert!(matches!(open.conflicts()[..], [Conflict::Values(tag, _)] if tag == charge()));
    let settled = op(9, 2, 2, &[id(7, 2), id(8, 1)], 5, vec![put(charge(), "b")]);
    let document = folded(&[created, owner, helper, third, settled]);
    assert_eq!(document.registers[&charge()].value.op, id(9, 2));
    assert!(document.conflicts().is_empty());
}

#[test]
fn an_edit_concurrent_with_the_seal_is_late_and_visible() {
    let created = op(7, 1, 1_000, &[], 1, vec![put(found(), "the fuse")]);
    let sealed = op(7, 2, 2_000, &[], 2, vec![decide(SEAL)]);
    let edit = op(8, 1, 3_000, &[id(7, 1)], 3, vec![put(found(), "the motor")]);
    let document = folded(&[created, sealed, edit]);
    assert_eq!(document.state, 1);
    assert_eq!(document.registers[&found()].value.op, id(7, 1));
    assert_eq!(document.late.len(), 1);
    assert_eq!((document.late[0].0, document.late[0].1.op), (found(), id(8, 1)));
}

#[test]
fn of_two_seals_a_person_picks_one() {
    let created = op(7, 1, 1_000, &[], 1, vec![put(charge(), "0")]);
    let one = op(7, 2, 2_000, &[], 2, vec![put(charge(), "a"), decide(SEAL)]);
    let two = op(8, 1, 2_000, &[id(7, 1)], 3, vec![put(charge(), "b"), decide(SEAL)]);
    let open = folded(&[created.clone(), one.clone(), two.clone()]);
    assert_eq!(standing(&open), [Standing::Contested, Standing::Contested]);
    assert_eq!(open.conflicts(), [Conflict::Seals(vec![id(7, 2), id(8, 1)])]);
    assert_eq!((open.registers[&charge()].value.op, open.late[0].1.op), (id(7, 2), id(8, 1)));
    let decision = postcard::from_bytes::<Decision>(&decide(PICK).bytes).unwrap();
    let pick = Decision { picks: Some(id(8, 1)), ..decision };
    let picked = op(7, 3, 4_000, &[id(8, 1)], 4, vec![said(&pick)]);
    let document = folded(&[created, one, two, picked]);
    assert_eq!(standing(&document), [Standing::Superseded, Standing::Stands, Standing::Stands]);
    assert_eq!((document.registers[&charge()].value.op, document.late[0].1.op), (id(8, 1), id(7, 2)));
    assert!(document.conflicts().is_empty());
}

#[test]
fn a_return_meets_an_accept_and_stands_until_something_was_built_on_the_other() {
    let created = op(7, 1, 1_000, &[], 1, vec![]);
    let sealed = op(7, 2, 2_000, &[], 2, vec![decide(SEAL)]);
    let accept = op(8, 1, 3_000, &[id(7, 2)], 3, vec![decide(ACCEPT)]);
    let back = op(9, 1, 3_000, &[id(7, 2)], 5, vec![decide(RETURN)]);
    let start = [created, sealed, accept];
    let stricter = folded(&[&start[..], std::slice::from_ref(&back)].concat());
    assert_eq!(standing(&stricter), [Standing::Stands, Standing::Superseded, Standing::Stands]);
    let amend = op(7, 3, 4_000, &[id(8, 1)], 4, vec![decide(3)]);
    let built = folded(&[&start[..], &[amend, back]].concat());
    assert_eq!(standing(&built)[3], Standing::TooLate);
}

#[test]
fn a_withdrawal_in_transit_is_flagged_until_the_claim_is_submitted_anew() {
    let step = |name: &str| {
        let (step, _) = claim_machine::CLAIM.step(name).unwrap();
        let reason = "other: because".to_owned();
        said(&Decision { step, reason, ..postcard::from_bytes(&decide(0).bytes).unwrap() })
    };
    let claim = |replica, seq, seen: &[OpId], order, name: &str| {
        let mut op = op(replica, seq, order, seen, order, vec![step(name)]);
        op.row.kind = number::CLAIM;
        op
    };
    let start = [
        claim(7, 1, &[], 1, "submit"),
        claim(8, 1, &[id(7, 1)], 2, "sup_approve"),
        claim(9, 1, &[id(8, 1)], 3, "gm_return"),
    ];
    let mut late = claim(7, 2, &[], 4, "withdraw");
    late.judgement.as_mut().unwrap().verdict = Verdict::TooLate;
    let flags = |ops: &[Judged]| folded(ops).flags().iter().map(|flag| flag.name).collect::<Vec<_>>();
    let returned = [&start[..], &[late.clone()]].concat();
    assert!(flags(&returned).is_empty(), "it is with him, he can do what he wants");
    let anew = claim(7, 3, &[id(9, 1)], 5, "submit");
    assert!(flags(&[&returned[..], &[anew]].concat()).is_empty(), "he wants it no more");
    let mut on = start.to_vec();
    on[2] = claim(9, 1, &[id(8, 1)], 3, "gm_approve");
    assert_eq!(flags(&[&on[..], &[late]].concat()), ["withdrawn_in_transit"]);
}

#[test]
fn a_refused_op_writes_nothing_and_is_listed() {
    let created = op(7, 1, 1_000, &[], 1, vec![put(found(), "the fuse")]);
    let mut refused = op(7, 2, 2_000, &[], 2, vec![put(found(), "nonsense"), decide(SEAL)]);
    refused.judgement.as_mut().unwrap().verdict = Verdict::TooLate;
    let after = op(7, 3, 3_000, &[], 3, vec![put(charge(), "a")]);
    let document = folded(&[created.clone(), refused.clone(), after]);
    assert_eq!((document.state, document.registers[&found()].value.op), (0, id(7, 1)));
    assert_eq!(document.refused, [id(7, 2)]);
    assert_eq!((standing(&document), document.newer), (vec![Standing::TooLate], false), "it is told");
    let mut gone = created;
    gone.judgement.as_mut().unwrap().verdict =
        Verdict::Quarantined { code: 1, text: "staff".to_owned(), retryable: false };
    let document = folded(&[gone, refused]);
    assert_eq!(document.refused.len(), 2);
    assert!(document.registers.is_empty());
}

#[test]
fn what_a_newer_version_wrote_is_merged_by_its_class_and_kept() {
    let tag = |class: u16| Tag(900 << 3 | class);
    let writes = |text| (0..8).map(|class| put(tag(class), text)).collect::<Vec<_>>();
    let created = op(7, 1, 1_000, &[], 1, writes("a"));
    let mine = op(7, 2, 3_000, &[], 2, writes("b"));
    let theirs = op(8, 1, 2_000, &[id(7, 1)], 3, writes("c"));
    let document = folded(&[created, mine, theirs]);
    assert!(document.newer);
    let register = |class: u16| {
        let register = &document.registers[&tag(class)];
        (register.value.op, register.others.iter().map(|other| other.op).collect::<Vec<_>>())
    };
    assert_eq!(register(0), (id(7, 1), vec![id(7, 2), id(8, 1)]));
    assert_eq!(register(1), (id(7, 2), vec![id(8, 1)]));
    assert_eq!(register(2), (id(7, 2), vec![id(8, 1)]));
    assert_eq!(document.ledgers[&tag(3)].len(), 3);
    assert_eq!(document.sets[&tag(4)].len(), 3);
    assert_eq!(document.decisions.len(), 3);
    for reserved in [6, 7] {
        assert_eq!(register(reserved), (id(8, 1), vec![id(7, 1), id(7, 2)]));
    }
}

#[test]
fn a_tag_added_again_by_somebody_else_survives_its_removal() {
    let tag = sheet::Tags::GROUP.tag();
    let add = |word: &str| Write { tag, bytes: [&[1], &put(tag, word).bytes[..], &[0]].concat() };
    let remove = |what: OpId| Write {
        tag,
        bytes: [&[0][..], &postcard::to_allocvec(&vec![(what, 0_u32)]).unwrap()].concat(),
    };
    let created = op(7, 1, 1_000, &[], 1, vec![add("urgent")]);
    let removed = op(7, 2, 2_000, &[], 2, vec![remove(id(7, 1))]);
    let document = folded(&[created.clone(), removed.clone()]);
    assert!(document.sets[&tag].is_empty());
    let again = op(8, 1, 1_500, &[id(7, 1)], 3, vec![add("urgent")]);
    let document = folded(&[created, removed, again]);
    assert_eq!(document.sets[&tag].len(), 1);
    assert_eq!(document.sets[&tag][0].op, id(8, 1));
}

#[test]
fn an_epoch_and_its_parent_are_one_line() {
    let created = op(7, 1, 1_000, &[], 1, vec![put(charge(), "a")]);
    let mut next = op(7, 2, 500, &[], 2, vec![put(charge(), "b")]);
    next.id.epoch = Epoch(999);
    next.id.seq = 1;
    let ops = [created.clone(), next];
    let lines = Lines::from([((Replica(7), Epoch(999)), (Epoch(107), 1))]);
    assert!(fold(&ops, &lines).unwrap().conflicts().is_empty());
    // A copy that never saw the other home's edit.
    let there = op(7, 2, 800, &[], 3, vec![put(charge(), "c")]);
    let ops = [&ops[..], &[there]].concat();
    assert_eq!(fold(&ops, &lines).unwrap().conflicts().len(), 1);
}

#[test]
fn an_op_tells_only_what_its_line_and_its_other_entries_do_not_stand_for() {
    let created = op(7, 1, 1_000, &[], 1, vec![]);
    let eight = op(8, 1, 1_000, &[id(7, 1)], 2, vec![]);
    let nine = op(9, 1, 1_000, &[id(8, 1)], 3, vec![]);
    let lines = Lines::new();
    let line = |replica: u32| (Replica(replica), Epoch(replica + 100));
    assert_eq!(seen(std::slice::from_ref(&created), &lines, line(7)), []);
    assert_eq!(seen(std::slice::from_ref(&created), &lines, line(8)), [id(7, 1)]);
    let all = [created, eight, nine];
    assert_eq!(seen(&all, &lines, line(7)), [id(9, 1)]);
    assert_eq!(seen(&all, &lines, line(8)), [id(9, 1)]);
    assert_eq!(seen(&all, &lines, line(9)), []);
    let moved = Lines::from([((Replica(9), Epoch(1)), (Epoch(109), 1))]);
    assert_eq!(seen(&all, &moved, (Replica(9), Epoch(1))), []);
}

/// Two reboots lay between two edits of one sheet, and what was written between them concerned nobody else: a colleague
/// knew nothing of that epoch, took the second edit for somebody else's, and saw a conflict that was none.
#[test]
fn an_edit_after_two_reboots_replaces_the_one_before_for_whoever_lacks_the_epoch_between() {
    let created = op(7, 1, 1_000, &[], 1, vec![put(charge(), "a")]);
    let (between, now) = ((Replica(7), Epoch(998)), (Replica(7), Epoch(999)));
    let lines = Lines::from([(between, (Epoch(107), 1)), (now, (between.1, 1))]);
    let told = seen(std::slice::from_ref(&created), &lines, now);
    assert_eq!(told, [created.id]);
    assert_eq!(seen(std::slice::from_ref(&created), &lines, between), [], "the line says it");
    let mut next = op(7, 2, 500, &told, 2, vec![put(charge(), "b")]);
    next.id = OpId { replica: now.0, epoch: now.1, seq: 1 };
    let known = Lines::from([(now, (between.1, 1))]);
    assert!(fold(&[created.clone(), next], &known).unwrap().conflicts().is_empty());
    // In order of their names, whoever is named: else the row is none that can be read back.
    let others = [op(3, 1, 900, &[created.id], 3, vec![]), op(9, 1, 900, &[created.id], 4, vec![])];
    let all = [created, others[0].clone(), others[1].clone()];
    let told = seen(&all, &lines, now);
    assert!(told.is_sorted() && told.len() == 2, "{told:?}");
    let mine = op(7, 4, 950, &[], 5, vec![]);
    let told = seen(
        &[all[0].clone(), mine.clone(), others[0].clone(), others[1].clone()],
        &lines,
        (Replica(7), Epoch(5)),
    );
    assert!(told.is_sorted() && told.contains(&mine.id), "{told:?}");
}

#[test]
fn what_came_after_the_seal_is_compared_too() {
    let created = op(7, 1, 1_000, &[], 1, vec![put(charge(), "a")]);
    let seal = op(7, 2, 2_000, &[], 2, vec![decide(SEAL)]);
    let late = op(8, 1, 3_000, &[id(7, 1)], 3, vec![put(sheet::Work::GROUP.tag(), "b")]);
    let lines = Lines::new();
    let without = fold(&[created.clone(), seal.clone()], &lines).unwrap();
    let with = fold(&[created, seal, late], &lines).unwrap();
    assert_eq!(with.late.len(), 1);
    assert_ne!(with.digest(), without.digest());
}

/// A copied home never got an edit that a later one wrote over: it shows the same, and lacks an op all the same.
#[test]
fn an_op_that_left_no_trace_is_compared_too() {
    let created = op(7, 1, 1_000, &[], 1, vec![put(charge(), "a")]);
    let edit = op(7, 2, 2_000, &[], 2, vec![put(charge(), "b")]);
    let again = op(7, 3, 3_000, &[], 3, vec![put(charge(), "c")]);
    let lines = Lines::new();
    let all = fold(&[created.clone(), edit, again.clone()], &lines).unwrap();
    let fewer = fold(&[created, again], &lines).unwrap();
    assert_eq!(all.registers, fewer.registers);
    assert_ne!(all.digest(), fewer.digest());
}

#[test]
fn ops_that_are_no_document_are_an_error() {
    let lines = Lines::new();
    assert_eq!(fold(&[], &lines), Err(crate::merge::FoldError::NoCreation));
    let edit = op(8, 1, 1, &[id(55, 3)], 1, vec![]);
    assert_eq!(fold(std::slice::from_ref(&edit), &lines), Err(crate::merge::FoldError::NoCreation));
    let mut other = op(9, 1, 1, &[], 1, vec![]);
    other.row.doc = None;
    assert_eq!(fold(&[edit, other], &lines), Err(crate::merge::FoldError::Mixed));
}
