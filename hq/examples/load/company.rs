//! A company made for one run, and a real headquarters that serves it.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use fieldbook_hq::data::Data;
use records::kinds::number;
use sync_protocol::cursor::Feed;

use crate::cluster::Cluster;
use crate::device::Device;
use crate::people::{Size, people};
use crate::watch::Processes;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "PostgreSQL",
        }
    }
}

/// A company whose headquarters serves.
pub(crate) struct Company {
    pub(crate) address: SocketAddr,
    pub(crate) processes: Processes,
    data: Data,
    serving: Child,
    _stdout: BufReader<ChildStdout>,
    _folder: tempfile::TempDir,
    _cluster: Option<Cluster>,
}

impl Company {
    /// Makes a company in a new folder beside the programs, and starts its headquarters. Returns its devices too, none of
    /// which has said a word: the engineers', the supervisors', and last a second one of the first engineer's.
    pub(crate) fn start(engine: Engine, size: Size) -> (Self, Vec<Device>) {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("load-").tempdir_in(&programs).unwrap();
        let hq = folder.path().join("hq");
        let data = Data::at(&hq);
        let cluster = (engine == Engine::Postgres).then(Cluster::durable);
        match &cluster {
            Some(cluster) => data.init_at_server("http://127.0.0.1:7400", &cluster.database()).unwrap(),
            None => data.init("http://127.0.0.1:7400").unwrap(),
        }
        let mut desk = data.open(false).unwrap();
        let devices = people(&mut desk, size);
        drop(desk);
        let (serving, stdout, address) = serve(&programs, &hq);
        let processes = Processes { hq: serving.id(), server: cluster.as_ref().map(Cluster::pid) };
        let company =
            Self { address, processes, data, serving, _stdout: stdout, _folder: folder, _cluster: cluster };
        (company, devices)
    }

    /// Returns where the company's feed ends.
    pub(crate) fn feed_end(&self) -> u64 {
        self.data.open(false).unwrap().store.feed_end(0, Feed::Company).unwrap()
    }

    /// Kills headquarters and looks at what is on its disk: everything that was acknowledged, once, and nothing else.
    /// Returns how many records that is.
    pub(crate) fn killed_has_everything(mut self, devices: &[Device]) -> u64 {
        self.serving.kill().unwrap();
        self.serving.wait().unwrap();
        let desk = self.data.open(false).unwrap();
        let mut acknowledged = 0;
        for device in devices {
            let line = device.line();
            let branch = desk.store.branch_of(line.0).unwrap().expect("a device that HQ named");
            let held = desk.store.line(branch, line).unwrap().map_or((0, 0), |held| (held.last, held.count));
            assert_eq!(held, (device.acknowledged, device.acknowledged), "device {}", device.at);
            acknowledged += device.acknowledged;
        }
        let sheets = [number::REPAIR, number::INSTALL, number::INSPECTION];
        let held: usize = sheets.iter().map(|kind| desk.store.in_state(*kind, &[]).unwrap().len()).sum();
        assert_eq!(held as u64, acknowledged, "each acknowledged record is there once");
        acknowledged
    }
}

/// Returns the folder that this program and `fieldbook-hq` were built into.
fn programs() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    own.ancestors().nth(2).expect("the folder of examples lies in that of the programs").to_path_buf()
}

/// Starts the server with its own settings for everything but the port and the log.
fn serve(programs: &Path, hq: &Path) -> (Child, BufReader<ChildStdout>, SocketAddr) {
    let program = programs.join("fieldbook-hq");
    let mut command = Command::new(&program);
    command.arg("--data").arg(hq).args(["serve", "--listen", "127.0.0.1:0", "--log", "off"]);
    let started = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
    let mut serving = started.unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let mut stdout = BufReader::new(serving.stdout.take().unwrap());
    let mut line = String::new();
    stdout.read_line(&mut line).unwrap();
    let address = line.trim().rsplit('/').next().and_then(|rest| rest.parse().ok());
    (serving, stdout, address.expect("HQ's first line is its address"))
}
