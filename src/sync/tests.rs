//! A device syncs with an HQ that takes everything in, over a line that breaks where the test says.

use std::collections::{BTreeMap, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use records::id::{Epoch, Replica};
use records::time::Ts;
use sync_protocol::asides::Vouched;
use sync_protocol::chain::Link;
use sync_protocol::conversation::{Event, Reader, write_answer};
use sync_protocol::cursor::{Cursor, Feed, Incarnation};
use sync_protocol::limits::BODY_BYTES_MAX;
use sync_protocol::message::{Certificate, Held, Item, PageEnd, PushAck};
use sync_protocol::ruling::Ruling;
use sync_protocol::segment::{Run, cut};
use sync_protocol::sign::{PublicKey, Signer};

use super::*;
use crate::store::testing::{NOW, create, enrolment, hq};

/// What happens to one request.
#[derive(Debug, Clone, Copy)]
enum Line {
    /// It is answered.
    Answers,
    /// It arrives, its answer does not.
    LosesAnswer,
    /// It breaks after so many bytes of the body.
    BreaksAfter(usize),
    /// Somebody else answers it with a key of his own.
    Impostor,
    /// A login page of the hotel answers it.
    Hotel,
}

/// What HQ holds, and what it counted.
struct Hq {
    device: PublicKey,
    /// Per epoch: the last seq and the link there.
    held: BTreeMap<Epoch, (u64, Link)>,
    position: u64,
    /// Segments waiting in the company's feed, one a page.
    pages: VecDeque<Item>,
    /// Ops pushed, those pushed again included.
    ops_pushed: u64,
    enrolled: u32,
    bytes: (u64, u64),
}

impl Hq {
    /// Keeps what follows on what it holds and returns the rulings.
    fn take(&mut self, event: Event) -> Vec<Ruling> {
        match event {
            Event::Enrol(_) => self.enrolled += 1,
            Event::Ask(_) => {}
            Event::Push(segment) => {
                self.ops_pushed += u64::from(segment.count);
                segment.verify(&self.device).unwrap();
                let (up_to, link) = self.held.get(&segment.epoch).copied().unwrap_or_default();
                if segment.first != up_to + 1 {
                    return Vec::new();
                }
                segment.open(link).unwrap();
                self.held.insert(segment.epoch, (segment.last(), segment.link));
                self.position += 1;
                return vec![Ruling {
                    replica: segment.replica,
                    epoch: segment.epoch,
                    first: segment.first,
                    count: segment.count,
                    order: self.position * 1000,
                    cap_ms: u64::MAX >> 16,
                    version: 1,
                    exceptions: Vec::new(),
                }];
            }
            Event::Hello(_) | Event::Unknown { .. } => {}
        }
        Vec::new()
    }

    fn answer(&mut self, rulings: Vec<Ruling>) -> Answer {
        let held = |(epoch, (up_to, link)): (&Epoch, &(u64, Link))| Held {
            epoch: *epoch,
            up_to: *up_to,
            link: crate::store::offer::first_8(*link),
            count: *up_to,
            backed_up_to: 0,
        };
        let items: Vec<Item> = self.pages.pop_front().into_iter().collect();
        self.position += u64::try_from(items.len()).unwrap();
        let incarnation = Incarnation(3);
        let certificate = Certificate {
            replica: Replica(41),
            key: self.device,
            staff: enrolment().staff,
            roles: Vec::new(),
            branch: 1,
            unit: enrolment().unit,
            valid_until_ms: 9,
        };
        Answer {
            ack: PushAck {
                incarnation,
                lease: [1; 8],
                held: self.held.iter().map(held).collect(),
                rulings: Vec::new(),
                digest: Compared::Not,
            },
            notices: Vec::new(),
            certificate: (self.enrolled == 1).then_some(certificate),
            tells: Vec::new(),
            items,
            rulings,
            end: PageEnd {
                next: Cursor { incarnation, positions: vec![(Feed::Company, self.position)] },
                more: !self.pages.is_empty(),
            },
        }
    }

    /// Reads one request off the line and answers as the line allows.
    fn serve(&mut self, stream: &TcpStream, line: Line) {
        let mut input = BufReader::new(stream);
        let body = read_body(&mut input, line);
        self.bytes.0 += u64::try_from(body.len()).unwrap();
        let mut reader = Reader::new(BODY_BYTES_MAX);
        let events = reader.push(&body).unwrap();
        let rulings = events.into_iter().flat_map(|event| self.take(event)).collect();
        let signer =
            if matches!(line, Line::Impostor) { Signer::from_seed(&[66; 32]).unwrap() } else { hq() };
        let answer = match line {
            Line::BreaksAfter(_) => return,
            Line::Hotel => b"<html>Welcome to our hotel</html>".to_vec(),
            Line::Answers | Line::LosesAnswer | Line::Impostor => {
                let asked = reader.finish(&self.device).unwrap();
                write_answer(&self.answer(rulings), asked, &signer)
            }
        };
        if matches!(line, Line::LosesAnswer) {
            return;
        }
        self.bytes.1 += u64::try_from(answer.len()).unwrap();
        let mut stream = stream;
        let head =
            format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", answer.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&answer).unwrap();
    }
}

fn read_body(input: &mut impl BufRead, line: Line) -> Vec<u8> {
    let mut length = 0;
    for header in input.lines() {
        let header = header.unwrap().to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length: ") {
            length = value.parse().unwrap();
        }
        if header.is_empty() {
            break;
        }
    }
    if let Line::BreaksAfter(bytes) = line {
        length = length.min(bytes);
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).unwrap();
    body
}

/// A device with its HQ.
struct World {
    _home: tempfile::TempDir,
    store: Store,
    hq: Arc<Mutex<Hq>>,
    lines: Arc<Mutex<VecDeque<Line>>>,
}

impl World {
    /// Opens a home and an HQ; once the lines are used up, every request is answered.
    fn new(lines: &[Line]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let home = tempfile::tempdir().unwrap();
        let enrolment = sync_protocol::enrolment::Enrolment { address, ..enrolment() };
        let store = Store::create(home.path(), &enrolment, NOW).unwrap();
        let hq = Arc::new(Mutex::new(Hq {
            device: store.signer().unwrap().public(),
            held: BTreeMap::new(),
            position: 0,
            pages: VecDeque::new(),
            ops_pushed: 0,
            enrolled: 0,
            bytes: (0, 0),
        }));
        let lines = Arc::new(Mutex::new(VecDeque::from(lines.to_vec())));
        let (serving, script) = (Arc::clone(&hq), Arc::clone(&lines));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let line = script.lock().unwrap().pop_front().unwrap_or(Line::Answers);
                serving.lock().unwrap().serve(&stream.unwrap(), line);
            }
        });
        Self { _home: home, store, hq, lines }
    }

    /// Saves so many ops of so many bytes that do not compress.
    fn save(&mut self, n_ops: usize, bytes: usize) {
        let noise = || -> Vec<u8> {
            (0..bytes.div_ceil(32)).flat_map(|_| crate::keys::random::<32>().unwrap()).collect()
        };
        let ops: Vec<_> = (0..n_ops).map(|_| create(&noise())).collect();
        for ops in ops.chunks(50) {
            self.store.save(ops.to_vec(), NOW).unwrap();
        }
    }

    fn sync(&mut self) -> Result<SyncReport, SyncError> {
        let options = Options { bytes_max: None, retries: 2, wait_ms: 0, ..Options::default() };
        sync(&mut self.store, &Clock::frozen(Ts(NOW.wall.0)), options, &mut |_| {})
    }

    fn ops_pushed(&self) -> u64 {
        self.hq.lock().unwrap().ops_pushed
    }
}

#[test]
fn a_days_work_is_one_request_and_the_report_is_exact() {
    let mut world = World::new(&[]);
    world.save(40, 60);
    let report = world.sync().unwrap();
    assert_eq!((report.requests, report.sent_ops, report.level), (1, 40, true));
    assert_eq!(report.verdicts, BTreeMap::from([("accepted".to_owned(), 40)]));
    assert_eq!((report.bytes_up, report.bytes_down), world.hq.lock().unwrap().bytes);
    assert_eq!(report::last(&world.store).unwrap().map(|last| last.report), Some(report));
    let again = world.sync().unwrap();
    assert_eq!((again.requests, again.sent_ops, again.level), (1, 0, true));
    assert_eq!(world.ops_pushed(), 40);
}

#[test]
fn lost_answer_does_not_double_an_op() {
    let mut world = World::new(&[Line::LosesAnswer, Line::LosesAnswer]);
    world.save(3, 60);
    let report = world.sync().unwrap();
    assert_eq!((report.requests, report.sent_ops, report.level), (3, 3, true));
    assert_eq!(world.hq.lock().unwrap().held.values().map(|held| held.0).sum::<u64>(), 3);
}

#[test]
fn a_push_cut_in_the_middle_goes_on_where_hq_stopped() {
    let mut world = World::new(&[Line::BreaksAfter(200_000)]);
    world.save(300, 1_000);
    let report = world.sync().unwrap();
    assert_eq!((report.requests, report.sent_ops, report.level), (3, 300, true));
    // At most one segment, 64 KiB of rows, is sent again.
    assert!(world.ops_pushed() <= 300 + 64, "{}", world.ops_pushed());
    assert!(report.bytes_up < 300 * 1_100 + 2 * 65_536, "{}", report.bytes_up);
}

#[test]
fn a_push_cut_by_the_end_of_the_process_is_asked_for_first_too() {
    let mut world = World::new(&[Line::BreaksAfter(200_000)]);
    world.save(300, 1_000);
    let options = Options { bytes_max: None, retries: 0, wait_ms: 0, ..Options::default() };
    let broken = sync(&mut world.store, &Clock::frozen(NOW.wall), options, &mut |_| {});
    assert!(matches!(broken, Err(SyncError::Transport(TransportError::Unreachable(_)))), "{broken:?}");
    let report = world.sync().unwrap();
    assert_eq!((report.requests, report.sent_ops, report.level), (2, 300, true));
    assert!(world.ops_pushed() <= 300 + 64);
}

#[test]
fn who_is_not_hq_changes_nothing() {
    let mut world = World::new(&[Line::Impostor, Line::Hotel]);
    world.save(2, 60);
    assert!(matches!(world.sync(), Err(SyncError::WrongKey)));
    assert!(matches!(world.sync(), Err(SyncError::Answer(_))));
    assert_eq!(world.store.counts().unwrap().unsent_ops, 2);
    assert!(report::last(&world.store).unwrap().is_none());
    assert!(world.lines.lock().unwrap().is_empty());
}

#[test]
fn pages_are_turned_until_none_is_left() {
    let mut world = World::new(&[]);
    let row = |n: u64| sync_protocol::op::Row {
        kind: crate::store::testing::KIND,
        schema: 1,
        doc: None,
        stamp: sync_protocol::stamp::Stamp { ms: n, counter: 0 },
        seen: Vec::new(),
        forked_from: None,
        writes: Vec::new(),
    };
    let rows: Vec<_> = (1..=600).map(row).collect();
    let run = Run {
        line: (Replica::HQ, Epoch(1)),
        first: 1,
        before: Link::ROOT,
        parent: None,
        test_clock: false,
        rows: &rows,
    };
    let segments = cut(&hq(), &run).unwrap();
    world.hq.lock().unwrap().pages = segments.into_iter().map(Item::Segment).collect();
    let report = world.sync().unwrap();
    assert_eq!((report.requests, report.received_ops, report.level), (3, 600, true));
}

#[test]
fn the_proof_of_the_code_is_sent_until_hq_answers_it() {
    let mut world = World::new(&[Line::LosesAnswer]);
    world.save(1, 60);
    world.hq.lock().unwrap().enrolled = 0;
    world.sync().unwrap();
    assert_eq!(world.hq.lock().unwrap().enrolled, 2);
    assert_ne!(world.store.identity().enrolment.secret, [0; 16]);
    world.hq.lock().unwrap().enrolled = 0;
    world.sync().unwrap();
    world.sync().unwrap();
    assert_eq!(world.hq.lock().unwrap().enrolled, 1);
    assert_eq!(world.store.identity().enrolment.secret, [0; 16]);
    assert_eq!(
        introduction::certificate(&world.store).unwrap().map(|certificate| certificate.branch),
        Some(1)
    );
}

/// A revoked device had sent its note, headquarters came back from a backup without it, and with the device's next note
/// both counted as sent: the first one lay on the device for good, and nobody could decide about it.
#[test]
fn a_device_apart_sends_a_restored_hq_everything_once_more() {
    let mut world = World::new(&[]);
    let request = |world: &World| {
        let behind = standing::sent(&world.store).unwrap();
        let segments = world.store.unsent_behind(&behind, usize::MAX, usize::MAX).unwrap();
        Request { hello: world.store.hello(NOW).unwrap(), enrol: None, asks: Vec::new(), segments }
    };
    let hears = |world: &mut World, history| {
        let request = request(world);
        let mut answer = world.hq.lock().unwrap().answer(Vec::new());
        answer.notices.push(Notice::Revoked);
        answer.ack.incarnation = Incarnation(history);
        let more = standing::note(&mut world.store, &request, &answer).unwrap();
        (request.segments.iter().map(|segment| (segment.first, segment.count)).collect::<Vec<_>>(), more)
    };
    world.save(1, 60);
    assert_eq!(hears(&mut world, 3), (vec![(1, 1)], false));
    world.save(1, 60);
    assert_eq!(hears(&mut world, 4), (vec![(2, 1)], true));
    assert_eq!(hears(&mut world, 4), (vec![(1, 2)], false));
    assert_eq!(hears(&mut world, 4), (vec![], false));
}

/// A device that took part was revoked by a headquarters restored from a backup: with its next note all that the lost one
/// had signed for counted as kept there.
#[test]
fn a_device_revoked_by_a_restored_hq_sends_it_everything_once_more() {
    let mut world = World::new(&[]);
    world.save(2, 60);
    world.sync().unwrap();
    world.save(1, 60);
    let segments = world.store.unsent(usize::MAX, usize::MAX).unwrap();
    assert_eq!(segments.iter().map(|segment| segment.first).collect::<Vec<_>>(), [3]);
    let request = Request { hello: world.store.hello(NOW).unwrap(), enrol: None, asks: Vec::new(), segments };
    let mut answer = world.hq.lock().unwrap().answer(Vec::new());
    answer.notices.push(Notice::Revoked);
    answer.ack.incarnation = Incarnation(4);
    standing::note(&mut world.store, &request, &answer).unwrap();
    assert_eq!(standing::sent(&world.store).unwrap(), BTreeMap::new());
}

/// A restored headquarters had heard of a revocation and not yet of the device's key: it refused the signature of a note,
/// learned the key in the same conversation, and the note counted as sent. It lay on the device for good.
#[test]
fn a_device_apart_sends_again_what_hq_found_no_key_for() {
    let mut world = World::new(&[]);
    let hears = |world: &mut World, notices: &[Notice]| {
        let behind = standing::sent(&world.store).unwrap();
        let segments = world.store.unsent_behind(&behind, usize::MAX, usize::MAX).unwrap();
        let n_sent = segments.len();
        let request =
            Request { hello: world.store.hello(NOW).unwrap(), enrol: None, asks: Vec::new(), segments };
        let mut answer = world.hq.lock().unwrap().answer(Vec::new());
        answer.notices.extend(notices.iter().cloned());
        (n_sent, standing::note(&mut world.store, &request, &answer).unwrap())
    };
    let refused = [Notice::Refused(reason::SIGNATURE), Notice::Revoked];
    world.save(1, 60);
    assert_eq!(hears(&mut world, &refused), (1, true));
    // Refused again it waits for the next sync, and not for ever in this one.
    assert_eq!(hears(&mut world, &refused), (1, false));
    assert_eq!(hears(&mut world, &[Notice::Revoked]), (1, false));
    assert_eq!(hears(&mut world, &[Notice::Revoked]), (0, false));
}

/// A restored HQ does not know the device; the line breaks while it says who it is. It was asked plainly again, refused
/// again, and the person read of a status 401 where only the line was at fault.
#[test]
fn an_introduction_that_the_line_lost_is_said_again() {
    let mut world = World::new(&[]);
    world.save(1, 60);
    world.sync().unwrap();
    let certificate = introduction::certificate(&world.store).unwrap().unwrap();
    introduction::vouched(&mut world.store, &Vouched::sign(&hq(), certificate)).unwrap();
    let fates = [
        TransportError::Status(401),
        TransportError::Unreachable(Fault::Broken),
        TransportError::Unreachable(Fault::TimedOut),
        TransportError::Status(401),
    ];
    let fates = std::cell::RefCell::new(VecDeque::from(fates));
    let lengths = std::cell::RefCell::new(Vec::new());
    let carrier = |body: &[u8]| {
        lengths.borrow_mut().push(body.len());
        Err(fates.borrow_mut().pop_front().expect("no request after HQ has heard it and knows nobody"))
    };
    let options = Options { retries: 3, wait_ms: 0, ..Options::default() };
    let transport = Transport::by(Box::new(carrier));
    let done = sync_by(transport, &mut world.store, &Clock::frozen(NOW.wall), options, &mut |_| {});
    assert!(matches!(done, Err(SyncError::Transport(TransportError::Status(401)))), "{done:?}");
    let lengths = lengths.into_inner();
    assert_eq!(lengths.len(), 4);
    assert!(lengths[1] > lengths[0], "it says who it is: {lengths:?}");
    assert_eq!(lengths[1..3], lengths[2..4], "and says it until HQ has heard it: {lengths:?}");
}

#[test]
fn a_byte_limit_stops_a_sync_that_has_more_to_do() {
    let mut world = World::new(&[]);
    world.save(300, 1_000);
    let options = Options { bytes_max: Some(100_000), retries: 0, wait_ms: 0, ..Options::default() };
    let report = sync(&mut world.store, &Clock::frozen(NOW.wall), options, &mut |_| {}).unwrap();
    assert!(!report.level && report.sent_ops > 0 && report.bytes_up < 200_000, "{report:?}");
    assert!(world.sync().unwrap().level);
}

/// A week's work was one segment of 17,861 bytes, which went whole where 4,000 were allowed.
#[test]
fn a_byte_limit_below_a_segment_cuts_smaller_ones() {
    let mut world = World::new(&[]);
    world.save(200, 1_000);
    let options = Options { bytes_max: Some(4_000), retries: 0, wait_ms: 0, ..Options::default() };
    let mut sent = 0;
    for _ in 0..3 {
        let report = sync(&mut world.store, &Clock::frozen(NOW.wall), options, &mut |_| {}).unwrap();
        assert!(report.sent_ops > 0 && !report.level, "{report:?}");
        assert!((3_000..5_000).contains(&(report.bytes_up + report.bytes_down)), "{report:?}");
        sent += report.sent_ops;
    }
    assert!(world.sync().unwrap().level);
    assert_eq!(world.store.counts().unwrap().unsent_ops, 0, "{sent} in small segments");
}

/// A home into which somebody writes while a request is under way.
struct Shared<'a> {
    world: &'a mut World,
    jobs: u32,
}

impl Lends for Shared<'_> {
    fn lend<T, E: From<StoreError>>(&mut self, job: impl FnOnce(&mut Store) -> Result<T, E>) -> Result<T, E> {
        self.jobs += 1;
        // The way, the beginning and the request come first; this is the answer.
        if self.jobs == 4 {
            self.world.save(2, 60);
        }
        job(&mut self.world.store)
    }
}

#[test]
fn what_is_written_while_a_request_is_under_way_goes_with_the_next_one() {
    let mut world = World::new(&[]);
    world.save(3, 60);
    let options = Options { retries: 0, wait_ms: 0, ..Options::default() };
    let mut shared = Shared { world: &mut world, jobs: 0 };
    let report = sync(&mut shared, &Clock::frozen(NOW.wall), options, &mut |_| {}).unwrap();
    assert_eq!((report.requests, report.level), (2, true), "{report:?}");
    assert_eq!(world.ops_pushed(), 5);
    assert_eq!(world.store.counts().unwrap().unsent_ops, 0);
}
