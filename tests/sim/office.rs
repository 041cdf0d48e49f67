//! Headquarters in a folder: its real desk and conversations, ended and begun again at will.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, OnceLock};

use fieldbook_hq::bundles::{self, BundleFault, Taken};
use fieldbook_hq::clock::Clock;
use fieldbook_hq::data::{Data, reach};
use fieldbook_hq::intake::desk::Desk;
use fieldbook_hq::session::{Office, Session, SessionError};
use fieldbook_hq::writer::Writer;
use records::kinds::later;
use sync_protocol::enrolment::Enrolment;
use sync_protocol::limits::inflate_max;

use crate::dice;

/// When the company was founded.
pub(crate) const FOUNDED_MS: u64 = 1_790_000_000_000;

/// The tables of the company, each read by its own import, in this order.
const TABLES: [(&str, &str); 4] = [
    (
        "org",
        "code,name,kind,parent\n\
         JL,江澜机电,company,\n\
         HZ,杭州分公司,branch,JL\n\
         NJ,南京分公司,branch,JL\n\
         HZC,杭州客服中心,service_center,HZ\n\
         NJC,南京客服中心,service_center,NJ\n",
    ),
    (
        "staff",
        "code,name,unit,roles\n\
         T101,李雷,HZC,engineer\n\
         T102,赵敏,HZC,engineer\n\
         T201,孙浩,NJC,engineer\n\
         S101,王芳,HZC,supervisor;engineer\n",
    ),
    ("customer", "code,name,kind\nC001,钱塘纺织有限公司,company\n"),
    ("job", "no,type,customer,assignee\nJ1,repair,C001,T101\nJ2,repair,C001,T102\n"),
];

/// Headquarters.
pub(crate) struct Headquarters {
    folder: PathBuf,
    office: Option<Office>,
    /// The end of the writer's thread, so that none of it is left when another begins.
    ended: Option<std::sync::mpsc::Receiver<()>>,
    seed: u64,
    /// Its program is of one version later.
    pub(crate) later: bool,
}

thread_local! {
    /// Dropped with the thread.
    static ALIVE: RefCell<Option<Sender<()>>> = const { RefCell::new(None) };
}

impl Headquarters {
    /// Founds the company in `folder`.
    pub(crate) fn found(folder: &Path, seed: u64) -> Self {
        std::fs::create_dir_all(folder).expect("a folder");
        for (name, bytes) in founded() {
            std::fs::write(folder.join(name), bytes).expect("room on the disk");
        }
        let mut hq = Self { folder: folder.to_owned(), office: None, ended: None, seed, later: false };
        hq.begin();
        hq
    }

    /// Ends it as a kill does and begins it again.
    pub(crate) fn restart(&mut self) {
        self.end();
        self.begin();
    }

    fn end(&mut self) {
        self.office = None;
        if let Some(ended) = self.ended.take() {
            // Nothing is ever sent: it ends when the thread does.
            let _ = ended.recv();
        }
    }

    /// Ends it and begins it again as one of a later version.
    pub(crate) fn upgrade(&mut self) {
        self.end();
        self.later = true;
        self.begin();
    }

    /// Does what its program does in the thread of whoever asks: this thread then knows what that program knows.
    fn knowing<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = later::set(self.later);
        let done = work();
        later::set(before);
        done
    }

    fn begin(&mut self) {
        self.seed = self.seed.wrapping_add(0x1000);
        let open = || Data::at(&self.folder).open(false).expect("a whole headquarters");
        let desk = self.knowing(open);
        let (signer, files) = (Arc::clone(&desk.signer), desk.files.clone());
        let writer = Writer::start(desk, |error| panic!("{error}")).expect("a thread");
        let (alive, ended) = channel();
        let (seed, later) = (self.seed, self.later);
        self.office = Some(Office {
            writer,
            signer,
            clock: Clock::set(FOUNDED_MS, false),
            files,
            porter: Arc::default(),
        });
        self.ended = Some(ended);
        self.run(move |_| {
            dice::begin(seed);
            later::set(later);
            ALIVE.set(Some(alive));
        });
    }

    fn office(&self, now_ms: u64) -> Office {
        let office = self.office.clone().expect("an open headquarters");
        Office { clock: Clock::set(now_ms, false), ..office }
    }

    /// Does something at the desk, in a transaction of its own.
    pub(crate) fn run<T: Send + 'static>(&self, job: impl FnOnce(&mut Desk) -> T + Send + 'static) -> T {
        let done = self.office(0).writer.run(|desk| Ok::<T, ()>(job(desk)));
        done.expect("a commit").expect("a job that is done")
    }

    /// Writes everything into one file.
    pub(crate) fn back_up(&self, to: &Path) {
        Data::at(&self.folder).back_up(to).expect("a backup");
    }

    /// Loses everything and begins again from a backup, in a new folder.
    pub(crate) fn restore(&mut self, from: &Path, now_ms: u64) {
        self.end();
        std::fs::remove_dir_all(&self.folder).expect("a folder of the simulator");
        let restore = || Data::at(&self.folder).restore(from, now_ms).expect("a headquarters made again");
        self.knowing(restore);
        self.begin();
    }

    /// Imports a table as the office does.
    pub(crate) fn import(&self, kind: &'static str, table: &str, now_ms: u64) {
        let table = table.to_owned();
        let refused = self.run(move |desk| {
            let kind = records::kinds::by_name(kind).expect("a kind of the tables");
            desk.import(table.as_bytes(), kind, now_ms).expect("a table that is taken").refused
        });
        assert!(refused.is_empty(), "{refused:?}");
    }

    /// Returns a new code for a device of somebody's.
    pub(crate) fn code(&self, staff: &'static str, now_ms: u64) -> Enrolment {
        self.run(move |desk| {
            let reach = reach(&desk.store, None).expect("an address");
            desk.issue_code(staff, &reach, now_ms).expect("a code")
        })
    }

    /// Reads a bundle and writes its receipt.
    pub(crate) fn reads(&self, file: &Path, receipt: &Path, now_ms: u64) -> Result<Taken, BundleFault> {
        self.knowing(|| bundles::read(&self.office(now_ms), file, receipt))
    }

    /// Hears a request in pieces; `None` where it breaks off before its end.
    pub(crate) fn hears(
        &self,
        body: &[u8],
        cuts: &[usize],
        whole: bool,
        now_ms: u64,
    ) -> Result<Option<Vec<u8>>, SessionError> {
        self.knowing(|| {
            let mut session = Session::new(self.office(now_ms), inflate_max(body.len()));
            let mut from = 0;
            for to in cuts {
                session.push(&body[from..*to])?;
                from = *to;
            }
            if whole {
                session.push_last(&body[from..])?;
                return session.finish().map(Some);
            }
            session.push(&body[from..])?;
            Ok(None)
        })
    }
}

impl Drop for Headquarters {
    fn drop(&mut self) {
        self.end();
    }
}

/// Returns the files of a founded company: made once, the same for every seed.
fn founded() -> &'static BTreeMap<String, Vec<u8>> {
    static FILES: OnceLock<BTreeMap<String, Vec<u8>>> = OnceLock::new();
    FILES.get_or_init(|| {
        dice::begin(1);
        let folder = crate::memory::folder();
        let data = Data::at(folder.path());
        data.init("http://127.0.0.1:7400").expect("a new headquarters");
        let mut desk = data.open(false).expect("a whole headquarters");
        for (kind, table) in TABLES {
            let kind = records::kinds::by_name(kind).expect("a kind of the tables");
            let done = desk.transact(|desk| desk.import(table.as_bytes(), kind, FOUNDED_MS));
            let done = done.expect("a table that is taken");
            assert!(done.refused.is_empty(), "{done:?}");
        }
        drop(desk);
        let files = std::fs::read_dir(folder.path()).expect("a folder").flatten();
        let read = |file: std::fs::DirEntry| {
            let bytes = std::fs::read(file.path()).expect("a file");
            (file.file_name().to_string_lossy().into_owned(), bytes)
        };
        files.map(read).collect()
    })
}
