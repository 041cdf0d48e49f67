//! A device made by hand: a key, a log, and requests over a real socket.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use records::decision::{DECISION_TAG, Decision};
use records::id::{DocId, Epoch, OpId};
use records::kinds::{repair, staff::Role};
use records::machine::Index;
use records::schema::{Class, Tag};
use records::value::{self, Value};
use sync_protocol::chain::Link;
use sync_protocol::conversation::{Answer, Request, RequestHash, read_answer, write_request};
use sync_protocol::cursor::Cursor;
use sync_protocol::enrolment::{Enrolment, proof};
use sync_protocol::message::{Clocks, Enrol, Head, Hello, VERSIONS};
use sync_protocol::op::{Row, Write as GroupWrite};
use sync_protocol::segment::{Run, Segment, cut};
use sync_protocol::sign::Signer;
use sync_protocol::stamp::Stamp;

/// 2026-11-22 in milliseconds UTC: every clock of these tests stands there.
pub(crate) const NOW_MS: u64 = 1_795_300_000_000;

/// A device and all that it remembers.
pub(crate) struct Device {
    pub(crate) enrolment: Enrolment,
    pub(crate) signer: Signer,
    pub(crate) epoch: Epoch,
    pub(crate) rows: Vec<Row>,
    pub(crate) cursor: Cursor,
    pub(crate) lease: [u8; 8],
    pub(crate) greeted: bool,
    pub(crate) digest: Option<[u8; 16]>,
    stamp: Stamp,
}

impl Device {
    pub(crate) fn scan(code: &str, seed: u8) -> Self {
        Self {
            enrolment: Enrolment::from_code(code).unwrap(),
            signer: Signer::from_seed(&[seed; 32]).unwrap(),
            epoch: Epoch(u32::from(seed)),
            rows: Vec::new(),
            cursor: Cursor::default(),
            lease: [0; 8],
            greeted: false,
            digest: None,
            stamp: Stamp::default(),
        }
    }

    pub(crate) fn op(&self, at: usize) -> OpId {
        OpId { replica: self.enrolment.replica, epoch: self.epoch, seq: at as u64 + 1 }
    }

    /// Writes an op and returns its name.
    pub(crate) fn write(
        &mut self,
        kind: u16,
        doc: Option<DocId>,
        seen: Vec<OpId>,
        writes: Vec<GroupWrite>,
    ) -> OpId {
        self.stamp = self.stamp.next(NOW_MS + self.rows.len() as u64);
        let mut writes = writes;
        writes.sort_by_key(|write| write.tag);
        let row = Row { kind, schema: 1, doc, stamp: self.stamp, seen, forked_from: None, writes };
        self.rows.push(row);
        self.op(self.rows.len() - 1)
    }

    /// Starts a repair sheet.
    pub(crate) fn sheet(&mut self, problem: &str) -> DocId {
        let writes = vec![text(problem)];
        DocId(self.write(repair::REPAIR.number, None, Vec::new(), writes))
    }

    pub(crate) fn hello(&self) -> Hello {
        let heads = match self.segments(0).last() {
            None => Vec::new(),
            Some(last) => vec![Head {
                epoch: self.epoch,
                parent: None,
                seq: last.last(),
                link: last.link.0[..8].try_into().unwrap(),
            }],
        };
        Hello {
            versions: VERSIONS,
            schemas: sync_protocol::tables::Tables::own().hash(),
            replica: self.enrolment.replica,
            lease: self.lease,
            heads,
            cursor: self.cursor.clone(),
            digest: self.digest,
            clocks: Clocks { wall_ms: NOW_MS, monotonic_ms: 5, boot: 1 },
            answer_bytes_max: 0,
        }
    }

    pub(crate) fn enrol(&self) -> Enrol {
        let key = self.signer.public();
        let proof = proof(&self.enrolment.secret, self.enrolment.replica, &key);
        Enrol { key, proof, scanned_ms: NOW_MS, name: "tablet".into() }
    }

    /// The log from op `from` (counted from 0) on, as segments.
    pub(crate) fn segments(&self, from: usize) -> Vec<Segment> {
        let before = self.rows[..from].iter().fold(Link::ROOT, |link, row| link.next(&row.to_bytes()));
        let run = Run {
            line: (self.enrolment.replica, self.epoch),
            first: from as u64 + 1,
            before,
            parent: None,
            test_clock: false,
            rows: &self.rows[from..],
        };
        cut(&self.signer, &run).unwrap()
    }

    pub(crate) fn request(&self, from: usize) -> Request {
        let enrol = (!self.greeted).then(|| self.enrol());
        Request { hello: self.hello(), enrol, asks: Vec::new(), segments: self.segments(from) }
    }

    /// Pushes from op `from` on and takes the answer.
    pub(crate) fn sync(&mut self, hq: SocketAddr, from: usize) -> Answer {
        let body = write_request(&self.request(from), &self.signer);
        let (status, answer) = post(hq, &body);
        assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
        self.take(&body, &answer)
    }

    pub(crate) fn take(&mut self, body: &[u8], answer: &[u8]) -> Answer {
        let hash = RequestHash::of(body);
        let (answer, _) = read_answer(answer, hash, &self.enrolment.hq_key).unwrap();
        let mut next = answer.end.next.clone();
        next.incarnation = answer.ack.incarnation;
        self.cursor.advance(&next);
        self.lease = answer.ack.lease;
        self.greeted = true;
        answer
    }
}

/// A write of the group and field that hold what is broken.
pub(crate) fn text(problem: &str) -> GroupWrite {
    field("problem", Value::Text(problem.into()))
}

/// A write of one field of a repair sheet.
pub(crate) fn field(name: &str, value: Value) -> GroupWrite {
    let (group, at) = repair::REPAIR.field(name).unwrap();
    let mut row = vec![None; group.fields.len()];
    row[at] = Some(value);
    let bytes = match group.class {
        Class::Once | Class::Last | Class::Contested => value::encode(group.fields, &row),
        other => panic!("{other:?} is no single field"),
    };
    GroupWrite { tag: group.tag(), bytes }
}

/// A decision.
pub(crate) fn step(name: &str, role: Role, reason: &str) -> GroupWrite {
    let (step, _): (Index, _) = repair::REPAIR.machine.unwrap().step(name).unwrap();
    let decision =
        Decision { step, role, on_behalf_of: None, to: None, reason: reason.into(), saw: None, picks: None };
    let tag: Tag = DECISION_TAG;
    GroupWrite { tag, bytes: postcard::to_allocvec(&decision).unwrap() }
}

/// Posts a body and returns status and answer.
pub(crate) fn post(hq: SocketAddr, body: &[u8]) -> (u16, Vec<u8>) {
    post_claiming(hq, body.len() as u64, body)
}

/// Posts a body under a length that may be a lie.
pub(crate) fn post_claiming(hq: SocketAddr, length: u64, body: &[u8]) -> (u16, Vec<u8>) {
    let mut stream = TcpStream::connect(hq).unwrap();
    let head = format!(
        "POST /v1/sync HTTP/1.1\r\nHost: hq\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    // The server may have answered and hung up before all was sent.
    let _ = stream.write_all(body);
    if length > body.len() as u64 {
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    if answer.is_empty() {
        return (0, answer);
    }
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let status = String::from_utf8_lossy(&answer[9..12]).parse().unwrap();
    (status, answer[split + 4..].to_vec())
}
