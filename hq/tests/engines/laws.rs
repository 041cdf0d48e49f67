//! Transactions, counters, feeds and views: each law holds on SQLite and on PostgreSQL.

use std::collections::BTreeMap;

use fieldbook_hq::store::devices::{Device, Why};
use fieldbook_hq::store::documents::{Card, Indexed, Known};
use fieldbook_hq::store::feeds::Entry;
use fieldbook_hq::store::files::Pieces;
use fieldbook_hq::store::log::{Came, Held, Kept, Lack};
use fieldbook_hq::store::logins::{Login, Visitor};
use fieldbook_hq::store::marks::{Mark, Marked};
use fieldbook_hq::store::{Store, StoreError};
use records::id::{DocId, Epoch, OpId, Replica};
use sync_protocol::chain::{Link, Parent};
use sync_protocol::cursor::{Feed, Incarnation};
use sync_protocol::merge::Document;
use sync_protocol::op::Row;
use sync_protocol::ruling::Ruling;
use sync_protocol::segment::Segment;
use sync_protocol::sign::{PublicKey, Signature};
use sync_protocol::stamp::Stamp;

use crate::{Place, both};

const LINE: (Replica, Epoch) = (Replica(7), Epoch(3));

fn op(seq: u64) -> OpId {
    OpId { replica: LINE.0, epoch: LINE.1, seq }
}

fn doc(seq: u64) -> DocId {
    DocId(op(seq))
}

fn entry(first: u64) -> Entry {
    Entry::Segment { line: LINE, first }
}

fn kept(first: u64, count: u32, arrival: u64) -> Kept {
    let segment = Segment {
        replica: LINE.0,
        epoch: LINE.1,
        first,
        count,
        link: Link([3; 32]),
        body: vec![0, 255, 7],
        signature: Signature([4; 64]),
    };
    Kept { segment, arrival, came: Came { received_ms: 1_000 + arrival, skew_ms: Some(-5) } }
}

fn document(seq: u64, kind: u16) -> Document {
    Document {
        id: doc(seq),
        kind,
        schema: 1,
        created: Stamp::default(),
        updated: Stamp { ms: seq * 10, counter: 0 },
        state: 0,
        registers: BTreeMap::new(),
        ledgers: BTreeMap::new(),
        sets: BTreeMap::new(),
        decisions: Vec::new(),
        late: Vec::new(),
        refused: Vec::new(),
        newer: false,
        provisional: false,
        ops: vec![op(seq), op(seq + 1)],
    }
}

fn indexed(seq: u64, kind: u16, number: &str, scope: u32) -> Indexed {
    Indexed {
        document: document(seq, kind),
        number: Some(number.to_owned()),
        scope,
        people: vec![doc(900), doc(901)],
        creator: Some(doc(900)),
        digest: [u8::try_from(seq).unwrap(); 16],
    }
}

fn card(branch: u32, indexed: Indexed) -> Card {
    let arrival = 5_000 * indexed.document.id.0.seq;
    Card { branch, indexed, before: None, arrival }
}

#[test]
fn what_was_taken_back_or_rolled_back_is_gone_and_the_rest_is_seen_by_others() {
    both(|place| {
        let store = place.create();
        store.begin().unwrap();
        for (key, good) in [("a", true), ("b", false), ("c", true)] {
            store.mark().unwrap();
            store.set(key, b"1").unwrap();
            if good { store.keep().unwrap() } else { store.take_back().unwrap() }
        }
        store.commit().unwrap();
        store.begin().unwrap();
        store.set("d", b"1").unwrap();
        store.roll_back().unwrap();
        store.roll_back().unwrap();
        store.set("e", b"1").unwrap();
        let other = place.open();
        let held = ["a", "b", "c", "d", "e"].map(|key| other.setting(key).unwrap().is_some());
        assert_eq!(held, [true, false, true, false, true]);
        assert!(other.is_whole().unwrap());
        assert!(matches!(Store::create(place.address.clone()), Err(StoreError::Made)));
    });
}

#[test]
fn a_version_changes_where_another_program_wrote_and_only_then() {
    both(|place| {
        let (store, other) = (place.create(), place.open());
        let before = store.version().unwrap();
        store.set("mine", b"1").unwrap();
        store.begin().unwrap();
        store.set("mine", b"2").unwrap();
        assert_eq!(store.version().unwrap(), before);
        store.commit().unwrap();
        other.begin().unwrap();
        other.setting("mine").unwrap();
        other.commit().unwrap();
        assert_eq!(store.version().unwrap(), before, "nobody else wrote");
        other.set("theirs", b"1").unwrap();
        let after = store.version().unwrap();
        assert_ne!(after, before);
        store.begin().unwrap();
        assert_eq!(store.version().unwrap(), after);
        store.roll_back().unwrap();
    });
}

#[test]
fn a_claim_in_another_payment_is_refused_and_the_job_can_be_taken_back() {
    both(|place| {
        let store = place.create();
        store.begin().unwrap();
        store.in_payment_put(doc(1), &[(2, doc(10)), (2, doc(11))]).unwrap();
        store.in_payment_put(doc(1), &[(2, doc(10))]).unwrap();
        store.mark().unwrap();
        let twice = store.in_payment_put(doc(2), &[(2, doc(11)), (2, doc(10))]);
        assert!(matches!(twice, Err(StoreError::InPayment { claim }) if claim == doc(10)), "{twice:?}");
        store.take_back().unwrap();
        store.in_payment_put(doc(2), &[(2, doc(11))]).unwrap();
        store.commit().unwrap();
        assert_eq!(store.in_payment(2, doc(10)).unwrap(), Some(doc(1)));
        assert_eq!(store.all_in_payment().unwrap(), [(doc(10), doc(1)), (doc(11), doc(2))]);
    });
}

/// The promise on which cursors stand: whoever reads up to a position has read everything before it.
#[test]
fn positions_and_numbers_have_no_gap_and_no_double_where_several_programs_write_at_once() {
    const PROGRAMS: u64 = 4;
    const EACH: u64 = 20;
    both(|place| {
        drop(place.create());
        std::thread::scope(|scope| {
            for program in 0..PROGRAMS {
                scope.spawn(move || {
                    let store = place.open();
                    for n in 0..EACH {
                        store.begin().unwrap();
                        let order = store.count_up("order", 3).unwrap();
                        store.feed_append(1, Feed::Branch(1), &entry(order)).unwrap();
                        // Every fifth job fails, and leaves no hole.
                        if (n + program) % 5 == 0 {
                            store.roll_back().unwrap()
                        } else {
                            store.commit().unwrap()
                        }
                    }
                });
            }
        });
        let store = place.open();
        let feed = store.feed_after(1, Feed::Branch(1), 0, 1_000).unwrap();
        let kept = PROGRAMS * EACH * 4 / 5;
        assert_eq!(feed.iter().map(|(at, _)| *at).collect::<Vec<_>>(), (1..=kept).collect::<Vec<_>>());
        let orders: Vec<Entry> = feed.into_iter().map(|(_, entry)| entry).collect();
        assert_eq!(orders, (0..kept).map(|n| entry(1 + 3 * n)).collect::<Vec<_>>());
        assert_eq!(store.feed_end(1, Feed::Branch(1)).unwrap(), kept);
        assert_eq!(store.order().unwrap(), 1 + 3 * kept);
        assert!(store.feed_after(1, Feed::Branch(1), u64::MAX, 10).unwrap().is_empty());
    });
}

#[test]
fn segments_lines_and_rulings_are_found_by_every_op_that_they_hold() {
    both(|place| {
        let store = place.create();
        for (first, count, arrival) in [(1, 3, 1), (4, 256, 4), (4, 10, 300)] {
            store.segment_put(2, &kept(first, count, arrival)).unwrap();
        }
        assert_eq!(store.segment_at(2, LINE, 3).unwrap(), Some(kept(1, 3, 1)));
        assert_eq!(store.segment_at(2, LINE, 200).unwrap(), Some(kept(4, 256, 4)));
        assert_eq!(store.segment_at(2, LINE, 260).unwrap(), None);
        assert_eq!(store.segment_at(3, LINE, 3).unwrap(), None, "another branch");
        assert!(store.segment_at(2, LINE, u64::MAX).is_err(), "beyond whole numbers");
        assert_eq!(store.segments_from(2, LINE, &[4, 4, 2]).unwrap(), [kept(4, 256, 4), kept(4, 10, 300)]);
        assert_eq!(store.line_arrivals(2, LINE).unwrap(), Some((1, 300)));
        assert_eq!(store.line_arrivals(9, LINE).unwrap(), None);
        store.clock_put(2, LINE, (4, 6), 77).unwrap();
        store.clock_put(2, LINE, (4, 8), 78).unwrap();
        assert_eq!(store.came(2, LINE, 8).unwrap(), Some(Came { received_ms: 1_004, skew_ms: Some(78) }));
        assert_eq!(store.came(2, LINE, 9).unwrap(), Some(Came { received_ms: 1_004, skew_ms: Some(-5) }));
        let parent = Parent { epoch: Epoch(1), seq: 9, link: Link([8; 32]) };
        let held = Held { parent: Some(parent), last: 2, link: Link([1; 32]), count: 2 };
        store.line_put(2, LINE, &Held { parent: None, ..held }).unwrap();
        store.line_put(2, LINE, &held).unwrap();
        assert_eq!(store.line(2, LINE).unwrap(), Some(held));
        assert_eq!(store.lines(2, LINE.0).unwrap(), [(LINE.1, held)]);
        assert_eq!(store.ops().unwrap(), 2);
        let ruling = |first, version| Ruling {
            replica: LINE.0,
            epoch: LINE.1,
            first,
            count: 100,
            order: 1,
            cap_ms: 5,
            version,
            exceptions: Vec::new(),
        };
        for given in [ruling(1, 1), ruling(1, 2), ruling(101, 1), ruling(1, 1)] {
            store.ruling_put(2, &given).unwrap();
        }
        assert_eq!(store.rulings(2, LINE, 100, 101).unwrap(), [ruling(1, 1), ruling(1, 2), ruling(101, 1)]);
        assert_eq!(store.judgement(2, op(50), Stamp::default()).unwrap().unwrap().version, 2);
        let mut walked = Vec::new();
        store
            .each_segment(|branch, kept| {
                // Whoever walks asks the same store.
                assert!(store.line(branch, LINE)?.is_some());
                walked.push(kept.arrival);
                Ok::<_, StoreError>(())
            })
            .unwrap();
        assert_eq!(walked, [1, 4, 300]);
    });
}

#[test]
fn a_walk_over_more_rows_than_are_fetched_at_a_time_sees_each_once() {
    both(|place| {
        let store = place.create();
        store.begin().unwrap();
        for n in 1..=600 {
            store.segment_put(u32::try_from(n % 5).unwrap(), &kept(n, 1, n)).unwrap();
        }
        let mut walked = Vec::new();
        let mut note = |_, kept: Kept| -> Result<(), StoreError> {
            walked.push(kept.arrival);
            Ok(())
        };
        store.each_segment(&mut note).unwrap();
        store.commit().unwrap();
        store.each_segment(&mut note).unwrap();
        assert_eq!(walked, (1..=600).chain(1..=600).collect::<Vec<_>>());
    });
}

#[test]
fn what_waits_stands_alone_or_is_proven_is_found_again() {
    both(|place| {
        let store = place.create();
        store.wait(2, op(5), doc(1), Lack::of(op(9))).unwrap();
        store.wait(2, op(5), doc(1), Lack { behind: op(8), missing: op(9) }).unwrap();
        assert!(store.anything_waits().unwrap() && store.anything_waits_on(doc(1), LINE.0).unwrap());
        assert_eq!(store.waiting_ops().unwrap(), [op(5)]);
        assert_eq!(store.waiting_on(doc(1), LINE, 5).unwrap(), Some(Lack { behind: op(5), missing: op(9) }));
        assert_eq!(store.waiting_behind(LINE, (8, 8)).unwrap(), [(2, op(5))]);
        assert_eq!(store.waiting_behind(LINE, (9, 9)).unwrap(), []);
        store.wait_no_more(2, op(5)).unwrap();
        assert!(!store.anything_waits().unwrap());
        let row = Row {
            kind: 1,
            schema: 1,
            doc: Some(doc(1)),
            stamp: Stamp::default(),
            seen: Vec::new(),
            forked_from: None,
            writes: Vec::new(),
        };
        let parent = Parent { epoch: Epoch(1), seq: 9, link: Link([8; 32]) };
        for _ in 0..2 {
            store.island_put(2, op(40), Some(&parent), &row).unwrap();
        }
        assert_eq!(store.island(2, op(40)).unwrap(), Some(row.clone()));
        assert_eq!(store.island_parent(2, LINE).unwrap(), Some(parent));
        assert_eq!(store.islands(2, LINE, (1, 40)).unwrap(), [(40, row)]);
        let mut alone = Vec::new();
        store.each_island(|id, _| alone.push(id)).unwrap();
        assert_eq!((alone, store.ops().unwrap()), (vec![op(40)], 1));
        store.islands_joined(2, LINE, (40, 40)).unwrap();
        assert_eq!(store.island(2, op(40)).unwrap(), None);
        let ruling = Ruling {
            replica: LINE.0,
            epoch: LINE.1,
            first: 10,
            count: 5,
            order: 1,
            cap_ms: 5,
            version: 1,
            exceptions: Vec::new(),
        };
        assert!(!store.anything_proven().unwrap());
        store.proven_put(&ruling).unwrap();
        store.proven_put(&Ruling { order: 3, version: 2, ..ruling.clone() }).unwrap();
        assert_eq!(store.proven(op(14)).unwrap().unwrap().version, 2);
        assert_eq!(store.proven(op(15)).unwrap(), None);
    });
}

#[test]
fn documents_are_found_by_everything_that_names_them() {
    both(|place| {
        let store = place.create();
        // PostgreSQL's text knows no NUL: the number finds it all the same, and the record is as it was.
        let odd = "A\0-1";
        let (first, second) = (card(2, indexed(1, 5, "A-1", 4)), card(2, indexed(1, 5, odd, 4)));
        store.documents_put(&[first]).unwrap();
        let others = [card(2, indexed(3, 5, "a_2%", 0)), card(3, indexed(5, 6, "B-1", 4))];
        store.documents_put(&[&[second], &others[..]].concat()).unwrap();
        assert_eq!(store.documents().unwrap(), 3);
        assert_eq!(store.document(2, doc(1)).unwrap(), Some(document(1, 5)));
        assert_eq!(store.known(2, doc(1)).unwrap().unwrap().ops, [op(1), op(2)]);
        assert_eq!(store.indexed(2, doc(3)).unwrap().unwrap().scope, 0);
        assert_eq!(store.in_scope(4).unwrap(), [doc(1), doc(5)]);
        assert_eq!(store.in_state(5, &[]).unwrap(), [doc(1), doc(3)]);
        assert_eq!(store.newest(5, &[0], None, (0, 1_000)).unwrap(), [(2, doc(3)), (2, doc(1))]);
        assert_eq!(store.newest(5, &[0], Some(4), (0, 1_000)).unwrap(), [(2, doc(1))]);
        assert_eq!(store.numbered(5, odd).unwrap(), Some(doc(1)));
        assert_eq!(store.numbers_with(5, "_2%").unwrap(), ["a_2%"]);
        assert_eq!(store.numbers_with(5, "").unwrap().len(), 2);
        assert_eq!(
            store.numbers_with(5, "A_").unwrap(),
            Vec::<String>::new(),
            "no pattern, and capitals count"
        );
        for id in [doc(1), doc(3), doc(5)] {
            assert_eq!(store.find(&id.code()[..5].to_lowercase()).unwrap(), [id]);
            assert_eq!(store.find(&id.to_string()).unwrap(), [id]);
        }
        assert_eq!(store.find("B-1").unwrap(), [doc(5)]);
        assert_eq!(store.find("").unwrap(), []);
        let seen = store.visible(Some(doc(901)), None, &[]).unwrap();
        assert_eq!(seen.keys().copied().collect::<Vec<_>>(), [doc(1), doc(3), doc(5)]);
        assert_eq!(store.visible(None, None, &[]).unwrap().len(), 1);
        assert_eq!(store.visible(None, Some(4), &[(2, LINE.0)]).unwrap().len(), 3);
        for (kind, count) in [(None, 3), (Some(5), 2), (Some(9), 0)] {
            let mut found = 0;
            let each = |_, _| -> Result<(), StoreError> {
                found += 1;
                Ok(())
            };
            store.each_document(kind, each).unwrap();
            assert_eq!(found, count);
        }
        let marked = |key: &str, new| {
            let marks = [Mark::Key(key.into()), Mark::Staff(doc(9))].into();
            Marked { branch: 2, id: doc(1), marks, new }
        };
        store.marks_put(&[marked("k", true)]).unwrap();
        let other = Marked { id: doc(3), marks: [Mark::Key("l".into())].into(), ..marked("", true) };
        store.marks_put(&[marked("l", false), other]).unwrap();
        assert_eq!(store.listed(&Mark::Key("l".into())).unwrap(), [doc(1), doc(3)]);
        assert_eq!(store.listed(&Mark::Key("k".into())).unwrap(), []);
        assert_eq!(store.marked(&Mark::Staff(doc(9)), 5).unwrap(), [doc(1)]);
        assert_eq!(store.marked(&Mark::Staff(doc(9)), 6).unwrap(), []);
        store.import_key(&[1; 16], doc(1)).unwrap();
        store.import_key(&[1; 16], doc(3)).unwrap();
        assert_eq!(store.imported(&[1; 16]).unwrap(), Some(doc(1)));
        store.documents_clear().unwrap();
        assert_eq!(store.documents().unwrap(), 0);
    });
}

/// Takes the second step of the tables back.
const FIRST_STEP: &str = "DROP INDEX documents_code; DROP INDEX documents_listed;
     ALTER TABLE documents DROP COLUMN shelf; CREATE INDEX documents_code ON documents (code);
     CREATE INDEX documents_listed ON documents (kind, state, updated_ms, scope);
     DELETE FROM refinery_schema_history WHERE version = 2";

#[test]
fn tables_of_an_earlier_version_are_brought_up_and_what_they_hold_is_found_beside_what_is_new() {
    both(|place| {
        let found = |store: &Store, seq| store.find(&doc(seq).code()).unwrap() == [doc(seq)];
        let store = place.create();
        store.documents_put(&[card(2, indexed(1, 5, "A-1", 4)), card(2, indexed(3, 5, "A-3", 4))]).unwrap();
        drop(store);
        place.tell(FIRST_STEP);
        let store = place.open();
        assert!(found(&store, 1) && found(&store, 3));
        // One is changed, and comes onto its own shelf; another one is new.
        store.documents_put(&[card(2, indexed(3, 5, "A-3", 4)), card(2, indexed(5, 5, "A-5", 4))]).unwrap();
        assert!((1..=5).step_by(2).all(|seq| found(&store, seq)));
        assert_eq!(store.in_state(5, &[0]).unwrap(), [doc(1), doc(3), doc(5)]);
        drop(store);
        assert!(found(&place.open(), 5));
    });
}

#[test]
fn many_documents_are_put_at_once_and_read_as_if_one_by_one() {
    both(|place| {
        let store = place.create();
        let unnumbered = |seq| Indexed { number: None, ..indexed(seq, 5, "", 4) };
        let new = |indexed| Card { before: Some(Known::default()), ..card(2, indexed) };
        store.documents_put(&[]).unwrap();
        store.begin().unwrap();
        store.documents_put(&[new(unnumbered(1)), new(unnumbered(2))]).unwrap();
        store.commit().unwrap();
        let cards: Vec<Card> = (3..200).map(|seq| new(indexed(seq, 5, &format!("N{seq}"), 4))).collect();
        store.documents_put(&cards).unwrap();
        assert_eq!(store.documents().unwrap(), 199);
        assert_eq!(store.numbered(5, "N77").unwrap(), Some(doc(77)));
        assert!(!store.is_numbered_beside(5, "N77", doc(77)).unwrap());
        assert!(store.is_numbered_beside(5, "N77", doc(78)).unwrap());
        assert_eq!(store.indexed(2, doc(2)).unwrap().unwrap().number, None);
        assert_eq!(store.visible(Some(doc(901)), None, &[]).unwrap().len(), 199);
        // Whom it concerned before and now is told by what the index said of it.
        let known = store.known(2, doc(1)).unwrap();
        let left = Indexed { people: vec![doc(900)], ..unnumbered(1) };
        store.documents_put(&[Card { before: known, ..card(2, left) }]).unwrap();
        let concerned = store.visible(Some(doc(901)), None, &[]).unwrap();
        assert_eq!((concerned.len(), concerned.contains_key(&doc(1))), (198, false));
        let known = store.known(2, doc(1)).unwrap();
        store.documents_put(&[Card { before: known, ..card(2, unnumbered(1)) }]).unwrap();
        assert_eq!(store.visible(Some(doc(901)), None, &[]).unwrap().len(), 199);
    });
}

#[test]
fn devices_keys_and_what_is_held_back_read_back() {
    both(|place| {
        let store = place.create();
        let device = Device {
            staff: Some(doc(1)),
            key: Some(PublicKey([7; 32])),
            secret: Some([1; 16]),
            seen_ms: Some(9),
            lease_used: true,
            oversees: Some(2),
            name: "tablet 甲".to_owned(),
            ..Device::named(Replica(u32::MAX), 2, (1, 999))
        };
        store.device_put(&Device::named(Replica(u32::MAX), 2, (1, 999))).unwrap();
        store.device_put(&device).unwrap();
        assert_eq!(store.device(Replica(u32::MAX)).unwrap(), Some(device.clone()));
        assert_eq!(store.devices(Some(doc(1))).unwrap(), [device]);
        assert_eq!((store.devices(None).unwrap().len(), store.devices(Some(doc(2))).unwrap().len()), (1, 0));
        assert_eq!(store.branch_of(Replica(u32::MAX)).unwrap(), Some(2));
        let numbers = [doc(1), doc(2), doc(1)].map(|unit| store.branch_number(unit).unwrap());
        assert_eq!(numbers, [1, 2, 1]);
        let added = [5, 4, 5].map(|byte| store.key_add(LINE.0, PublicKey([byte; 32])).unwrap());
        assert_eq!(added, [true, true, false]);
        store.key_confirm(LINE.0, PublicKey([5; 32])).unwrap();
        let keys = store.more_keys(LINE.0).unwrap();
        assert_eq!(keys, [(PublicKey([4; 32]), false), (PublicKey([5; 32]), true)]);
        for byte in [1, 2] {
            store.epoch_key_put(LINE.0, LINE.1, PublicKey([byte; 32])).unwrap();
        }
        assert_eq!(store.epoch_key(LINE.0, LINE.1).unwrap(), Some(PublicKey([2; 32])));
        let came = Came { received_ms: 5, skew_ms: None };
        for n in [1, 2, 1] {
            store.hold_back(2, &kept(n, 1, 1).segment, Why::Newer, came).unwrap();
        }
        let held = store.held_back(LINE.0).unwrap();
        assert_eq!(held.iter().map(|(id, ..)| *id).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(store.newer_held_back(1).unwrap().unwrap().1, kept(2, 1, 1).segment);
        assert!(store.is_held_back(2, &kept(1, 1, 1).segment).unwrap());
        assert_eq!(store.held_back_count().unwrap(), 2);
        assert!(store.held_back_bytes(LINE.0).unwrap() > 200);
        store.held_back_taken(1).unwrap();
        assert!(!store.is_held_back(2, &kept(1, 1, 1).segment).unwrap());
    });
}

#[test]
fn files_logins_visitors_and_the_trail_read_back() {
    both(|place| {
        let store = place.create();
        for n in 0..34_u8 {
            let gone = store.pieces_put(1, LINE.0, &[n; 32], &Pieces::none(500_000), n.into()).unwrap();
            assert_eq!(gone.len(), usize::from(n >= 32));
        }
        assert_eq!(store.files_on_the_way().unwrap(), 32);
        assert_eq!(store.pieces(1, LINE.0, &[5; 32]).unwrap(), Some(Pieces::none(500_000)));
        store.pieces_forget_all().unwrap();
        for hash in [[9; 32], [8; 32], [9; 32]] {
            store.file_ask(1, LINE.0, &hash).unwrap();
        }
        assert_eq!(store.files_asked(1, LINE.0).unwrap(), [[8; 32], [9; 32]]);
        store.file_came(&[9; 32]).unwrap();
        assert_eq!(store.files_asked(1, LINE.0).unwrap(), [[8; 32]]);
        let login = Login { staff: doc(1), hash: "$argon2id$".into(), changed_ms: 1, failed: 0, free_ms: 2 };
        store.login_put(&login).unwrap();
        store.login_put(&Login { failed: 3, ..login.clone() }).unwrap();
        assert_eq!(store.login(doc(1)).unwrap(), Some(Login { failed: 3, ..login }));
        let visitor = Visitor { staff: doc(1), token: "t".into(), made_ms: 1, seen_ms: 2 };
        for id in [b"a", b"b"] {
            store.visitor_put(id, &visitor).unwrap();
        }
        store.visitor_put(b"b", &Visitor { seen_ms: 9, ..visitor }).unwrap();
        store.visitors_forget(5).unwrap();
        assert!(store.visitor(b"a").unwrap().is_none() && store.visitor(b"b").unwrap().is_some());
        store.login_drop(doc(1)).unwrap();
        assert!(store.visitor(b"b").unwrap().is_none() && store.login(doc(1)).unwrap().is_none());
        for n in 1..=5 {
            store.audit(0, n, "did", "it").unwrap();
        }
        let lines = |before, n| -> Vec<u64> {
            store.audit_lines(before, n).unwrap().into_iter().map(|line| line.id).collect()
        };
        assert_eq!((lines(None, 2), lines(Some(3), 9)), (vec![5, 4], vec![2, 1]));
    });
}

#[test]
fn a_history_that_begins_again_gives_nothing_twice() {
    both(|place| {
        let store = place.create();
        store.set("incarnation", &5_u32.to_le_bytes()).unwrap();
        store.device_put(&Device { lease: [3; 8], ..Device::named(LINE.0, 1, (1, 2)) }).unwrap();
        store.count_up("order", 10).unwrap();
        store.feed_append(1, Feed::Branch(1), &entry(1)).unwrap();
        store.segment_put(1, &kept(1, 3, 4)).unwrap();
        store.begin().unwrap();
        store.begin_again(Incarnation(6), 1_795_300_000_000).unwrap();
        store.commit().unwrap();
        assert_eq!(store.incarnation().unwrap(), Incarnation(6));
        assert!(
            store.descends_from(Incarnation(5)).unwrap() && !store.descends_from(Incarnation(6)).unwrap()
        );
        assert_eq!((store.restored_from().unwrap(), store.restores().unwrap()), (Some(11), 1));
        assert_eq!(store.ancestor_end(Incarnation(5), 1, Feed::Branch(1)).unwrap(), 1);
        assert_eq!(store.feed_backed_up(1, Feed::Branch(1)).unwrap(), 1);
        assert_eq!(store.line_backed_up(1, LINE).unwrap(), 3);
        assert!(store.order().unwrap() > 1 << 32);
        assert_eq!(store.device(LINE.0).unwrap().unwrap().lease, [0; 8]);
    });
}

#[test]
fn a_large_segment_comes_back_byte_for_byte() {
    both(|place: &Place| {
        let store = place.create();
        let mut large = kept(1, 1, 1);
        large.segment.body = (0..4_000_000_u32).map(|n| n.to_le_bytes()[1]).collect();
        store.segment_put(1, &large).unwrap();
        assert_eq!(place.open().segment_at(1, LINE, 1).unwrap(), Some(large));
    });
}
