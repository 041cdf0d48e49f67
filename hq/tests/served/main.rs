//! A headquarters on a real socket, and devices made by hand.
//!
//! With `FIELDBOOK_TEST_ENGINE=postgres` it keeps its records in PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

#[path = "../cluster/mod.rs"]
mod cluster;
mod device;
mod hostile;
mod limits;
mod scopes;
mod sync;
mod versions;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use fieldbook_hq::cli::answer::Lang;
use fieldbook_hq::clock::Clock;
use fieldbook_hq::data::Data;
use fieldbook_hq::enrol::Reach;
use fieldbook_hq::intake::desk::Desk;
use fieldbook_hq::porter::{Limits, Porter};
use fieldbook_hq::server;
use fieldbook_hq::session::Office;
use fieldbook_hq::web::console::Console;
use fieldbook_hq::writer::Writer;

use crate::device::NOW_MS;

const ORG: &str = "code,name,kind,parent\nCO,Company,company,\nB1,East,branch,CO\nC1,Centre 1,service_center,B1\n\
                   B2,West,branch,CO\nC2,Centre 2,service_center,B2\n";
const STAFF: &str = "code,name,unit,roles\nE1,Wang,C1,engineer\nE2,Li,C1,engineer\nE3,Zhao,C2,engineer\n\
                     S1,Chen,C1,supervisor\nS2,Sun,C2,supervisor\n";

/// A headquarters with two branches, listening.
pub(crate) struct Hq {
    folder: tempfile::TempDir,
    pub(crate) address: SocketAddr,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    serving: Option<std::thread::JoinHandle<()>>,
    console: Arc<Console>,
}

impl Hq {
    pub(crate) fn start() -> Self {
        Self::start_with(Limits::default())
    }

    /// The same with these limits.
    pub(crate) fn start_with(limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::at(folder.path());
        match at_server() {
            true => {
                data.init_at_server("http://127.0.0.1:7400", &cluster::Cluster::shared().database()).unwrap()
            }
            false => data.init("http://127.0.0.1:7400").unwrap(),
        }
        let mut desk = data.open(false).unwrap();
        for (kind, file) in [("org", ORG), ("staff", STAFF)] {
            let kind = records::kinds::by_name(kind).unwrap();
            let done = desk.transact(|desk| desk.import(file.as_bytes(), kind, NOW_MS)).unwrap();
            assert!(done.refused.is_empty(), "{:?}", done.refused);
        }
        drop(desk);
        let (address, stop, serving, console) = serve(folder.path(), limits);
        Self { folder, address, stop: Some(stop), serving: Some(serving), console }
    }

    /// A second program at the same data.
    pub(crate) fn desk(&self) -> Desk {
        Data::at(self.folder.path()).open(false).unwrap()
    }

    /// What the conversations of a second program share.
    pub(crate) fn office(&self) -> Office {
        office(self.folder.path(), Limits::default())
    }

    /// The last op of a device's line that is on the disk; 0 for none.
    pub(crate) fn holds(&self, device: &device::Device) -> u64 {
        let line = (device.enrolment.replica, device.epoch);
        let desk = self.desk();
        let branch = desk.store.branch_of(line.0).unwrap().unwrap();
        desk.store.line(branch, line).unwrap().map_or(0, |held| held.last)
    }

    /// Takes in a table that the office changed.
    pub(crate) fn import(&self, kind: &str, table: &str) {
        let kind = records::kinds::by_name(kind).unwrap();
        let done = self.desk().transact(|desk| desk.import(table.as_bytes(), kind, NOW_MS)).unwrap();
        assert!(done.refused.is_empty(), "{:?}", done.refused);
    }

    /// What is measured.
    pub(crate) fn metrics(&self) -> String {
        fieldbook_hq::server::watch::text(&self.console).unwrap()
    }

    /// Takes a table away, so that no write is taken any more.
    pub(crate) fn spoil(&self) {
        if let Some(url) = Data::at(self.folder.path()).server() {
            let mut database = postgres::Client::connect(&url, postgres::NoTls).unwrap();
            return database.batch_execute("DROP TABLE settings").unwrap();
        }
        let database = rusqlite::Connection::open(self.folder.path().join("hq.sqlite")).unwrap();
        database.execute_batch("DROP TABLE settings").unwrap();
    }

    /// Turns what one table holds into bytes that nobody wrote.
    pub(crate) fn damage(&self, table: &str, column: &str) {
        if let Some(url) = Data::at(self.folder.path()).server() {
            let mut database = postgres::Client::connect(&url, postgres::NoTls).unwrap();
            return database.batch_execute(&format!("UPDATE {table} SET {column} = '\\xff'")).unwrap();
        }
        let database = rusqlite::Connection::open(self.folder.path().join("hq.sqlite")).unwrap();
        database.execute_batch(&format!("UPDATE {table} SET {column} = x'ff'")).unwrap();
    }

    /// A new device's code.
    pub(crate) fn code(&self, staff: &str) -> String {
        let reach = Reach { address: "http://127.0.0.1:7400".into(), tls_pin: None };
        let mut desk = self.desk();
        desk.transact(|desk| desk.issue_code(staff, &reach, NOW_MS)).unwrap().to_code()
    }
}

fn at_server() -> bool {
    std::env::var("FIELDBOOK_TEST_ENGINE").is_ok_and(|engine| engine == "postgres")
}

impl Drop for Hq {
    fn drop(&mut self) {
        if let (Some(stop), Some(serving)) = (self.stop.take(), self.serving.take()) {
            stop.send(()).unwrap();
            serving.join().unwrap();
        }
    }
}

fn office(folder: &Path, limits: Limits) -> Office {
    let desk = Data::at(folder).open(false).unwrap();
    let signer = Arc::clone(&desk.signer);
    let writer = Writer::start(desk, |error| panic!("{error}")).unwrap();
    let (clock, files) = (Clock::set(NOW_MS, false), Data::at(folder).files());
    Office { writer, signer, clock, files, porter: Arc::new(Porter::new(limits)) }
}

fn serve(
    folder: &Path,
    limits: Limits,
) -> (SocketAddr, tokio::sync::oneshot::Sender<()>, std::thread::JoinHandle<()>, Arc<Console>) {
    let office = office(folder, limits);
    let console = Console::new(office, Data::at(folder), false, false, Lang::chosen(Some("en")), Vec::new());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    let held = Arc::clone(&console);
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let serving = std::thread::spawn(move || {
        let stopped = async { drop(stopped.await) };
        runtime.block_on(server::serve(listener, None, console, stopped)).unwrap();
    });
    (address, stop, serving, held)
}
