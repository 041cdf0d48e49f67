//! What must hold once everything is quiet.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use fieldbook::store::doctor::Fault;
use fieldbook::store::files::Hash;
use fieldbook_hq::intake::desk::Desk;
use records::id::{DocId, OpId, Replica};
use records::kinds::sheet::SheetNo;
use records::schema::Typed;
use sync_protocol::cursor::Cursor;
use sync_protocol::merge::Document;
use sync_protocol::message::Item;
use sync_protocol::op::Row;
use sync_protocol::ruling::Verdict;
use sync_protocol::segment::Segment;

use crate::device::Device;
use crate::roles::{self, Parents};
use crate::said::{self, Said};
use crate::work;
use crate::world::World;

/// One op at headquarters.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) row: Row,
    link: [u8; 8],
    verdict: Option<Verdict>,
}

/// All that headquarters holds.
pub(crate) struct Holdings {
    pub(crate) ops: BTreeMap<OpId, Kept>,
    pub(crate) documents: BTreeMap<DocId, Document>,
    /// Where each epoch hangs.
    pub(crate) parents: Parents,
    /// Replicas of which headquarters says that two homes write under their name.
    copied: BTreeSet<Replica>,
    /// Segments that wait for a person.
    aside: Vec<Segment>,
}

/// Returns the chain value of every op that headquarters holds.
pub(crate) fn links(desk: &mut Desk) -> BTreeMap<OpId, [u8; 8]> {
    kept(desk).into_iter().map(|(id, kept)| (id, kept.link)).collect()
}

fn kept(desk: &mut Desk) -> BTreeMap<OpId, Kept> {
    let mut segments = Vec::new();
    let walked = desk.store.each_segment(|branch, kept| {
        segments.push((branch, kept.segment));
        Ok::<(), fieldbook_hq::store::StoreError>(())
    });
    walked.expect("segments");
    let waiting = desk.store.waiting_ops().expect("rows");
    let mut all = BTreeMap::new();
    for (branch, segment) in segments {
        let rows = desk.rows(&segment).expect("rows");
        let before = desk.link_at(branch, segment.line(), segment.first - 1).expect("a walk");
        let mut link = before.expect("a link");
        for (id, row) in segment.ids().zip(rows.iter()) {
            link = link.next(&row.to_bytes());
            let judgement = desk.store.judgement(branch, id, row.stamp).expect("a judgement");
            let verdict = judgement.map(|judgement| judgement.verdict).or_else(|| {
                // What was ruled on before a restore keeps that word, and has none here while it waits.
                let waits = waiting.contains(&id);
                let on = row.document(id);
                let lack =
                    waits.then(|| desk.store.waiting_on(on, segment.line(), id.seq).expect("a row"))??;
                Some(Verdict::Deferred { missing: lack.missing })
            });
            let link = fieldbook::store::offer::first_8(link);
            all.insert(id, Kept { row: row.clone(), link, verdict });
        }
    }
    all
}

impl World {
    /// Asserts every promise.
    pub(crate) fn check(&mut self) {
        let replicas: BTreeSet<Replica> = self.devices.iter().map(|device| device.replica).collect();
        let held = self.hq.borrow().run(move |desk| {
            let mut documents = BTreeMap::new();
            let each = desk.store.each_document(None, |_, indexed| {
                documents.insert(indexed.document.id, indexed.document);
                Ok::<(), fieldbook_hq::store::StoreError>(())
            });
            each.expect("documents");
            let aside = replicas.iter().flat_map(|replica| desk.store.held_back(*replica).expect("segments"));
            let aside = aside.map(|(_, segment, _)| segment).collect();
            let mut parents = Parents::new();
            for replica in &replicas {
                let branch = desk.home(*replica).expect("a branch").unwrap_or(0);
                for (epoch, held) in desk.store.lines(branch, *replica).expect("lines") {
                    parents.extend(held.parent.map(|at| ((*replica, epoch), (at.epoch, at.seq))));
                }
            }
            let is_copied = |replica: &&Replica| {
                let device = desk.store.device(**replica).expect("a row");
                device.is_some_and(|device| device.copied)
            };
            let copied = replicas.iter().filter(is_copied).copied().collect();
            Holdings { ops: kept(desk), documents, parents, copied, aside }
        });
        for one in &self.said {
            // On the device it is listed as not sent.
            let of = |device: &&Device| device.stranded && device.replica == one.id.replica;
            if !self.devices.iter().any(|device| of(&device)) {
                check_kept(one, &self.said, &held);
            }
        }
        let files = self.hq.borrow().run(|desk| desk.files.clone());
        for file in self.files.iter().filter(|file| !file.forgiven) {
            let out =
                |device: &&Device| device.replica == file.replica && (device.stranded || device.revoked);
            let excused = self.devices.iter().any(|device| out(&device));
            assert!(excused || files.length(&file.hash).is_some(), "{file:?} was kept and is not there");
        }
        let lost = self.said.iter().any(|one| one.forgiven);
        check_verdicts(&held, lost || self.devices.iter().any(|device| device.stranded));
        check_numbers(&held);
        let owners = self.devices.iter().map(|device| (device.replica, device.staff)).collect();
        roles::check(&held, &owners);
        for at in 0..self.devices.len() {
            if !self.devices[at].dead {
                self.check_device(at, &held);
            }
        }
    }

    fn check_device(&mut self, at: usize, held: &Holdings) {
        let handed = self.has_of_a_revoked_one(at);
        let device = &mut self.devices[at];
        let (replica, revoked, stranded) = (device.replica, device.revoked, device.stranded);
        let now = device.now(self.now_ms);
        let store = device.store();
        let found = store.doctor().expect("a doctor");
        // What was only in a state of a home that was put back stays missing, and is told.
        let lost = |hash: &Hash| self.files.iter().any(|file| file.forgiven && file.hash == *hash);
        let told = |fault: &&Fault| matches!(fault, Fault::FileMissing(hash) if lost(hash));
        let faults: Vec<&Fault> = found.faults.iter().filter(|fault| !told(fault)).collect();
        assert!(faults.is_empty(), "device {at}: its home: {faults:?}");
        // A revocation that a restored headquarters had forgotten may have come back to it.
        let row = self.hq.borrow().run(move |desk| desk.store.device(replica).expect("a row"));
        if revoked || stranded || handed || row.is_some_and(|row| !row.standing.takes_part()) {
            return;
        }
        let files = self.hq.borrow().run(|desk| desk.files.clone());
        for file in
            self.files.iter().filter(|file| store.file_at_hq(&file.hash).expect("a setting").is_some())
        {
            assert!(files.length(&file.hash).is_some(), "device {at} says that headquarters has {file:?}");
        }
        let (digest, page) = self.hq.borrow().run(move |desk| {
            let mut device = desk.store.device(replica).expect("a row").expect("a device");
            let digest = desk.digest_for(&device).expect("a digest");
            let mut cursor = Cursor::default();
            let reader = desk.reader(&mut device, &cursor).expect("a reader");
            let mut items = Vec::new();
            loop {
                let page = desk.page(&reader, &cursor, usize::MAX).expect("a page");
                items.extend(page.items);
                cursor.advance(&page.end.next);
                if !page.end.more {
                    return (digest, (items, cursor));
                }
            }
        });
        let hello = store.hello(now).expect("a hello");
        let (items, cursor) = page;
        for (feed, position) in &cursor.positions {
            assert_eq!(hello.cursor.position(*feed), *position, "device {at}: its cursor of {feed:?}");
        }
        // Whatever lies before the cursor is here, but for what left the scope.
        let mut here = BTreeSet::new();
        store
            .each_op(&mut |id, _| {
                here.insert(id);
            })
            .expect("ops");
        let gone: BTreeSet<DocId> = items
            .iter()
            .filter_map(|item| if let Item::Evict(doc) = item { Some(*doc) } else { None })
            .collect();
        let brought = items.iter().flat_map(|item| match item {
            Item::Segment(segment) => segment.ids().collect::<Vec<_>>(),
            Item::Extract(extract) => {
                let name = |seq: &u64| OpId { replica: extract.replica, epoch: extract.epoch, seq: *seq };
                extract.seqs.iter().map(name).collect()
            }
            Item::Evict(_) | Item::Newer { .. } => Vec::new(),
        });
        for id in brought {
            let doc = held.ops.get(&id).map(|kept| kept.row.document(id));
            assert!(
                here.contains(&id) || doc.is_some_and(|doc| gone.contains(&doc)),
                "device {at}: its cursor is past {id}, which it does not have"
            );
        }
        store
            .each(None, &mut |document| {
                let theirs = held.documents.get(&document.id);
                let same = theirs == Some(&document);
                assert!(
                    same,
                    "device {at}: {} is {document:?}\nat headquarters it is {theirs:?}",
                    document.id
                );
                ControlFlow::Continue(())
            })
            .expect("documents");
        assert_eq!(hello.digest, Some(digest), "device {at}: its digest");
    }
}

/// Every recorded op is at headquarters, under its own name or written again, or waits there for a person.
fn check_kept(one: &Said, all: &[Said], held: &Holdings) {
    let says = |kept: &&Kept| one.mark.is_none_or(|mark| work::says(&kept.row, mark));
    let own = held.ops.get(&one.id).filter(|kept| kept.link == one.link);
    let names = said::names(one.id, all);
    let is_again = |kept: &&Kept| kept.row.forked_from.is_some_and(|old| names.contains(&old));
    let again = || held.ops.values().filter(is_again).find(says);
    let aside = || held.aside.iter().any(|segment| segment.ids().any(|id| id == one.id));
    let kept = own.or_else(again);
    assert!(kept.is_some() || one.forgiven || aside(), "{} was saved and is nowhere", one.id);
    assert!(kept.is_none_or(|kept| says(&kept)), "{} does not say what was written", one.id);
}

/// Everything was judged, and waits for nothing that could still come.
fn check_verdicts(held: &Holdings, lost: bool) {
    for (id, kept) in &held.ops {
        match &kept.verdict {
            None => panic!("{id} has no verdict"),
            Some(Verdict::Deferred { missing }) => {
                assert!(lost && !held.ops.contains_key(missing), "{id} waits for {missing}");
            }
            Some(_) => {}
        }
    }
}

/// No two sheets have one number, but for two homes under one name, and then a person was told.
fn check_numbers(held: &Holdings) {
    let mut numbers: BTreeMap<String, OpId> = BTreeMap::new();
    for document in held.documents.values() {
        let Some(given) = document.registers.get(&SheetNo::GROUP.tag()) else { continue };
        let number = fieldbook_hq::reading::text(document, "sheet_no");
        let Some(other) = numbers.insert(number.clone(), given.value.op) else { continue };
        let giver = given.value.op.replica;
        let told = other.replica == giver && held.copied.contains(&giver);
        if !told {
            panic!("{number} was given by {other} and by {}", given.value.op);
        }
    }
}

/// The check sees an op without a verdict, and one that waits for what is there.
#[test]
fn an_op_that_nobody_judged_or_that_waits_for_nothing_is_seen() {
    let id = |seq| OpId { replica: Replica(7), epoch: records::id::Epoch(1), seq };
    let row = Row {
        kind: 1,
        schema: 1,
        doc: None,
        stamp: sync_protocol::stamp::Stamp::default(),
        seen: Vec::new(),
        forked_from: None,
        writes: Vec::new(),
    };
    let holdings = |verdict| {
        let kept = |verdict| Kept { row: row.clone(), link: [0; 8], verdict };
        Holdings {
            ops: [(id(1), kept(Some(Verdict::Accepted))), (id(2), kept(verdict))].into(),
            documents: BTreeMap::new(),
            parents: Parents::new(),
            copied: BTreeSet::new(),
            aside: Vec::new(),
        }
    };
    let seen = |verdict, lost| {
        let held = holdings(verdict);
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check_verdicts(&held, lost))).is_err()
    };
    let waits = |seq| Some(Verdict::Deferred { missing: id(seq) });
    assert!(!seen(Some(Verdict::Accepted), false) && seen(None, true));
    assert!(seen(waits(1), true) && seen(waits(9), false) && !seen(waits(9), true));
}
