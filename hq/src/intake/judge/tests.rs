//! Role by op kind: who may do what, as a table.

use records::id::Epoch;
use records::id::Replica;
use records::kinds::{device, repair};
use records::schema::{Tag, Typed};
use records::value::{self, Value};
use sync_protocol::ruling::Judgement;
use sync_protocol::stamp::Stamp;

use super::*;

/// The sheet's engineer, a colleague, the supervisor of his branch, and one of another branch.
const OWN: (&str, &[Role], u32) = ("0.1.1", &[Role::ENGINEER], 1);
const COLLEAGUE: (&str, &[Role], u32) = ("0.1.2", &[Role::ENGINEER], 1);
const SUPERVISOR: (&str, &[Role], u32) = ("0.1.3", &[Role::SUPERVISOR], 1);
const ELSEWHERE: (&str, &[Role], u32) = ("0.1.4", &[Role::SUPERVISOR], 2);

fn author((staff, roles, branch): (&str, &[Role], u32)) -> Author {
    let staff = Some(staff.parse().unwrap());
    Author { staff, roles: roles.to_vec(), acts_for: Vec::new(), stands_in: Vec::new(), branch, hq: false }
}

fn hq() -> Author {
    Author {
        staff: None,
        roles: Vec::new(),
        acts_for: Vec::new(),
        stands_in: Vec::new(),
        branch: 0,
        hq: true,
    }
}

fn id(replica: u32, seq: u64) -> OpId {
    OpId { replica: Replica(replica), epoch: Epoch(1), seq }
}

/// The sheet, by the engineer's replica 7.
const SHEET: u32 = 7;

fn row(writes: Vec<Write>, doc: Option<DocId>, seen: Vec<OpId>) -> Row {
    let kind = repair::REPAIR.number;
    Row {
        kind,
        schema: repair::REPAIR.schema,
        doc,
        stamp: Stamp { ms: 5, counter: 0 },
        seen,
        forked_from: None,
        writes,
    }
}

fn problem(text: &str) -> Write {
    let (group, at) = repair::REPAIR.field("problem").unwrap();
    let mut row = vec![None; group.fields.len()];
    row[at] = Some(Value::Text(text.into()));
    Write { tag: group.tag(), bytes: value::encode(group.fields, &row) }
}

fn step(name: &str, role: Role, reason: &str) -> Write {
    let (step, _) = repair::REPAIR.machine.unwrap().step(name).unwrap();
    let (on_behalf_of, to, saw, picks) = (None, None, None, None);
    let decision = Decision { step, role, on_behalf_of, to, reason: reason.into(), saw, picks };
    Write { tag: DECISION_TAG, bytes: postcard::to_allocvec(&decision).unwrap() }
}

/// The sheet's ops so far, each accepted.
fn taken(rows: Vec<(OpId, Row)>) -> Vec<Judged> {
    let accepted =
        |order, row: &Row| Judgement { order, effective: row.stamp, verdict: Verdict::Accepted, version: 1 };
    (1..)
        .zip(rows)
        .map(|(order, (id, row))| Judged { id, judgement: Some(accepted(order, &row)), row })
        .collect()
}

fn draft() -> (OpId, Row) {
    (id(SHEET, 1), row(vec![problem("leaks")], None, Vec::new()))
}

fn sealed() -> Vec<(OpId, Row)> {
    let doc = Some(DocId(id(SHEET, 1)));
    vec![draft(), (id(SHEET, 2), row(vec![step("seal", Role::ENGINEER, "")], doc, Vec::new()))]
}

fn verdict(before: Vec<(OpId, Row)>, author: &Author, (id, row): (OpId, Row)) -> Verdict {
    let ops = taken(before);
    let lines = Lines::new();
    let document = fold(&ops, &lines).ok();
    let people = ["0.1.1".parse().unwrap()];
    let case = Case {
        id,
        row: &row,
        author,
        document: document.as_ref(),
        ops: &ops,
        lines: &lines,
        people: &people,
        scope: 1,
    };
    judge(&case)
}

fn code(verdict: &Verdict) -> u16 {
    match verdict {
        Verdict::Accepted => 0,
        Verdict::Quarantined { code, .. } => *code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn who_may_do_what_on_a_sheet() {
    let doc = Some(DocId(id(SHEET, 1)));
    let edit = || vec![problem("leaks badly")];
    let seal = || vec![step("seal", Role::ENGINEER, "")];
    let accept = || vec![step("accept", Role::SUPERVISOR, "")];
    let check = |who, before: Vec<(OpId, Row)>, writes: Vec<Write>, expected: u16| {
        let seen = before.iter().map(|(id, _)| *id).max().into_iter().collect();
        let this = (id(9, 1), row(writes, doc, seen));
        let found = verdict(before, &author(who), this);
        assert_eq!(code(&found), expected, "{who:?}: {found:?}");
    };
    check(OWN, vec![draft()], edit(), 0);
    check(COLLEAGUE, vec![draft()], edit(), reason::SCOPE);
    check(SUPERVISOR, vec![draft()], edit(), 0);
    check(ELSEWHERE, vec![draft()], edit(), reason::SCOPE);
    check(OWN, vec![draft()], seal(), 0);
    check(SUPERVISOR, vec![draft()], seal(), reason::ROLE);
    check(OWN, sealed(), accept(), reason::ROLE);
    check(SUPERVISOR, sealed(), accept(), 0);
    check(ELSEWHERE, sealed(), accept(), reason::SCOPE);
    check(SUPERVISOR, vec![draft()], accept(), reason::STEP);
    check(SUPERVISOR, sealed(), vec![step("return", Role::SUPERVISOR, " ")], reason::INCOMPLETE);
    check(OWN, sealed(), edit(), reason::FROZEN);
}

#[test]
fn a_write_that_did_not_know_of_the_seal_is_not_refused() {
    let doc = Some(DocId(id(SHEET, 1)));
    let this = (id(9, 1), row(vec![problem("drips")], doc, vec![id(SHEET, 1)]));
    assert_eq!(verdict(sealed(), &author(OWN), this), Verdict::Accepted);
}

#[test]
fn a_decision_that_comes_after_something_was_built_on_the_other_one_is_too_late() {
    let doc = Some(DocId(id(SHEET, 1)));
    let mut ops = sealed();
    ops.push((id(3, 1), row(vec![step("return", Role::SUPERVISOR, "photo")], doc, vec![id(SHEET, 2)])));
    ops.push((id(SHEET, 3), row(vec![step("amend", Role::ENGINEER, "photo")], doc, vec![id(3, 1)])));
    let late = (id(9, 1), row(vec![step("accept", Role::SUPERVISOR, "")], doc, vec![id(SHEET, 2)]));
    assert_eq!(verdict(ops, &author(SUPERVISOR), late), Verdict::TooLate);
}

#[test]
fn only_headquarters_writes_what_is_its_own() {
    let installation = device::Installation::default();
    let bytes = postcard::to_allocvec(&installation).unwrap();
    let mut this = row(vec![Write { tag: device::Installation::GROUP.tag(), bytes }], None, Vec::new());
    this.kind = device::DEVICE.number;
    let judged = |who: &Author, this: &Row| code(&verdict(Vec::new(), who, (id(9, 1), this.clone())));
    assert_eq!(judged(&author(SUPERVISOR), &this), reason::ONLY_HQ);
    assert_eq!(judged(&hq(), &this), 0);
    this.writes.clear();
    for kind in records::kinds::KINDS {
        this.kind = kind.number;
        let found = judged(&author(OWN), &this);
        let office = ["payment", "cap", "account", "policy", "calendar", "delegation", "lease"];
        let only_hq =
            ["org", "staff", "template", "device"].iter().chain(&office).any(|name| *name == kind.name);
        assert_eq!(found == reason::ONLY_HQ, only_hq, "{}", kind.name);
    }
}

#[test]
fn bytes_that_fit_no_table_and_values_out_of_range_are_named() {
    let long = "a".repeat(12_000);
    let (group, _) = repair::REPAIR.field("problem").unwrap();
    let cases = [
        (Write { tag: group.tag(), bytes: vec![9, 9, 9] }, reason::MALFORMED),
        (Write { tag: Tag(group.tag().0 ^ 1), bytes: vec![0] }, reason::MALFORMED),
        (problem(&long), reason::RANGE),
        (Write { tag: DECISION_TAG, bytes: vec![0xff; 4] }, reason::MALFORMED),
    ];
    for (write, expected) in cases {
        let found = verdict(Vec::new(), &author(OWN), (id(9, 1), row(vec![write], None, Vec::new())));
        assert_eq!(code(&found), expected, "{found:?}");
    }
}

#[test]
fn an_unknown_kind_is_kept_unless_it_must_be_understood() {
    let mut this = row(Vec::new(), None, Vec::new());
    this.kind = 999;
    assert_eq!(verdict(Vec::new(), &author(OWN), (id(9, 1), this.clone())), Verdict::Accepted);
    this.kind |= MUST_UNDERSTAND;
    let found = verdict(Vec::new(), &author(OWN), (id(9, 1), this));
    assert!(matches!(found, Verdict::Quarantined { code: reason::NEWER, retryable: true, .. }), "{found:?}");
}

#[test]
fn what_follows_a_refused_creation_shares_its_verdict() {
    let refusal = refused(reason::RANGE, "problem");
    let mut ops = taken(vec![draft()]);
    ops[0].judgement.as_mut().unwrap().verdict = refusal.clone();
    let this = row(vec![problem("x")], Some(DocId(id(SHEET, 1))), Vec::new());
    let author = author(OWN);
    let lines = Lines::new();
    let people = ["0.1.1".parse().unwrap()];
    let (document, row) = (None, &this);
    let case = Case {
        id: id(SHEET, 2),
        row,
        author: &author,
        document,
        ops: &ops,
        lines: &lines,
        people: &people,
        scope: 1,
    };
    assert_eq!(judge(&case), refusal);
}

#[test]
fn neither_a_newer_schema_nor_a_group_of_its_own_is_a_way_around_a_role_or_a_seal() {
    let doc = Some(DocId(id(SHEET, 1)));
    let newer = |writes| {
        let mut row = row(writes, doc, Vec::new());
        row.schema += 1;
        (id(SHEET, 3), row)
    };
    let accept = || step("accept", Role::SUPERVISOR, "");
    let found = verdict(sealed(), &author(OWN), newer(vec![accept()]));
    assert_eq!(code(&found), reason::ROLE);
    let found = verdict(sealed(), &author(OWN), newer(vec![problem("none at all")]));
    assert_eq!(code(&found), reason::FROZEN);
    let elsewhere = Write { tag: Tag::new(99, Class::Decision), ..accept() };
    let this = (id(SHEET, 3), row(vec![elsewhere], doc, Vec::new()));
    assert_eq!(code(&verdict(sealed(), &author(OWN), this.clone())), reason::NEWER);
    // Should a newer HQ have accepted it, it still is no step of the machine that this build knows.
    let mut ops = sealed();
    let before = fold(&taken(ops.clone()), &Lines::new()).unwrap().state;
    ops.push(this);
    assert_eq!(fold(&taken(ops), &Lines::new()).unwrap().state, before);
}
