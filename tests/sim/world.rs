//! One run: a company, its devices, and what a seed lets happen to them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::path::PathBuf;

use fieldbook::notebook::refusal::NotebookError;
use fieldbook::store::error::StoreError;
use fieldbook::sync::report::SyncReport;
use fieldbook::sync::{self, Options, SyncError};
use fieldbook::transport::TransportError;
use fieldbook_hq::store::devices::Standing;
use records::id::{DocId, OpId};
use sync_protocol::message::Notice;

use crate::carried::Carried;
use crate::device::Device;
use crate::dice::{self, Dice};
use crate::line::{FAIR, Line, Luck, Weather};
use crate::office::{FOUNDED_MS, Headquarters};
use crate::said::{Attached, Said};
use crate::work::{self, DEEDS, Deed};

/// The time that devices lived through, added over them all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lived {
    /// With something happening at least every hour.
    pub(crate) worked_ms: u64,
    /// In leaps of two weeks in which nothing happens.
    pub(crate) silent_ms: u64,
}

/// A day.
pub(crate) const DAY_MS: u64 = 24 * 3_600_000;

/// The whole of a run.
pub(crate) struct World {
    pub(crate) hq: RefCell<Headquarters>,
    pub(crate) devices: Vec<Device>,
    pub(crate) said: Vec<Said>,
    pub(crate) files: Vec<Attached>,
    pub(crate) now_ms: u64,
    /// What happened, a line each.
    pub(crate) story: Vec<String>,
    pub(crate) lived: Lived,
    /// How often each thing was done.
    pub(crate) tally: BTreeMap<String, u64>,
    pub(crate) dice: Dice,
    pub(crate) carried: Carried,
    late: RefCell<Vec<Vec<u8>>>,
    weather: Weather,
    pub(crate) records: Vec<(DocId, &'static str)>,
    /// Those of them with all that a seal asks for.
    ready: Vec<(DocId, &'static str)>,
    sealed: Vec<(DocId, &'static str)>,
    marks: u32,
    backed_up: bool,
    restored: bool,
    /// What the last backup holds.
    pub(crate) in_backup: BTreeMap<OpId, [u8; 8]>,
    /// Some clock did not run with the others, so that two weeks may be over for it.
    pub(crate) clocks_jumped: bool,
    pub(crate) folder: tempfile::TempDir,
}

/// What may happen next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Work,
    Sync,
    ThinSync,
    LateRequest,
    Kill,
    Checkpoint,
    PowerCut,
    Reboot,
    Clone,
    Die,
    ClockWrong,
    ClockRight,
    Restart,
    Revoke,
    NewDevice,
    Rebuild,
    SaveHome,
    PutBack,
    BackUp,
    RestoreHq,
    Reassign,
    Roles,
    WriteBundle,
    ReadBundle,
    ReadReceipt,
    TakeAlong,
    HandOver,
    TakeOver,
    DiskFull,
    Weeks,
    Upgrade,
    UpgradeHq,
}

const EVENTS: [Event; 32] = [
    Event::Work,
    Event::Sync,
    Event::ThinSync,
    Event::LateRequest,
    Event::Kill,
    Event::Checkpoint,
    Event::PowerCut,
    Event::Reboot,
    Event::Clone,
    Event::Die,
    Event::ClockWrong,
    Event::ClockRight,
    Event::Restart,
    Event::Revoke,
    Event::NewDevice,
    Event::Rebuild,
    Event::SaveHome,
    Event::PutBack,
    Event::BackUp,
    Event::RestoreHq,
    Event::Reassign,
    Event::Roles,
    Event::WriteBundle,
    Event::ReadBundle,
    Event::ReadReceipt,
    Event::TakeAlong,
    Event::HandOver,
    Event::TakeOver,
    Event::DiskFull,
    Event::Weeks,
    Event::Upgrade,
    Event::UpgradeHq,
];

/// How often each event happens in a run where it happens at all, and how many of a hundred runs know it.
fn frequency(event: Event) -> (usize, usize) {
    match event {
        Event::Work => (60, 100),
        Event::Sync => (16, 100),
        Event::ThinSync => (3, 40),
        Event::LateRequest => (6, 100),
        Event::Kill => (3, 50),
        Event::Checkpoint => (4, 40),
        Event::PowerCut => (3, 40),
        Event::Reboot => (2, 50),
        Event::Clone => (1, 25),
        Event::Die => (1, 15),
        Event::ClockWrong => (2, 35),
        Event::ClockRight => (2, 35),
        Event::Restart => (2, 50),
        Event::Revoke => (1, 10),
        Event::NewDevice => (1, 30),
        Event::Rebuild => (1, 15),
        Event::SaveHome => (3, 30),
        Event::PutBack => (1, 30),
        Event::BackUp => (3, 30),
        Event::RestoreHq => (1, 30),
        Event::Reassign => (2, 30),
        Event::Roles => (2, 30),
        Event::WriteBundle => (3, 25),
        Event::ReadBundle => (4, 50),
        Event::ReadReceipt => (4, 50),
        Event::TakeAlong => (6, 100),
        Event::HandOver => (8, 40),
        Event::TakeOver => (6, 100),
        Event::DiskFull => (2, 25),
        Event::Weeks => (1, 25),
        Event::Upgrade => (4, 50),
        Event::UpgradeHq => (1, 25),
    }
}

/// Whom the office gives other roles or another place.
const ROLES: [&str; 6] = [
    "T102,HZC,supervisor;engineer",
    "T102,HZC,engineer",
    "S101,HZC,engineer",
    "S101,HZC,supervisor;engineer",
    "T101,NJC,engineer",
    "T101,HZC,engineer",
];

impl World {
    /// Founds the company and hands out its first devices.
    pub(crate) fn of(seed: u64) -> Self {
        let folder = crate::memory::folder();
        let mut dice = Dice::of(seed);
        let hq = Headquarters::found(&folder.path().join("hq"), dice.any());
        dice::begin(dice.any());
        let weather = weather(&mut dice);
        let mut world = Self {
            hq: RefCell::new(hq),
            devices: Vec::new(),
            said: Vec::new(),
            files: Vec::new(),
            now_ms: FOUNDED_MS + 60_000,
            story: Vec::new(),
            lived: Lived::default(),
            tally: BTreeMap::new(),
            dice,
            carried: Carried::default(),
            late: RefCell::default(),
            weather,
            records: Vec::new(),
            ready: Vec::new(),
            sealed: Vec::new(),
            marks: 0,
            backed_up: false,
            restored: false,
            in_backup: BTreeMap::new(),
            clocks_jumped: false,
            folder,
        };
        fieldbook::simulated::set_free_bytes(None);
        let file_bytes = 500 + world.dice.any() % 8000;
        fieldbook::simulated::set_journal_file_bytes(world.dice.chance(50).then_some(file_bytes));
        let n_more = world.dice.below(3);
        for staff in ["T101", "S101"].into_iter().chain(["T101", "T102", "T201"].into_iter().take(n_more)) {
            world.hand_out(staff);
        }
        world
    }

    /// Lets things happen, then lets everything calm down.
    pub(crate) fn run(&mut self) {
        let known: Vec<(usize, Event)> = EVENTS
            .iter()
            .map(|event| (frequency(*event), *event))
            .filter(|((_, runs), _)| self.dice.chance(*runs))
            .map(|((weight, _), event)| (weight, event))
            .collect();
        for _ in 0..15 + self.dice.below(60) {
            let ms = self.dice.any() % 3_600_000;
            self.lived.worked_ms += self.pass(ms);
            if let Some(event) = self.dice.weighed(&known) {
                self.happen(event);
            }
        }
        self.calm();
    }

    pub(crate) fn count(&mut self, what: impl std::fmt::Debug) {
        *self.tally.entry(format!("{what:?}")).or_default() += 1;
    }

    pub(crate) fn tell(&mut self, what: String) {
        self.story.push(what);
    }

    fn happen(&mut self, event: Event) {
        let Some(at) = self.any_device() else { return };
        let now_ms = self.now_ms;
        self.count(event);
        if !matches!(event, Event::Work | Event::Sync | Event::ThinSync) {
            self.tell(format!("{event:?} {at}"));
        }
        fieldbook::simulated::set_free_bytes(self.devices[at].free_bytes);
        match event {
            Event::Work => self.work(at),
            Event::Sync => drop(self.sync(at, Some(self.weather), None)),
            Event::ThinSync => {
                let bytes_max = 200 + self.dice.any() % 4000;
                drop(self.sync(at, Some(self.weather), Some(bytes_max)));
            }
            Event::LateRequest => self.late_request(),
            Event::Kill => self.devices[at].kill(),
            Event::Checkpoint => self.devices[at].checkpoint(),
            Event::PowerCut => self.devices[at].cut_power(now_ms),
            Event::Reboot => self.devices[at].reboot(now_ms),
            Event::Clone => {
                if self.devices.len() < 6 {
                    let mut copy = self.devices[at].copy(self.new_home());
                    copy.open(now_ms);
                    self.devices.push(copy);
                }
            }
            Event::Die => self.die(at),
            Event::ClockWrong => {
                self.clocks_jumped = true;
                const YEAR_MS: i64 = 365 * 24 * 3_600_000;
                let wrong = [-20 * YEAR_MS, 3 * YEAR_MS, -3_600_000, 3_600_000, 15 * 60_000];
                self.devices[at].ahead_ms = wrong[self.dice.below(wrong.len())];
            }
            Event::ClockRight => self.devices[at].ahead_ms = 0,
            Event::Restart => self.hq.borrow_mut().restart(),
            Event::Revoke => self.revoke(at),
            Event::NewDevice => {
                if self.devices.len() < 6 {
                    let staff = ["T101", "T102", "T201", "S101"][self.dice.below(4)];
                    self.hand_out(staff);
                }
            }
            Event::SaveHome => self.devices[at].save_home(),
            Event::PutBack => {
                let (same_folder, reboot) = (self.dice.chance(50), self.dice.chance(70));
                if self.devices[at].put_back(same_folder) {
                    if reboot {
                        self.devices[at].reboot(now_ms);
                    }
                    self.forgive();
                }
            }
            Event::BackUp => {
                self.hq.borrow().back_up(&self.backup());
                self.backed_up = true;
                self.in_backup = self.hq.borrow().run(crate::checks::links);
            }
            Event::RestoreHq => self.restore_hq(),
            Event::Reassign => {
                let to = ["T101", "T102", "T201"][self.dice.below(3)];
                let job = ["J1", "J2"][self.dice.below(2)];
                self.hq.borrow().import("job", &format!("no,type,assignee\n{job},repair,{to}\n"), now_ms);
            }
            Event::Roles => {
                let row = ROLES[self.dice.below(ROLES.len())];
                self.hq.borrow().import("staff", &format!("code,unit,roles\n{row}\n"), now_ms);
            }
            Event::WriteBundle => self.write_bundle(at),
            Event::ReadBundle => self.read_bundle(),
            Event::ReadReceipt => self.read_receipt(at),
            Event::TakeAlong => self.take_along(at),
            Event::HandOver => self.hand_over(at),
            Event::TakeOver => self.take_over(),
            Event::DiskFull => {
                // Less than a save asks for, less than a sync, or nothing at all.
                let full = [6 << 20, 900 << 10, 0][self.dice.below(3)];
                self.devices[at].free_bytes = (self.devices[at].free_bytes.is_none()).then_some(full);
            }
            Event::Upgrade => self.devices[at].upgrade(),
            Event::UpgradeHq => self.hq.borrow_mut().upgrade(),
            Event::Weeks => {
                self.clocks_jumped = true;
                self.lived.silent_ms += self.pass(15 * DAY_MS);
            }
            Event::Rebuild => {
                let now = self.devices[at].now(now_ms);
                self.devices[at].store = None;
                self.devices[at].moved_on();
                self.devices[at].takes_over();
                fieldbook::store::Store::rebuild(&self.devices[at].home, now).expect("a home to rebuild");
            }
        }
        if !self.devices[at].dead {
            self.devices[at].open(now_ms);
        }
        fieldbook::simulated::set_free_bytes(None);
    }

    /// Lets time pass for everybody, and returns it times the devices that live through it.
    fn pass(&mut self, ms: u64) -> u64 {
        self.now_ms += ms;
        self.devices.iter().filter(|device| !device.dead).map(|_| ms).sum()
    }

    fn any_device(&mut self) -> Option<usize> {
        let alive: Vec<usize> = (0..self.devices.len()).filter(|at| !self.devices[*at].dead).collect();
        let at = self.dice.below(alive.len());
        alive.get(at).copied()
    }

    fn backup(&self) -> PathBuf {
        self.folder.path().join("backup")
    }

    /// Headquarters is lost and comes back from its last backup.
    fn restore_hq(&mut self) {
        if !self.backed_up {
            return;
        }
        self.restored = true;
        self.hq.borrow_mut().restore(&self.backup(), self.now_ms);
        self.forgive();
        for device in &mut self.devices {
            let replica = device.replica;
            let known = self.hq.borrow().run(move |desk| desk.store.device(replica).expect("a row"));
            // Who was told to stay out after the backup is not known to be.
            device.revoked &= known.is_none_or(|known| !known.standing.takes_part());
        }
    }

    fn new_home(&self) -> PathBuf {
        self.folder.path().join(format!("home{}", self.devices.len()))
    }

    fn hand_out(&mut self, staff: &'static str) {
        fieldbook::simulated::set_free_bytes(None);
        let code = self.hq.borrow().code(staff, self.now_ms);
        // Whoever gets a device late may get a later program with it.
        let later = self.devices.iter().any(|device| device.later) && self.dice.chance(50);
        let device = Device::enrol(self.new_home(), staff, &code, later, self.now_ms);
        self.tell(format!("device {} of {staff} is {}", self.devices.len(), device.replica.0));
        self.devices.push(device);
    }

    fn work(&mut self, at: usize) {
        let Some(drawn) = self.dice.weighed(&DEEDS) else { return };
        let deed = if self.devices[at].later { drawn } else { work::today(drawn) };
        let staff = self.devices[at].staff;
        let of = match deed {
            Deed::Seal => &self.ready,
            Deed::Accept | Deed::Return | Deed::Amend => &self.sealed,
            _ => &self.records,
        };
        let near = of.iter().filter(|(_, owner)| *owner == staff || staff == "S101" && deed != Deed::Seal);
        let near: Vec<(DocId, &str)> = near.copied().collect();
        let store = self.devices[at].store();
        let here = |(id, _): &&(DocId, &str)| store.entry(*id).expect("an entry").is_some();
        // The latest, so that people meet on the same ones.
        let near: Vec<(DocId, &str)> = near.iter().rev().filter(here).take(6).copied().collect();
        let chosen = near.get(self.dice.below(near.len())).copied();
        let record = chosen.map(|(id, _)| id.to_string()).unwrap_or_default();
        self.hear_written_again(at);
        self.marks += 1;
        let (number, now) = (self.marks, self.devices[at].now(self.now_ms));
        let mark = work::mark(number);
        let done = work::act(deed, self.devices[at].store(), &record, &mark, &mut self.dice, now);
        match done {
            Ok(made) => {
                let made = made.map(|id| (id, staff));
                self.records.extend(made);
                match deed {
                    Deed::ReadySheet | Deed::JobSheet | Deed::Amend => self.ready.extend(made),
                    Deed::Seal => self.sealed.extend(chosen),
                    _ => {}
                }
                self.count(deed);
                self.hear_saved(at, number, deed, &record);
            }
            Err(NotebookError::Refused(refusal)) => self.count((deed, refusal.rule)),
            Err(NotebookError::Store(StoreError::NoSpace { .. })) if self.is_full(at) => {}
            Err(error) => panic!("device {at}, {deed:?} on {record:?}: {error}"),
        }
    }

    /// Syncs a device; `None` where it broke off.
    pub(crate) fn sync(
        &mut self,
        at: usize,
        weather: Option<Weather>,
        bytes_max: Option<u64>,
    ) -> Option<SyncReport> {
        let weather = weather.unwrap_or(FAIR);
        let device = &mut self.devices[at];
        let clock = fieldbook::clock::Clock::at(device.now(self.now_ms));
        let line = Line {
            hq: &self.hq,
            dice: RefCell::new(&mut self.dice),
            weather: &weather,
            late: &self.late,
            now_ms: self.now_ms,
            met: RefCell::default(),
            broke: Cell::new(false),
        };
        let options = Options { bytes_max, retries: 2, wait_ms: 0, ..Options::default() };
        let transport = fieldbook::transport::Transport::by(line.carrier());
        let done = sync::sync_by(transport, device.store(), &clock, options, &mut |_| {});
        let (met, broke) = (line.met.take(), line.broke.get());
        device.moved_on();
        self.hear_written_again(at);
        for (luck, _) in &met {
            self.count(luck);
        }
        match done {
            Ok(report) => {
                self.check_trim(at);
                self.hear_receipts(&report.receipts);
                self.tell(format!(
                    "{at} syncs {met:?}: sent {}, received {}, level {}, digest {:?}, {:?}",
                    report.sent_ops, report.received_ops, report.level, report.digest_equal, report.notices
                ));
                Some(report)
            }
            Err(error) => {
                self.tell(format!("{at} syncs {met:?}: {error}"));
                let foreseen = self.is_foreseen(at, &error, broke);
                let line = if broke { "a broken line" } else { "a fair line" };
                assert!(foreseen, "device {at} on {line}: {error}");
                None
            }
        }
    }

    /// Returns whether a sync may fail so.
    fn is_foreseen(&self, at: usize, error: &SyncError, broke: bool) -> bool {
        match error {
            SyncError::Transport(TransportError::Unreachable(_))
            | SyncError::Answer(_)
            | SyncError::WrongKey => broke,
            SyncError::Transport(TransportError::Status(401 | 403)) => self.is_forgotten(at),
            SyncError::Store(StoreError::NoSpace { .. }) => self.is_full(at),
            SyncError::Transport(_) | SyncError::Store(_) => false,
        }
    }

    /// Returns whether headquarters came from a backup that knows no key and no code of the device: nobody has yet shown
    /// it what it wrote of it since, or it never heard from the device.
    fn is_forgotten(&self, at: usize) -> bool {
        let replica = self.devices[at].replica;
        let known = self.hq.borrow().run(move |desk| desk.store.device(replica).expect("a row"));
        self.restored && known.is_none_or(|known| known.key.is_none() && known.secret.is_none())
    }

    pub(crate) fn is_full(&self, at: usize) -> bool {
        self.devices[at].free_bytes.is_some()
    }

    /// A request that was held up arrives; nobody waits for its answer.
    fn late_request(&mut self) {
        let n_late = self.late.borrow().len();
        if n_late > 0 {
            let body = self.late.borrow_mut().remove(self.dice.below(n_late));
            let _ = self.hq.borrow().hears(&body, &[], true, self.now_ms);
        }
    }

    /// A device is lost with all that was on it alone.
    fn die(&mut self, at: usize) {
        if self.devices.iter().filter(|device| !device.dead).count() < 2 {
            return;
        }
        self.devices[at].store = None;
        self.devices[at].dead = true;
        self.forgive();
    }

    fn revoke(&mut self, at: usize) {
        let (replica, now_ms) = (self.devices[at].replica, self.now_ms);
        self.hq.borrow().run(move |desk| {
            let mut device = desk.store.device(replica).expect("a row").expect("a device");
            if device.standing.takes_part() {
                desk.stand(&mut device, ("revoke", ""), Standing::Revoked, now_ms).expect("a step");
            }
        });
        for device in self.devices.iter_mut().filter(|device| device.replica == replica) {
            device.revoked = true;
        }
        self.forgive();
    }

    /// A revocation that a restored headquarters had forgotten comes back to it with what devices show it.
    fn hear_revocation(&mut self, at: usize) {
        let replica = self.devices[at].replica;
        let known = self.hq.borrow().run(move |desk| desk.store.device(replica).expect("a row"));
        self.devices[at].revoked |= self.restored && known.is_some_and(|known| !known.standing.takes_part());
    }

    /// Ends every fault and syncs until nothing moves any more.
    pub(crate) fn calm(&mut self) {
        self.tell("calm".to_owned());
        while !self.late.borrow().is_empty() {
            self.late_request();
        }
        // What the earlier programs only kept is read by the later ones.
        if self.hq.borrow().later || self.devices.iter().any(|device| device.later) {
            self.hq.borrow_mut().upgrade();
            self.devices.iter_mut().filter(|device| !device.dead).for_each(Device::upgrade);
        }
        let mut n_quiet = 0;
        for round in 0..10 {
            let mut quiet = true;
            for at in 0..self.devices.len() {
                if self.devices[at].dead || self.devices[at].stranded {
                    continue;
                }
                self.lived.worked_ms += self.pass(1000);
                self.devices[at].free_bytes = None;
                self.devices[at].open(self.now_ms);
                let Some(report) = self.sync(at, None, None) else {
                    quiet = false;
                    // One that heard headquarters once can show whose it is; of another one the code is lost.
                    let heard = fieldbook::sync::introduction::certificate(self.devices[at].store())
                        .expect("a setting");
                    self.devices[at].stranded = round > 2 && heard.is_none();
                    continue;
                };
                let nothing = report.notices.iter().all(is_stale)
                    && report.sent_ops == 0
                    && report.received_ops == 0
                    && (report.files_left == 0 || self.devices[at].revoked)
                    && report.verdicts.is_empty();
                self.hear_revocation(at);
                quiet &= nothing && (report.level || self.devices[at].revoked);
            }
            // Twice: the last of a round may have changed something for the first.
            n_quiet = if quiet { n_quiet + 1 } else { 0 };
            if n_quiet == 2 {
                return;
            }
        }
        panic!("it never gets quiet");
    }
}

/// Returns whether a notice is about nothing that is still on its way.
fn is_stale(notice: &Notice) -> bool {
    !matches!(notice, Notice::Copied | Notice::Rewound { .. } | Notice::Restored { .. } | Notice::Fork { .. })
}

/// Draws how bad the line is for a whole run.
fn weather(dice: &mut Dice) -> Weather {
    let mut weather = FAIR;
    weather[0].0 = 10;
    for (weight, luck) in &mut weather {
        if *luck != Luck::Good && dice.chance(50) {
            *weight = 1 + dice.below(4);
        }
    }
    weather
}
