//! A headquarters in this process: its desk and writer as `serve` has them, and devices of its company.

use std::sync::Arc;
use std::time::Duration;

use fieldbook_hq::clock::Clock;
use fieldbook_hq::data::Data;
use fieldbook_hq::intake::desk::Desk;
use fieldbook_hq::intake::judge::{Author, Case, judge};
use fieldbook_hq::porter::Porter;
use fieldbook_hq::session::{Office, Session};
use fieldbook_hq::store::StoreError;
use fieldbook_hq::writer::Writer;
use sync_protocol::conversation::{Event, Reader};
use sync_protocol::cursor::Feed;
use sync_protocol::limits::inflate_max;
use sync_protocol::merge::Lines;
use sync_protocol::ruling::Verdict;
use tempfile::TempDir;

use crate::cluster::Cluster;
use crate::device::Device;
use crate::people::{Size, people};
use crate::sheets::Sheet;
use crate::watch::Processes;

/// Two branches of a hundred engineers.
const SIZE: Size = Size { devices: 200, branches: 2 };

/// One headquarters.
pub(crate) struct Headquarters {
    /// The database's name.
    pub(crate) name: &'static str,
    /// The engineers'.
    pub(crate) devices: Vec<Device>,
    /// Whose work its work is.
    pub(crate) processes: Processes,
    /// Who writes on each device, as HQ knows him.
    authors: Vec<Author>,
    office: Office,
    data: Data,
    /// What the database took before the first sheet.
    bytes: u64,
    folder: TempDir,
    cluster: Option<Cluster>,
}

impl Headquarters {
    pub(crate) fn on_sqlite() -> Self {
        Self::new("sqlite", None)
    }

    pub(crate) fn on_postgres() -> Self {
        Self::new("postgres", Some(Cluster::durable()))
    }

    /// Makes one beside the program, on the disk that is measured, with a company whose devices said their first words.
    fn new(name: &'static str, cluster: Option<Cluster>) -> Self {
        let program = std::env::current_exe().unwrap();
        let folder =
            tempfile::Builder::new().prefix("intake-").tempdir_in(program.parent().unwrap()).unwrap();
        let data = Data::at(&folder.path().join("hq"));
        match &cluster {
            Some(cluster) => data.init_at_server("http://127.0.0.1:7400", &cluster.database()).unwrap(),
            None => data.init("http://127.0.0.1:7400").unwrap(),
        }
        let mut desk = data.open(false).unwrap();
        let mut devices = people(&mut desk, SIZE);
        devices.truncate(SIZE.devices as usize);
        let processes = Processes { hq: std::process::id(), server: cluster.as_ref().map(Cluster::pid) };
        let signer = Arc::clone(&desk.signer);
        let writer = Writer::start(desk, |error| panic!("{error}")).unwrap();
        let (clock, files, porter) = (Clock::REAL, data.files(), Arc::new(Porter::default()));
        let office = Office { writer, signer, clock, files, porter };
        let mut hq =
            Self { name, devices, processes, authors: Vec::new(), office, data, bytes: 0, folder, cluster };
        hq.devices.iter_mut().for_each(|device| device.introduces_itself(Clock::REAL.now_ms()));
        let answers = (0..hq.devices.len()).map(|device| hq.take(device)).collect();
        hq.hear(answers);
        let read = hq.writer(|desk| desk.store.feed_end(0, Feed::Company));
        hq.devices.iter_mut().for_each(|device| device.has_read(read));
        let names: Vec<_> = hq.devices.iter().map(|device| device.enrolment.replica).collect();
        hq.authors = hq.writer(move |desk| {
            names.into_iter().map(|name| Ok(desk.author(name)?.expect("a device that HQ named"))).collect()
        });
        hq.bytes = database_bytes(&hq.data, &hq.folder);
        hq
    }

    fn writer<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Desk) -> Result<T, StoreError> + Send + 'static,
    ) -> T {
        self.office.writer.run(job).unwrap().unwrap()
    }

    /// Returns this process alone.
    pub(crate) fn alone(&self) -> Processes {
        Processes { server: None, ..self.processes }
    }

    /// Has each device make `n` records on day `day` and its next request of them, unless it has made them already.
    pub(crate) fn work(&mut self, day: u64, n: usize, sheets: &[Sheet]) {
        for device in self.devices.iter_mut().filter(|device| device.request.is_empty()) {
            device.works(day, n, sheets, Clock::REAL.now_ms());
        }
    }

    /// Reads a device's request, checks every signature and the chain, and judges what it brings; keeps nothing.
    pub(crate) fn judge(&self, device: usize) {
        let (device, author) = (&self.devices[device], &self.authors[device]);
        let (key, lines) = (device.signer.public(), Lines::new());
        let mut reader = Reader::new(inflate_max(device.request.len()));
        let mut before = device.link;
        for event in reader.push(&device.request).unwrap() {
            let Event::Push(segment) = event else { continue };
            segment.verify(&key).unwrap();
            let (_, rows) = segment.open(before).unwrap();
            before = segment.link;
            for (id, row) in segment.ids().zip(&rows) {
                let (document, ops, people, scope) = (None, &[], &[], author.branch);
                let case = Case { id, row, author, document, ops, lines: &lines, people, scope };
                assert_eq!(judge(&case), Verdict::Accepted);
            }
        }
        reader.finish(&key).unwrap();
    }

    /// Takes in a device's request as `serve` does, and returns the answer: all of it is on the disk then.
    pub(crate) fn take(&self, device: usize) -> Vec<u8> {
        let request = &self.devices[device].request;
        let mut session = Session::new(self.office.clone(), inflate_max(request.len()));
        session.push_last(request).unwrap();
        session.finish().unwrap()
    }

    /// Has each device check its answer: all that it pushed is there, and nothing is refused.
    pub(crate) fn hear(&mut self, answers: Vec<Vec<u8>>) {
        for (device, answer) in self.devices.iter_mut().zip(answers) {
            device.hears(&answer);
        }
    }

    /// Ends it, and returns what the database grew by for so many sheets of each device.
    pub(crate) fn close(self, sheets: usize) -> serde_json::Value {
        let Self { name, devices, office, data, bytes, folder, cluster, .. } = self;
        drop(office);
        // The writer's thread folds SQLite's log into the database as it ends.
        while folder.path().join("hq/hq.sqlite-wal").exists() {
            std::thread::sleep(Duration::from_millis(10));
        }
        let bytes = database_bytes(&data, &folder).saturating_sub(bytes);
        drop(cluster);
        serde_json::json!({"place": name, "sheets": devices.len() * sheets, "bytes": bytes})
    }
}

fn database_bytes(data: &Data, folder: &TempDir) -> u64 {
    let file = || std::fs::metadata(folder.path().join("hq/hq.sqlite")).unwrap().len();
    let server = data.server().and_then(|_| data.open(false).unwrap().store.server_bytes().unwrap());
    server.unwrap_or_else(file)
}
