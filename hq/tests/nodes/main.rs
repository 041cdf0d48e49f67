//! Two headquarters' processes in front of one PostgreSQL, and devices that speak to whichever answers.
//!
//! Processes are killed in mid-sync or stand still, and the server is restarted, crashes or is killed; at the end every op
//! is there once, views are what the log makes of them, and whoever reads from the beginning gets everything once.
//!
//! `FIELDBOOK_NODE_SEEDS` says how many seeds are tried.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "../cluster/mod.rs"]
mod cluster;
#[path = "../served/device.rs"]
#[allow(dead_code, reason = "these devices do less than those of the served tests")]
mod device;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use fieldbook_hq::data::Data;
use fieldbook_hq::enrol::Reach;
use sync_protocol::conversation::write_request;
use sync_protocol::message::Item;

use crate::cluster::Cluster;
use crate::device::{Device, NOW_MS, text};

const ORG: &str =
    "code,name,kind,parent\nCO,Company,company,\nB1,East,branch,CO\nC1,Centre 1,service_center,B1\n";
const STAFF: &str = "code,name,unit,roles\nE1,Wang,C1,engineer\nE2,Li,C1,engineer\nE3,Zhao,C1,engineer\n\
                     S1,Chen,C1,supervisor\n";
/// Beyond it a device takes the process for gone and tries the other one.
const PATIENCE: Duration = Duration::from_secs(3);
/// A device that got no answer this often has lost.
const TRIES: u32 = 40;
const ROUNDS: u32 = 12;

/// What happens in the middle of a push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Nothing,
    /// The process that is spoken to is killed.
    ProcessKilled,
    /// It stands still, and goes on later.
    ProcessHalted,
    /// The database server ends its work and is started again.
    ServerRestarted,
    /// It is stopped as by a crash, and goes through its log.
    ServerCrashed,
    /// All of its processes are killed.
    ServerKilled,
}

const FAULTS: [Fault; 6] = [
    Fault::Nothing,
    Fault::ProcessKilled,
    Fault::ProcessHalted,
    Fault::ServerRestarted,
    Fault::ServerCrashed,
    Fault::ServerKilled,
];

/// How many pushes met each fault, and how many of them had no answer.
type Met = BTreeMap<Fault, (u32, u32)>;

struct Node {
    child: Child,
    address: SocketAddr,
}

impl Node {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_fieldbook-hq"))
            .env("FIELDBOOK_TEST_CLOCK", "1")
            .arg("--data")
            .arg(folder)
            .args(["--now", "2026-11-21T22:26:40Z", "serve", "--listen", "127.0.0.1:0", "--log", "off"])
            .args(["--device-rate", "0", "--address-rate", "0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut url = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut url).unwrap();
        let address = url.trim().strip_prefix("http://").expect("an address").parse().unwrap();
        Self { child, address }
    }

    fn signal(&self, name: &str) {
        let sent = Command::new("kill").arg(name).arg(self.child.id().to_string()).status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A device, and how much of its log headquarters has acknowledged.
struct Worker {
    device: Device,
    acknowledged: usize,
}

impl Worker {
    /// Pushes once; false where there was no answer, or none that says yes.
    fn push(&mut self, at: SocketAddr) -> bool {
        let body = write_request(&self.device.request(self.acknowledged), &self.device.signer);
        let Ok((200, answer)) = post(at, &body) else { return false };
        let held = self.device.take(&body, &answer).ack.held;
        self.acknowledged = held.first().map_or(0, |held| usize::try_from(held.up_to).unwrap());
        true
    }

    fn push_anywhere(&mut self, nodes: &[SocketAddr], first: usize) {
        let came = (0..TRIES as usize).any(|n| self.push(nodes[(first + n) % nodes.len()]));
        assert!(came, "nobody answered");
        assert_eq!(self.acknowledged, self.device.rows.len(), "what is here is acknowledged");
    }
}

fn post(to: SocketAddr, body: &[u8]) -> std::io::Result<(u16, Vec<u8>)> {
    let mut stream = TcpStream::connect(to)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    let head = format!(
        "POST /v1/sync HTTP/1.1\r\nHost: hq\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), body].concat())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let broken = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
    let split = answer.windows(4).position(|four| four == b"\r\n\r\n").ok_or_else(broken)?;
    let status = String::from_utf8_lossy(&answer[9..12]).parse().map_err(|_| broken())?;
    Ok((status, answer[split + 4..].to_vec()))
}

/// Numbers that a seed gives, always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }

    fn index(&mut self, end: usize) -> usize {
        usize::try_from(self.below(end as u64)).unwrap()
    }
}

#[test]
fn killed_and_halted_processes_and_a_server_that_restarts_or_crashes_lose_and_double_nothing() {
    let seeds: u64 = std::env::var("FIELDBOOK_NODE_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(2);
    let cluster = Cluster::start();
    let mut all = Met::new();
    for seed in 1..=seeds {
        let met = play(seed, &cluster);
        let cut_off: u32 = met.values().map(|(_, cut_off)| cut_off).sum();
        println!("seed {seed} holds; {cut_off} of {ROUNDS} pushes were cut off");
        for (fault, (pushes, cut_off)) in met {
            let so_far = all.entry(fault).or_default();
            *so_far = (so_far.0 + pushes, so_far.1 + cut_off);
        }
    }
    println!("pushes, and those of them that were cut off: {all:?}");
}

fn play(seed: u64, cluster: &Cluster) -> Met {
    let mut dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let folder = tempfile::tempdir().unwrap();
    let data = Data::at(folder.path());
    data.init_at_server("http://127.0.0.1:7400", &cluster.database()).unwrap();
    let mut workers = enrolled(&data);
    let mut nodes = [Node::start(folder.path()), Node::start(folder.path())];
    let mut met = Met::new();
    for _ in 0..ROUNDS {
        let mut worker = workers.remove(dice.index(workers.len()));
        let sheet = worker.device.sheet("no heating");
        for _ in 0..dice.below(4) {
            worker.device.write(12, Some(sheet), vec![], vec![text("still none")]);
        }
        let (victim, fault) = (dice.index(2), FAULTS[dice.index(FAULTS.len())]);
        let addresses = [nodes[0].address, nodes[1].address];
        let moment = Duration::from_micros(dice.below(60_000));
        std::thread::scope(|scope| {
            let pushing = scope.spawn(|| worker.push(addresses[victim]));
            // Somewhere in its conversation.
            std::thread::sleep(moment);
            match fault {
                Fault::Nothing => {}
                Fault::ProcessKilled => nodes[victim].child.kill().unwrap(),
                Fault::ProcessHalted => nodes[victim].signal("-STOP"),
                Fault::ServerRestarted => cluster.stop(),
                Fault::ServerCrashed => cluster.abort(),
                Fault::ServerKilled => cluster.kill(),
            }
            if matches!(fault, Fault::ServerRestarted | Fault::ServerCrashed | Fault::ServerKilled) {
                cluster.go();
            }
            let (pushes, cut_off) = met.entry(fault).or_default();
            *pushes += 1;
            *cut_off += u32::from(!pushing.join().unwrap());
        });
        worker.push_anywhere(&addresses, victim + 1);
        match fault {
            Fault::ProcessKilled => nodes[victim] = Node::start(folder.path()),
            Fault::ProcessHalted => nodes[victim].signal("-CONT"),
            _ => {}
        }
        workers.push(worker);
    }
    let addresses = [nodes[0].address, nodes[1].address];
    for (at, worker) in workers.iter_mut().enumerate() {
        worker.push_anywhere(&addresses, at);
    }
    let written: BTreeSet<String> = workers
        .iter()
        .flat_map(|worker| (0..worker.device.rows.len()).map(|at| worker.device.op(at).to_string()))
        .collect();
    let read = read_all(&data, &addresses);
    drop(nodes);
    assert_eq!(read.iter().cloned().collect::<BTreeSet<_>>(), written, "seed {seed}");
    assert_eq!(read.len(), written.len(), "seed {seed}: nothing twice");
    let mut desk = data.open(false).unwrap();
    for worker in &workers {
        let device = desk.store.device(worker.device.enrolment.replica).unwrap().unwrap();
        let held = desk.store.line(device.branch, (device.replica, worker.device.epoch)).unwrap();
        let written = worker.device.rows.len() as u64;
        // Whoever the dice never chose wrote nothing.
        let held = held.map_or((0, 0), |held| (held.last, held.count));
        assert_eq!(held, (written, written), "seed {seed}");
        assert!(!device.copied, "seed {seed}: nobody was taken for a copy");
    }
    assert_eq!(desk.transact(|desk| desk.rebuild(false)).unwrap().differed, 0, "seed {seed}");
    met
}

fn enrolled(data: &Data) -> Vec<Worker> {
    let mut desk = data.open(false).unwrap();
    for (kind, file) in [("org", ORG), ("staff", STAFF)] {
        let kind = records::kinds::by_name(kind).unwrap();
        let done = desk.transact(|desk| desk.import(file.as_bytes(), kind, NOW_MS)).unwrap();
        assert!(done.refused.is_empty(), "{:?}", done.refused);
    }
    let mut code = |staff| {
        let reach = Reach { address: "http://127.0.0.1:7400".into(), tls_pin: None };
        desk.transact(|desk| desk.issue_code(staff, &reach, NOW_MS)).unwrap().to_code()
    };
    let staff = [("E1", 1), ("E2", 2), ("E3", 3)];
    staff.map(|(staff, seed)| Worker { device: Device::scan(&code(staff), seed), acknowledged: 0 }).into()
}

/// Everything that a supervisor's new device gets who asks now here, now there.
fn read_all(data: &Data, nodes: &[SocketAddr]) -> Vec<String> {
    let reach = Reach { address: "http://127.0.0.1:7400".into(), tls_pin: None };
    let mut desk = data.open(false).unwrap();
    let code = desk.transact(|desk| desk.issue_code("S1", &reach, NOW_MS)).unwrap().to_code();
    let mut reader = Device::scan(&code, 9);
    let mut read = Vec::new();
    for n in 0..TRIES as usize {
        let answer = reader.sync(nodes[n % nodes.len()], 0);
        for item in &answer.items {
            match item {
                Item::Segment(segment) => read.extend(segment.ids().map(|id| id.to_string())),
                Item::Extract(extract) => {
                    read.extend(extract.open().unwrap().iter().map(|(id, _)| id.to_string()));
                }
                Item::Evict(_) | Item::Newer { .. } => panic!("nothing leaves, nothing is newer"),
            }
        }
        if !answer.end.more {
            break;
        }
    }
    read.retain(|id| !id.starts_with("0."));
    read
}
