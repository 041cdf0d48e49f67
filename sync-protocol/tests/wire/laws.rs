//! Laws of everything that is decoded: no bytes panic, and what decodes has no second spelling.

use proptest::prelude::*;
use records::id::{DocId, Epoch, OpId, Replica};
use records::schema::Tag;
use sync_protocol::chain::{Link, Parent};
use sync_protocol::envelope::{self, Message, Moved, Notices, Page, Push, Raw, Rulings};
use sync_protocol::message::{Certificate, Enrol, Hello, PushAck};
use sync_protocol::op::{Row, Write};
use sync_protocol::ruling::Verdict;
use sync_protocol::segment::{Body, Run, Segment, SegmentError, cut};
use sync_protocol::stamp::Stamp;
use sync_protocol::{columns, frame};

use crate::sample;

/// Reads the bytes as an `M`; whatever comes out has to be written as the same bytes.
fn respelt<M: Message>(bytes: &[u8]) -> bool {
    let raw = Raw { number: M::NUMBER, schema: M::SCHEMA, bytes };
    let Ok(message) = raw.read::<M>() else {
        return false;
    };
    let mut out = Vec::new();
    envelope::write(&message, &mut out);
    envelope::split(&out).unwrap()[0].bytes != bytes
}

fn any_respelt(bytes: &[u8]) -> bool {
    respelt::<Hello>(bytes)
        || respelt::<Enrol>(bytes)
        || respelt::<Push>(bytes)
        || respelt::<PushAck>(bytes)
        || respelt::<Notices>(bytes)
        || respelt::<Certificate>(bytes)
        || respelt::<Page>(bytes)
        || respelt::<Moved>(bytes)
        || respelt::<Rulings>(bytes)
}

fn ids() -> impl Strategy<Value = OpId> {
    (any::<u32>(), any::<u32>(), 1..=sync_protocol::limits::SEQ_MAX).prop_map(|(r, e, seq)| OpId {
        replica: Replica(r),
        epoch: Epoch(e),
        seq,
    })
}

fn rows() -> impl Strategy<Value = Row> {
    let writes = prop::collection::btree_map(any::<u16>(), prop::collection::vec(any::<u8>(), 0..40), 0..5);
    let seen = prop::collection::btree_map((any::<u32>(), any::<u32>()), 1_u64..500, 0..4);
    let names = (prop::option::of(ids()), prop::option::of(ids()));
    (any::<u16>(), any::<u8>(), names, (0_u64..1 << 48, any::<u16>()), seen, writes).prop_map(
        |(kind, schema, (doc, forked_from), (ms, counter), seen, writes)| Row {
            kind,
            schema,
            doc: doc.map(DocId),
            stamp: Stamp { ms, counter },
            seen: seen
                .into_iter()
                .map(|((r, e), seq)| OpId { replica: Replica(r), epoch: Epoch(e), seq })
                .collect(),
            forked_from,
            writes: writes.into_iter().map(|(tag, bytes)| Write { tag: Tag(tag), bytes }).collect(),
        },
    )
}

fn run(rows: &[Row], first: u64) -> Run<'_> {
    Run { line: sample::LINE, first, before: Link([9; 32]), parent: None, test_clock: false, rows }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_row_reads_back(row in rows()) {
        prop_assert_eq!(Row::from_bytes(&row.to_bytes()), Ok(row));
    }

    #[test]
    fn a_row_with_a_number_spelt_longer_is_no_row(row in rows(), at in any::<prop::sample::Index>()) {
        let mut bytes = row.to_bytes();
        let at = at.index(bytes.len());
        // Where no number ends there it is another row, in its own only spelling, or none.
        bytes[at] |= 0x80;
        bytes.insert(at + 1, 0);
        let read = Row::from_bytes(&bytes);
        prop_assert!(read.is_err() || read.unwrap().to_bytes() == bytes);
    }

    #[test]
    fn segments_give_back_their_rows(rows in prop::collection::vec(rows(), 1..100), first in 2_u64..1 << 40) {
        let key = sample::device().public();
        let mut before = Link([9; 32]);
        let mut found = Vec::new();
        for segment in cut(&sample::device(), &run(&rows, first)).unwrap() {
            prop_assert_eq!(segment.first, first + found.len() as u64);
            prop_assert_eq!(segment.verify(&key), Ok(()));
            prop_assert_eq!(segment.open(Link([1; 32])), Err(SegmentError::Chain));
            found.extend(segment.open(before).unwrap().1);
            before = segment.link;
        }
        prop_assert_eq!(found, rows);
    }

    #[test]
    fn a_changed_segment_is_noticed(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        let mut segment = sample::segments(3).remove(0);
        let (_, rows) = segment.open(Link::ROOT).unwrap();
        let i = at.index(segment.body.len());
        segment.body[i] ^= 1_u8 << bit;
        prop_assert_eq!(segment.verify(&sample::device().public()), Err(SegmentError::Signature));
        // Columns may have a second spelling: then the rows are the same, as the chain proves.
        prop_assert!(segment.open(Link::ROOT).is_ok_and(|(_, read)| read == rows) || segment.open(Link::ROOT).is_err());
    }

    #[test]
    fn any_bytes_are_refused_or_have_one_spelling(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        prop_assert!(!any_respelt(&bytes));
        let body = Body::from_bytes(&bytes);
        prop_assert!(body.is_err() || body.unwrap().to_bytes() == bytes);
        let row = Row::from_bytes(&bytes);
        prop_assert!(row.is_err() || row.unwrap().to_bytes() == bytes);
        if let Ok(rows) = columns::decode(&bytes, sample::LINE, &[1, 2]) {
            let coded = columns::encode(&rows, sample::LINE, &[1, 2]);
            prop_assert_eq!(columns::decode(&coded, sample::LINE, &[1, 2]), Ok(rows));
        }
        let _ = envelope::split(&bytes);
        let _ = frame::read(&bytes, 64);
    }

    #[test]
    fn a_flipped_bit_in_a_message_gives_no_second_spelling(at in any::<prop::sample::Index>(), bit in 0_u8..8) {
        for mut bytes in sample_messages() {
            let i = at.index(bytes.len());
            bytes[i] ^= 1_u8 << bit;
            prop_assert!(!any_respelt(&bytes));
        }
    }
}

/// The bytes of one message of each number.
fn sample_messages() -> Vec<Vec<u8>> {
    let answer = sample::answer();
    let mut out = Vec::new();
    envelope::write(&sample::full_hello(), &mut out);
    envelope::write(&sample::enrol(), &mut out);
    envelope::write(&Push::from(&sample::segments(2)[0]), &mut out);
    envelope::write(&answer.ack, &mut out);
    envelope::write(&Notices(answer.notices), &mut out);
    envelope::write(&sample::certificate(), &mut out);
    envelope::write(&Page(answer.items), &mut out);
    envelope::write(&Rulings(answer.rulings), &mut out);
    envelope::split(&out).unwrap().into_iter().map(|raw| raw.bytes.to_vec()).collect()
}

#[test]
fn a_segment_is_as_full_as_the_limits_allow() {
    let mut long = sample::row(1);
    long.writes[0].bytes = vec![0xaa; 16_000];
    let sizes = |rows: &[Row]| -> Vec<u32> {
        cut(&sample::device(), &run(rows, 2)).unwrap().iter().map(|segment| segment.count).collect()
    };
    assert_eq!(sizes(&vec![sample::row(1); 600]), [256, 256, 88]);
    assert_eq!(sizes(&vec![long.clone(); 9]), [4, 4, 1]);
    long.writes[0].bytes = vec![0xaa; 17_000];
    assert_eq!(cut(&sample::device(), &run(&[long], 2)), Err(SegmentError::Size));
}

#[test]
fn only_the_first_segment_of_an_epoch_says_where_it_hangs() {
    let child = sample::child_segment();
    let (body, rows) = child.open(Link::ROOT).unwrap();
    assert_eq!((body.parent.map(|parent| parent.seq), body.test_clock), (Some(300), true));
    let later = Segment::sign(&sample::device(), sample::LINE, 2, Link::ROOT, &body, &rows).unwrap();
    assert_eq!(later.open(Link::ROOT), Err(SegmentError::Malformed));
}

#[test]
fn a_segment_of_another_size_than_it_says_is_refused() {
    let mut segment = sample::segments(3).remove(0);
    for count in [0, 2, 4, 257, u32::MAX] {
        segment.count = count;
        assert!(segment.open(Link::ROOT).is_err(), "{count}");
    }
}

#[test]
fn an_unknown_verdict_still_says_whether_the_op_stands() {
    assert!(Verdict::Newer { number: 63, bytes: vec![] }.stands());
    assert!(!Verdict::Newer { number: 64, bytes: vec![] }.stands());
}

#[test]
fn a_list_too_long_is_refused_before_it_is_read() {
    let raw = Raw { number: Page::NUMBER, schema: Page::SCHEMA, bytes: &[0xff, 0xff, 0xff, 0xff, 0x0f] };
    assert_eq!(raw.read::<Page>(), Err(envelope::MessageError::TooMany { number: Page::NUMBER }));
}

#[test]
fn an_unknown_message_is_stepped_over_unless_it_must_be_understood() {
    let raw = |number| Raw { number, schema: 1, bytes: &[] };
    assert_eq!(raw(0x7e).skip(), Ok(()));
    assert_eq!(raw(0xfe).skip(), Err(envelope::MessageError::Newer { number: 0xfe }));
}

#[test]
fn a_parent_is_the_seed_of_its_child() {
    let parent = Parent { epoch: Epoch(1), seq: 2, link: Link([3; 32]) };
    assert_eq!(Parent::seed(Some(&parent)), Link([3; 32]));
    assert_eq!(Parent::seed(None), Link::ROOT);
}
