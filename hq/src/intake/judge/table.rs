//! Every role against every kind, group and step: what a device's op may do, by whose it is and where its author works.
//!
//! The table stands in `roles.txt`, reviewed against docs/RULES.md; one that differs from it fails here, line by line.
//! What is asked beyond the role (numbers, amounts, days, four eyes) is asked by [`crate::intake::guard`].

use std::fmt::Write as _;

use records::id::{Epoch, Replica};
use records::kinds::KINDS;
use records::schema::Kind;
use sync_protocol::ruling::Judgement;
use sync_protocol::stamp::Stamp;

use super::*;

/// Whose the document is, as its author stands to it.
#[derive(Clone, Copy)]
struct Stand {
    name: &'static str,
    /// He is one of the document's people.
    own: bool,
    /// He works in the document's branch.
    branch: bool,
}

const STANDS: [Stand; 3] = [
    Stand { name: "own", own: true, branch: true },
    Stand { name: "branch", own: false, branch: true },
    Stand { name: "elsewhere", own: false, branch: false },
];

fn id(seq: u64) -> OpId {
    OpId { replica: Replica(7), epoch: Epoch(1), seq }
}

fn row(kind: &Kind, doc: Option<DocId>, writes: Vec<Write>) -> Row {
    let stamp = Stamp { ms: 5, counter: 0 };
    Row { kind: kind.number, schema: kind.schema, doc, stamp, seen: Vec::new(), forked_from: None, writes }
}

fn roles() -> Vec<(&'static str, Role)> {
    let all =
        (0..=u8::MAX).map_while(|number| Role::CHOICES.option(number).map(|(name, ..)| (name, Role(number))));
    all.collect()
}

/// Returns the code of the verdict on an op with that write; 0 where nothing stands against it.
fn code(kind: &Kind, role: Role, stand: Stand, write: Option<Write>) -> u16 {
    let creation = row(kind, None, Vec::new());
    let judgement = Judgement { order: 1, effective: creation.stamp, verdict: Verdict::Accepted, version: 1 };
    let ops = [Judged { id: id(1), judgement: Some(judgement), row: creation }];
    let lines = Lines::new();
    let document = fold(&ops, &lines).unwrap();
    let creates = write.is_none();
    let row = row(kind, (!creates).then(|| DocId(id(1))), write.into_iter().collect());
    let staff: DocId = "0.1.1".parse().unwrap();
    let author = Author {
        staff: Some(staff),
        roles: vec![role],
        acts_for: Vec::new(),
        stands_in: Vec::new(),
        branch: if stand.branch { 1 } else { 2 },
        hq: false,
    };
    let people = if stand.own { vec![staff] } else { Vec::new() };
    let case = Case {
        id: id(2),
        row: &row,
        author: &author,
        document: (!creates).then_some(&document),
        ops: if creates { &[] } else { &ops },
        lines: &lines,
        people: &people,
        scope: 1,
    };
    match judge(&case) {
        Verdict::Quarantined { code, .. } => code,
        _ => 0,
    }
}

fn decision(index: usize, role: Role) -> Write {
    let step = records::machine::Index::try_from(index).unwrap();
    let (on_behalf_of, to, saw, picks) = (None, None, None, None);
    let decision = Decision { step, role, on_behalf_of, to, reason: String::new(), saw, picks };
    Write { tag: DECISION_TAG, bytes: postcard::to_allocvec(&decision).unwrap() }
}

/// Returns the roles to which `may` says yes, or `-`.
fn who(may: impl Fn(Role) -> bool) -> String {
    let named: Vec<&str> = roles().into_iter().filter(|(_, role)| may(*role)).map(|(name, _)| name).collect();
    match named.len() {
        0 => "-".to_owned(),
        all if all == roles().len() => "everybody".to_owned(),
        _ => named.join(" "),
    }
}

/// What has to do with who somebody is; anything else is said of what he wrote.
fn is_barred(code: u16) -> bool {
    [reason::ROLE, reason::ONLY_HQ, reason::SCOPE, reason::NO_AUTHOR].contains(&code)
}

fn table() -> String {
    let mut out = String::new();
    for kind in KINDS {
        let created = who(|role| !is_barred(code(kind, role, STANDS[0], None)));
        writeln!(out, "{}\n  created by: {created}", kind.name).unwrap();
        let written = |stand: Stand, write: &Write| {
            who(|role| !is_barred(code(kind, role, stand, Some(write.clone()))))
        };
        let (mut hqs, mut lines) = (Vec::new(), Vec::new());
        for group in kind.groups.iter().filter(|group| group.tag() != DECISION_TAG) {
            let write = Write { tag: group.tag(), bytes: Vec::new() };
            let by = STANDS.map(|stand| format!("{}: {}", stand.name, written(stand, &write)));
            if by.iter().all(|by| by.ends_with(": -")) {
                hqs.push(group.name);
            } else {
                lines.push(by.join(" | "));
            }
        }
        lines.sort();
        lines.dedup();
        for line in lines {
            writeln!(out, "  writes {line}").unwrap();
        }
        if !hqs.is_empty() {
            writeln!(out, "  only headquarters writes: {}", hqs.join(" ")).unwrap();
        }
        for (at, step) in kind.machine.iter().flat_map(|machine| machine.steps.iter().enumerate()) {
            let may =
                |stand: Stand| who(|role| !is_barred(code(kind, role, stand, Some(decision(at, role)))));
            let by = STANDS.map(|stand| format!("{}: {}", stand.name, may(stand)));
            let by = if step.who.is_empty() { "only headquarters".to_owned() } else { by.join(" | ") };
            writeln!(out, "  {} {by}", step.name).unwrap();
        }
    }
    out
}

#[test]
fn every_role_may_do_what_the_table_says_and_nothing_else() {
    let found = table();
    if std::env::var_os("FIELDBOOK_GOLDEN").is_some_and(|value| value == "write") {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/intake/judge/roles.txt");
        std::fs::write(path, &found).unwrap();
        return;
    }
    let kept = include_str!("roles.txt");
    for (at, (found, kept)) in found.lines().zip(kept.lines()).enumerate() {
        assert_eq!(found, kept, "line {} of roles.txt", at + 1);
    }
    assert_eq!(found.lines().count(), kept.lines().count());
}

/// What no table of a later day may say.
#[test]
fn nobody_judges_his_own_work_and_no_step_of_headquarters_is_anybodys() {
    let mut steps = 0;
    for kind in KINDS {
        for (at, step) in kind.machine.iter().flat_map(|machine| machine.steps.iter().enumerate()) {
            for (name, role) in roles() {
                steps += 1;
                let said = STANDS.map(|stand| code(kind, role, stand, Some(decision(at, role))));
                let case = format!("{} {} by {name}: {said:?}", kind.name, step.name);
                if step.who.is_empty() {
                    assert!(said.into_iter().all(is_barred), "{case}");
                }
                if step.apart {
                    assert!(is_barred(said[0]), "{case}");
                }
                if !step.who.contains(&role) {
                    assert!(said.into_iter().all(is_barred), "{case}");
                }
                assert_eq!(said[2], reason::SCOPE, "{case}");
            }
        }
    }
    assert!(steps > 500, "{steps}");
}
