//! One device, one HQ and what they say, with fixed keys and clocks.

use records::id::{DocId, Epoch, OpId, Replica};
use records::kinds::staff::Role;
use records::schema::{Class, Tag};
use records::time::Zone;
use sync_protocol::asides::{
    Ask, Chunk, ClockRun, Differing, FileHave, FileHeld, FileWant, HeldDocument, OpRun, Piece, Pins, Tell,
    Vouched,
};
use sync_protocol::bundle::{self, Answered, BundleId, BundleKind, For, Header, Span};
use sync_protocol::chain::{Line, Link, Parent};
use sync_protocol::conversation::{Answer, Request, RequestHash};
use sync_protocol::cursor::{Cursor, Feed, Incarnation};
use sync_protocol::digest::Buckets;
use sync_protocol::enrolment::{self, Enrolment};
use sync_protocol::message::{
    Certificate, Clocks, Compared, Enrol, Extract, Head, Held, Hello, Item, Notice, PageEnd, PushAck,
};
use sync_protocol::op::{Row, Write};
use sync_protocol::proof::{ExtractsProof, RulingProof};
use sync_protocol::ruling::{Ruling, Verdict};
use sync_protocol::segment::{Run, Segment, cut};
use sync_protocol::sign::{Signature, Signer};
use sync_protocol::stamp::Stamp;
use sync_protocol::tables::Tables;

pub(crate) const LINE: Line = (Replica(0x9a3c_71e5), Epoch(0xb671_3f02));
pub(crate) const INCARNATION: Incarnation = Incarnation(0xc0de_cafe);
pub(crate) const NOW_MS: u64 = 1_795_399_200_000;

pub(crate) fn device() -> Signer {
    Signer::from_seed(&[1; 32]).unwrap()
}

pub(crate) fn hq() -> Signer {
    Signer::from_seed(&[2; 32]).unwrap()
}

/// Sealed to HQ and to the device itself.
pub(crate) fn parcel() -> Vec<u8> {
    let random = std::array::from_fn(|at| u8::try_from(at).unwrap());
    sync_protocol::parcel::seal(b"seven rows", &[hq().public(), device().public()], &random).unwrap()
}

/// A bundle of work with one parcel.
pub(crate) fn bundle() -> Vec<u8> {
    let header = Header {
        kind: BundleKind::Work,
        id: BundleId([0xb1; 16]),
        author: LINE.0,
        key: device().public(),
        readers: vec![Replica::HQ],
        incarnation: INCARNATION,
        created_ms: NOW_MS,
        expires_ms: 0,
        answers: None,
        spans: vec![Span { epoch: LINE.1, parent: None, first: 3, last: 9, before: Link([0xc3; 32]) }],
    };
    let (mut writer, mut file) = bundle::Writer::begin(&header);
    file.extend(writer.parcel(For::Hq, &parcel()));
    file.extend(writer.end(&device()));
    file
}

pub(crate) fn answered(request: &[u8], answer: Vec<u8>) -> Answered {
    let asked = sync_protocol::conversation::signature_of(request).unwrap();
    Answered { request: RequestHash::of(request), asked, page: 0, answer }
}

pub(crate) fn op(seq: u64) -> OpId {
    OpId { replica: LINE.0, epoch: LINE.1, seq }
}

pub(crate) fn doc(seq: u64) -> DocId {
    DocId(OpId { replica: Replica::HQ, epoch: Epoch(0x51f0_22aa), seq })
}

/// Row `n` creates a voucher: category, day, amount, a seller and a note.
pub(crate) fn row(n: u64) -> Row {
    let seller = format!("上海市浦东新区加油站 {}", n % 7);
    let note = format!("客户现场往返 {n}");
    let value = [
        &[1, 3, 1][..],
        &[0x9e, 0xbe, 0x02],
        &[1, 0xac, 0x36],
        &[1, u8::try_from(seller.len()).unwrap()],
        seller.as_bytes(),
        &[1, u8::try_from(note.len()).unwrap()],
        note.as_bytes(),
    ];
    Row {
        kind: 20,
        schema: 1,
        doc: None,
        stamp: Stamp { ms: NOW_MS + n * 61_000, counter: 0 },
        seen: Vec::new(),
        forked_from: None,
        writes: vec![Write { tag: Tag::new(2, Class::Contested), bytes: value.concat() }],
    }
}

pub(crate) fn segments(n_ops: usize) -> Vec<Segment> {
    let rows: Vec<Row> = (1..=n_ops as u64).map(row).collect();
    let run = Run { line: LINE, first: 1, before: Link::ROOT, parent: None, test_clock: false, rows: &rows };
    cut(&device(), &run).unwrap()
}

pub(crate) fn hello() -> Hello {
    Hello {
        versions: (1, 1),
        schemas: [0x5c, 0x11, 0x0e, 0x9d],
        replica: LINE.0,
        lease: [0x71, 0x0a, 0x33, 0x9c, 0x55, 0xe1, 0x08, 0xb4],
        heads: Vec::new(),
        cursor: Cursor { incarnation: INCARNATION, positions: vec![(Feed::Company, 412), (Feed::OWN, 97)] },
        digest: None,
        clocks: Clocks { wall_ms: NOW_MS, monotonic_ms: 5_400_000, boot: 0xd1e7_05b3 },
        answer_bytes_max: 0,
    }
}

pub(crate) fn enrol() -> Enrol {
    Enrol {
        key: device().public(),
        proof: enrolment::proof(&[0x77; 16], LINE.0, &device().public()),
        scanned_ms: NOW_MS,
        name: "平板 3".into(),
    }
}

/// A request with `n_ops` ops: without any it asks for a comparison of digests, with many it is the first.
pub(crate) fn request(n_ops: usize) -> Request {
    let digest = (n_ops == 0).then_some([0xd1; 16]);
    Request {
        hello: Hello { digest, ..hello() },
        enrol: (n_ops > 256).then(enrol),
        asks: if n_ops > 256 { asks() } else { Vec::new() },
        segments: segments(n_ops),
    }
}

pub(crate) fn held(up_to: u64) -> Held {
    Held { epoch: LINE.1, up_to, link: [4; 8], count: up_to, backed_up_to: 0 }
}

pub(crate) fn ruling(count: u32, exceptions: Vec<(u32, Verdict)>) -> Ruling {
    Ruling {
        replica: LINE.0,
        epoch: LINE.1,
        first: 1,
        count,
        order: 90_417,
        cap_ms: NOW_MS + 600_000,
        version: 1,
        exceptions,
    }
}

/// What HQ answers to a request of which it accepts everything.
pub(crate) fn plain_answer(request: &Request) -> Answer {
    let rulings: Vec<Ruling> = request
        .segments
        .iter()
        .map(|segment| Ruling { first: segment.first, ..ruling(segment.count, Vec::new()) })
        .collect();
    let last = request.segments.last().map(|segment| held(segment.last()));
    let positions = if rulings.is_empty() { Vec::new() } else { vec![(Feed::OWN, 98)] };
    let digest = if rulings.is_empty() { Compared::Equal } else { Compared::Not };
    Answer {
        ack: PushAck {
            incarnation: INCARNATION,
            lease: [8, 7, 6, 5, 4, 3, 2, 1],
            held: last.into_iter().collect(),
            rulings: Vec::new(),
            digest,
        },
        notices: Vec::new(),
        certificate: None,
        tells: Vec::new(),
        items: Vec::new(),
        rulings,
        end: PageEnd { next: Cursor { incarnation: INCARNATION, positions }, more: false },
    }
}

/// One of each thing that a device says beside its log.
pub(crate) fn asks() -> Vec<Ask> {
    let proof = RulingProof { rulings: vec![0], context: [4; 96], signature: Signature([5; 64]) };
    let extracts = ExtractsProof {
        extracts: vec![extract()],
        leaves: vec![[6; 32]],
        context: [7; 96],
        signature: Signature([8; 64]),
    };
    let digests = (1..9).map(|seq| (doc(seq), [9; 16]));
    vec![
        Ask::Rulings(proof),
        Ask::Extracts(extracts),
        Ask::Relay(b"sealed".to_vec()),
        Ask::Chunk(Chunk::sign(&device(), piece())),
        Ask::Have(vec![FileHave { hash: [0xf1; 32], total: 131_075 }]),
        Ask::Want(vec![FileWant { doc: doc(9), hash: [0xf2; 32], from: 1, count: 2 }]),
        Ask::Buckets(Buckets::of(digests)),
        Ask::Reread(vec![doc(5), doc(6)]),
        Ask::Clocks(vec![ClockRun { epoch: LINE.1, first: 2, last: 9, shift_ms: -10_800_000 }]),
        Ask::Tables(Tables::of(vec![(4, 1), (12, 2)])),
        Ask::Vouched(Vouched::sign(&device(), certificate())),
        Ask::Pins(3),
        Ask::Newer { number: 0x7e, bytes: vec![1, 2] },
    ]
}

/// One of each thing that HQ says beside acknowledgement and feeds.
pub(crate) fn tells() -> Vec<Tell> {
    vec![
        Tell::Held(vec![FileHeld { hash: [0xf1; 32], missing: vec![(1, 1)] }]),
        Tell::Wanted(vec![[0xf3; 32]]),
        Tell::Piece(piece()),
        Tell::Differing(Differing { buckets: vec![3, 250], documents: vec![held_document()] }),
        Tell::Relayed(b"sealed".to_vec()),
        Tell::Renamed(b"enrolment".to_vec()),
        Tell::Tables(Tables::of(vec![(4, 1), (12, 3)])),
        Tell::Vouched(Vouched::sign(&device(), certificate())),
        Tell::Pins(Pins { version: 3, pins: vec![[0xf4; 32], [0xf5; 32]] }),
        Tell::Newer { number: 0x7f, bytes: vec![3] },
    ]
}

fn held_document() -> HeldDocument {
    let ops = OpRun::of(&[doc(5).0, doc(6).0, doc(9).0]);
    HeldDocument { doc: doc(5), digest: [0xd0; 16], ops }
}

fn piece() -> Piece {
    Piece { hash: [0xf1; 32], total: 131_075, index: 1, bytes: vec![1, 2, 3] }
}

pub(crate) fn certificate() -> Certificate {
    Certificate {
        replica: LINE.0,
        key: device().public(),
        staff: doc(5),
        roles: vec![Role::ENGINEER, Role::SUPERVISOR],
        branch: 3,
        unit: doc(2),
        valid_until_ms: NOW_MS + 90 * 86_400_000,
    }
}

pub(crate) fn extract() -> Extract {
    let rows = [row(3), row(9)];
    Extract {
        replica: LINE.0,
        epoch: LINE.1,
        parent: None,
        seqs: vec![3, 9],
        rows: sync_protocol::columns::encode(&rows, LINE, &[3, 9]),
    }
}

pub(crate) fn notices() -> Vec<Notice> {
    vec![
        Notice::UpgradeNeeded { versions: (2, 3) },
        Notice::Revoked,
        Notice::Unconfirmed,
        Notice::ServerTime(NOW_MS),
        Notice::Refused(7),
        Notice::Rewound { epoch: LINE.1, seq: 40 },
        Notice::Copied,
        Notice::Fork { epoch: LINE.1, common: 39, link: Link([5; 32]) },
        Notice::Restored { order: 1 << 33 },
        Notice::BackedUp { order: 7 },
        Notice::Newer { number: 99, bytes: vec![1, 2, 3] },
    ]
}

pub(crate) fn items() -> Vec<Item> {
    let mut items: Vec<Item> = segments(2).into_iter().map(Item::Segment).collect();
    items.push(Item::Extract(extract()));
    items.push(Item::Evict(doc(77)));
    items.push(Item::Newer { number: 9, bytes: vec![4, 5] });
    items
}

pub(crate) fn rulings() -> Vec<Ruling> {
    let quarantined = Verdict::Quarantined { code: 12, text: "amount".into(), retryable: false };
    vec![
        ruling(200, Vec::new()),
        ruling(
            9,
            vec![
                (0, Verdict::Merged),
                (1, Verdict::Duplicate),
                (3, Verdict::Deferred { missing: op(4) }),
                (4, Verdict::TooLate),
                (7, quarantined),
                (8, Verdict::Newer { number: 70, bytes: vec![6] }),
            ],
        ),
    ]
}

/// An answer with one of everything.
pub(crate) fn answer() -> Answer {
    Answer {
        ack: PushAck {
            incarnation: INCARNATION,
            lease: [8, 7, 6, 5, 4, 3, 2, 1],
            held: vec![held(40)],
            rulings: rulings(),
            digest: Compared::Differs([0xee; 16]),
        },
        notices: notices(),
        certificate: Some(certificate()),
        tells: tells(),
        items: items(),
        rulings: rulings(),
        end: PageEnd {
            next: Cursor {
                incarnation: INCARNATION,
                positions: vec![(Feed::Company, 413), (Feed::Branch(3), 8)],
            },
            more: true,
        },
    }
}

/// A Hello with something in every field.
pub(crate) fn full_hello() -> Hello {
    let head = |seq, parent| Head { epoch: LINE.1, parent, seq, link: [3; 8] };
    Hello { heads: vec![head(7, None), head(9, Some(parent()))], digest: Some([0xd1; 16]), ..hello() }
}

fn parent() -> Parent {
    Parent { epoch: Epoch(17), seq: 300, link: Link([6; 32]) }
}

/// A row with something in every field.
pub(crate) fn full_row() -> Row {
    Row {
        doc: Some(doc(77)),
        seen: vec![OpId { replica: Replica(1), epoch: Epoch(2), seq: 3 }, op(300)],
        forked_from: Some(op(5)),
        ..row(2)
    }
}

/// The first segment of an epoch that hangs under another one, written under a test clock.
pub(crate) fn child_segment() -> Segment {
    let rows = [full_row()];
    let before = parent().link;
    let run = Run { line: LINE, first: 1, before, parent: Some(parent()), test_clock: true, rows: &rows };
    cut(&device(), &run).unwrap().remove(0)
}

pub(crate) fn enrolment() -> Enrolment {
    Enrolment {
        address: "https://hq.example.cn:7400".into(),
        hq_key: hq().public(),
        tls_pin: Some([0xab; 32]),
        incarnation: INCARNATION,
        replica: LINE.0,
        secret: [0x77; 16],
        issued_ms: NOW_MS,
        expires_ms: NOW_MS + 86_400_000,
        company: "示例服务有限公司".into(),
        center_code: "A01".into(),
        staff: doc(5),
        staff_code: "10234".into(),
        staff_name: "王工".into(),
        unit: doc(2),
        unit_name: "上海客服中心".into(),
        roles: vec![Role::ENGINEER],
        zone: Zone::SHANGHAI,
        sheet_block: (1, 9_999),
        claim_lease: Some((1, 1)),
    }
}
