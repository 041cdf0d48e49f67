//! Laws over random histories of three devices and HQ.
//!
//! The model keeps for each op the exact set of ops that its author had applied; the code under test only gets `seen`.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use records::decision::{DECISION_TAG, Decision};
use records::id::{DocId, Epoch, OpId, Replica};
use records::kinds::staff::Role;
use records::kinds::{number, repair, sheet};
use records::schema::{Class, Tag, Typed};

use crate::chain::Line;
use crate::merge::past::{History, seen};
use crate::merge::{Document, Judged, Lines, fold};
use crate::op::{Row, Write};
use crate::ruling::{Judgement, Verdict};
use crate::stamp::Stamp;

/// One thing that happens: who, what, and how.
type Event = (u8, u8, u8);

/// One who writes: devices 1 to 3 and HQ.
#[derive(Clone, Default)]
struct Writer {
    line: Option<Line>,
    seq: u64,
    applied: BTreeSet<OpId>,
}

#[derive(Default)]
struct World {
    writers: [Writer; 4],
    lines: Lines,
    ops: BTreeMap<OpId, Judged>,
    /// What the author of each op had applied.
    pasts: BTreeMap<OpId, BTreeSet<OpId>>,
    /// HQ's log in order of arrival.
    arrived: Vec<OpId>,
}

fn creation() -> OpId {
    OpId { replica: Replica(1), epoch: Epoch(10), seq: 1 }
}

impl World {
    fn of(events: &[Event]) -> Self {
        let mut world = Self::default();
        for (at, writer) in world.writers.iter_mut().enumerate() {
            let replica = u32::try_from(at).unwrap();
            writer.line = Some((Replica(replica), Epoch(replica * 10)));
        }
        world.write(1, 0, 0);
        world.meet(1);
        for (who, what, how) in events {
            let who = usize::from(who % 4);
            match what % 16 {
                0..=4 => world.meet(who),
                5 if who != 0 => world.open_epoch(who, *how),
                what => world.write(who, what, *how),
            }
            // What HQ writes has arrived.
            world.meet(0);
        }
        for who in [1, 2, 3, 1, 2, 3] {
            world.meet(who);
        }
        world
    }

    /// A full sync: what HQ lacks goes up in line order, everything comes down.
    fn meet(&mut self, who: usize) {
        let up: Vec<OpId> =
            self.pasts.keys().filter(|op| self.writers[who].applied.contains(op)).copied().collect();
        let mut left: Vec<OpId> = up.into_iter().filter(|op| !self.arrived.contains(op)).collect();
        while let Some(at) =
            left.iter().position(|op| self.pasts[op].iter().all(|p| self.arrived.contains(p)))
        {
            let op = left.remove(at);
            let order = u64::try_from(self.arrived.len()).unwrap();
            let row = &self.ops[&op].row;
            let refused = row.stamp.counter == 7 && op != creation();
            let verdict = if refused { Verdict::TooLate } else { Verdict::Accepted };
            let effective = row.stamp.effective(5_000 + order);
            self.ops.get_mut(&op).unwrap().judgement =
                Some(Judgement { order, effective, verdict, version: 0 });
            self.arrived.push(op);
        }
        let all: BTreeSet<OpId> = self.arrived.iter().copied().collect();
        self.writers[0].applied.extend(all.iter().copied());
        self.writers[who].applied.extend(all);
    }

    /// A reboot, or a restore to an earlier op of the line.
    fn open_epoch(&mut self, who: usize, how: u8) {
        let Some((replica, epoch)) = self.writers[who].line else {
            return;
        };
        if self.writers[who].seq == 0 {
            return;
        }
        let back = u64::from(how % 3).min(self.writers[who].seq - 1);
        let parent = OpId { replica, epoch, seq: self.writers[who].seq - back };
        if back > 0 {
            let mut applied = self.pasts[&parent].clone();
            applied.insert(parent);
            self.writers[who].applied = applied;
        }
        let child = (replica, Epoch(u32::try_from(self.lines.len()).unwrap() + 100));
        self.lines.insert(child, (epoch, parent.seq));
        (self.writers[who].line, self.writers[who].seq) = (Some(child), 0);
    }

    fn write(&mut self, who: usize, what: u8, how: u8) {
        let Some(line) = self.writers[who].line else {
            return;
        };
        if who != 1 && !self.writers[who].applied.contains(&creation()) {
            return;
        }
        let held: Vec<Judged> = self.writers[who].applied.iter().map(|op| self.ops[op].clone()).collect();
        let seen = seen(&held, &self.lines, line);
        let writer = &mut self.writers[who];
        writer.seq += 1;
        let id = OpId { replica: line.0, epoch: line.1, seq: writer.seq };
        let row = Row {
            kind: number::REPAIR,
            schema: 1,
            doc: (id != creation()).then_some(DocId(creation())),
            stamp: Stamp { ms: u64::from(how) * 97 % 8_000, counter: u16::from(how % 11) },
            seen,
            forked_from: None,
            writes: vec![write(what, how, &writer.applied)],
        };
        self.pasts.insert(id, writer.applied.clone());
        writer.applied.insert(id);
        self.ops.insert(id, Judged { id, row, judgement: None });
    }

    fn all(&self) -> Vec<Judged> {
        self.ops.values().cloned().collect()
    }
}

fn tags() -> [Tag; 9] {
    [
        repair::Found::GROUP.tag(),
        repair::Charge::GROUP.tag(),
        sheet::Notes::GROUP.tag(),
        sheet::Tags::GROUP.tag(),
        Tag(900 << 3),
        Tag(900 << 3 | 1),
        Tag(900 << 3 | 2),
        Tag(900 << 3 | 4),
        Tag(900 << 3 | 6),
    ]
}

fn write(what: u8, how: u8, applied: &BTreeSet<OpId>) -> Write {
    if what >= 13 {
        let decision = Decision {
            step: how % 7,
            role: Role::SUPERVISOR,
            on_behalf_of: None,
            to: None,
            reason: "r".to_owned(),
            saw: how.is_multiple_of(3).then_some([0; 16]),
            picks: applied.iter().nth(usize::from(how) % 5).copied(),
        };
        return Write { tag: DECISION_TAG, bytes: postcard::to_allocvec(&decision).unwrap() };
    }
    let tag = tags()[usize::from(what.wrapping_sub(5)).wrapping_add(usize::from(how)) % 9];
    let text = vec![1, 1, b'a' + how % 5];
    let bytes = match tag {
        tag if tag == sheet::Tags::GROUP.tag() => {
            let removed: Vec<(OpId, u32)> = applied.iter().rev().take(2).map(|op| (*op, 0)).collect();
            let removed = if how.is_multiple_of(2) { removed } else { Vec::new() };
            [&[1], &text[..], &postcard::to_allocvec(&removed).unwrap()].concat()
        }
        tag if tag.number() < 900 && tag.class() == Some(Class::Ledger) => [&[1], &text[..]].concat(),
        _ => text,
    };
    Write { tag, bytes }
}

/// Returns the writes of the group that the document shows: (op, bytes), of sets and ledgers only the ops.
fn shown(document: &Document, tag: Tag) -> BTreeSet<OpId> {
    let register = document.registers.get(&tag);
    let values = register.iter().flat_map(|register| register.others.iter().chain([&register.value]));
    let late = document.late.iter().filter(|(late, _)| *late == tag).map(|(_, written)| written);
    let entries = document.ledgers.get(&tag).into_iter().chain(document.sets.get(&tag)).flatten();
    values.chain(late).map(|written| written.op).chain(entries.map(|entry| entry.op)).collect()
}

fn check_nothing_is_lost(world: &World, document: &Document) {
    let standing = |op: &&Judged| op.judgement.as_ref().is_none_or(|judgement| judgement.verdict.stands());
    let ops: Vec<&Judged> = world.ops.values().filter(standing).collect();
    for op in world.ops.values() {
        assert!(document.ops.contains(&op.id));
        assert_eq!(document.refused.contains(&op.id), !standing(&op));
    }
    for op in &ops {
        let write = &op.row.writes[0];
        if write.tag.class() == Some(Class::Decision) {
            assert!(document.decisions.iter().any(|ruled| ruled.op == op.id));
            continue;
        }
        let same = |other: &&&Judged| other.row.writes[0].tag == write.tag;
        let replaced = ops.iter().filter(same).any(|other| world.pasts[&other.id].contains(&op.id));
        let register = document.registers.get(&write.tag);
        let equal = register.is_some_and(|register| register.value.bytes == write.bytes);
        let keyed = write.tag.class() == Some(Class::Set);
        assert!(
            shown(document, write.tag).contains(&op.id) || replaced || equal || keyed,
            "{op:?} {document:?}"
        );
    }
}

fn check_no_replaced_write_wins(world: &World, document: &Document) {
    let replacing = [Some(Class::Last), Some(Class::Contested)];
    for (tag, register) in document.registers.iter().filter(|(tag, _)| replacing.contains(&tag.class())) {
        let late: BTreeSet<OpId> = document.late.iter().map(|(_, written)| written.op).collect();
        for op in world.ops.values().filter(|op| op.row.writes[0].tag == *tag) {
            let counts = !document.refused.contains(&op.id) && !late.contains(&op.id);
            let knew = world.pasts[&op.id].contains(&register.value.op);
            assert!(!(counts && knew), "{:?} knew {:?}", op.id, register.value.op);
        }
    }
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(any::<Event>(), 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn a_past_is_exactly_what_the_author_had_applied(events in events()) {
        let world = World::of(&events);
        let ops = world.all();
        let history = History::of(&ops, &world.lines).unwrap();
        for (later, past) in &world.pasts {
            for earlier in world.pasts.keys() {
                let (late, early) = (history.find(*later).unwrap(), history.find(*earlier).unwrap());
                prop_assert_eq!(history.covers(late, early), past.contains(earlier), "{} {}", later, earlier);
            }
        }
    }

    #[test]
    fn order_repetition_and_batches_make_no_difference(events in events(), seed in any::<u64>()) {
        let world = World::of(&events);
        let ops = world.all();
        let document = fold(&ops, &world.lines).unwrap();
        let mut shuffled = [&ops[..], &ops[..ops.len() / 2]].concat();
        // An older ruling and none at all are repeated too.
        shuffled.extend(ops.iter().cloned().map(|op| Judged { judgement: None, ..op }));
        shuffled.sort_by_key(|op| op.id.seq.wrapping_mul(seed | 1) ^ u64::from(op.id.epoch.0).wrapping_mul(seed));
        let again = fold(&shuffled, &world.lines).unwrap();
        prop_assert_eq!(&again, &document);
        prop_assert_eq!(again.digest(), document.digest());
        let bytes = postcard::to_allocvec(&document).unwrap();
        prop_assert_eq!(postcard::from_bytes::<Document>(&bytes).unwrap(), document);
    }

    #[test]
    fn every_value_is_current_or_listed_or_was_replaced_by_somebody_who_knew_it(events in events()) {
        let world = World::of(&events);
        let document = fold(&world.all(), &world.lines).unwrap();
        check_nothing_is_lost(&world, &document);
        check_no_replaced_write_wins(&world, &document);
    }

    #[test]
    fn ops_without_their_pasts_fold_without_harm(events in events(), keep in any::<u64>()) {
        let world = World::of(&events);
        let mut ops = world.all();
        let mut at = 0_u32;
        ops.retain(|op| {
            at = (at + 1) % 64;
            op.id == creation() || keep >> at & 1 == 0
        });
        let document = fold(&ops, &Lines::new()).unwrap();
        prop_assert_eq!(document.ops.len(), ops.len());
        ops.reverse();
        prop_assert_eq!(fold(&ops, &Lines::new()).unwrap(), document);
    }
}

#[test]
fn logs_that_claim_to_have_seen_each_other_fold_in_one_way() {
    let id = |replica, seq| OpId { replica: Replica(replica), epoch: Epoch(replica), seq };
    let op = |id: OpId, seen: Vec<OpId>| {
        let row = Row {
            kind: number::REPAIR,
            schema: 1,
            doc: (id.replica.0 != 1).then_some(DocId(OpId { replica: Replica(1), epoch: Epoch(1), seq: 1 })),
            stamp: Stamp { ms: id.seq, counter: 0 },
            seen,
            forked_from: None,
            writes: vec![Write {
                tag: repair::Charge::GROUP.tag(),
                bytes: vec![1, 1, u8::try_from(id.replica.0).unwrap()],
            }],
        };
        Judged { id, row, judgement: None }
    };
    let mut ops = vec![
        op(id(1, 1), vec![id(3, 2)]),
        op(id(2, 1), vec![id(3, 2)]),
        op(id(2, 2), vec![id(2, 9), id(3, 1)]),
        op(id(3, 1), vec![id(2, 2)]),
        op(id(3, 2), vec![id(2, 1), id(3, 2), id(77, 1)]),
    ];
    let circle =
        Lines::from([((Replica(77), Epoch(77)), (Epoch(77), 5)), ((Replica(3), Epoch(3)), (Epoch(3), 1))]);
    let document = fold(&ops, &circle).unwrap();
    assert_eq!(document.ops.len(), 5);
    ops.reverse();
    assert_eq!(fold(&ops, &circle).unwrap(), document);
}

#[test]
fn merging_is_quick_when_asked() {
    if std::env::var_os("FIELDBOOK_BENCH").is_none() {
        return;
    }
    let events: Vec<Event> = (0..64_u8)
        .map(|i| i.wrapping_mul(3))
        .map(|i| (i.wrapping_mul(7), i.wrapping_mul(11), i.wrapping_mul(37)))
        .collect();
    let world = World::of(&events);
    bench("decisions and every class", &world.all(), &world.lines);
    let edits = |n: u64| {
        let edit = |seq: u64| {
            let id = |replica: u32, seq| OpId { replica: Replica(replica), epoch: Epoch(10), seq };
            let writer = if seq % 8 == 7 { 2 } else { 1 };
            let row = Row {
                kind: number::REPAIR,
                schema: 1,
                doc: (seq > 1).then(|| DocId(creation())),
                stamp: Stamp { ms: seq, counter: 0 },
                seen: if seq % 16 == 7 { vec![id(3 - writer, seq - 1)] } else { vec![] },
                forked_from: None,
                writes: vec![Write {
                    tag: tags()[usize::try_from(seq % 2).unwrap()],
                    bytes: vec![1, 1, b'a'],
                }],
            };
            let judgement =
                Judgement { order: seq, effective: row.stamp, verdict: Verdict::Accepted, version: 0 };
            Judged { id: id(writer, seq), row, judgement: Some(judgement) }
        };
        (1..=n).map(edit).collect::<Vec<_>>()
    };
    bench("two writers, 16 edits", &edits(16), &Lines::new());
    bench("two writers, 1000 edits", &edits(1000), &Lines::new());
}

fn bench(name: &str, ops: &[Judged], lines: &Lines) {
    let rounds = 400_000 / ops.len();
    let start = crate::columns::measure::cpu_ns();
    for _ in 0..rounds {
        std::hint::black_box(fold(std::hint::black_box(ops), lines).unwrap());
    }
    let spent = (crate::columns::measure::cpu_ns() - start) / rounds as u128 / ops.len() as u128;
    println!("{name}: {} ops, {spent} ns an op", ops.len());
}
