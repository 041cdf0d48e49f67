//! The desk where jobs are done one after the other: the database, and what is remembered between jobs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use records::id::{DocId, OpId, Replica};
use sync_protocol::chain::{Line, Parent};
use sync_protocol::columns;
use sync_protocol::cursor::Incarnation;
use sync_protocol::merge::{Judged, Lines};
use sync_protocol::op::Row;
use sync_protocol::segment::{Body, Segment};
use sync_protocol::sign::Signer;

use crate::files::Files;
use crate::intake::judge::Author;
use crate::people::People;
use crate::store::{Store, StoreError};

/// How many decoded segments are remembered: some 256 ops each.
const SEGMENTS_MAX: usize = 128;
/// The setting that counts the changes of people and terms.
const TOLD: &str = "people told";
/// How many lines' parents are remembered.
const LINES_MAX: usize = 100_000;

/// One worker's desk. Whoever has it is alone with his transaction.
pub struct Desk {
    /// The database.
    pub store: Store,
    /// Attachments on the disk.
    pub files: Files,
    /// HQ's key.
    pub signer: Arc<Signer>,
    /// HQ's history.
    pub incarnation: Incarnation,
    /// Whether segments written under a test clock are taken.
    pub test_clock: bool,
    /// The epoch and stamp of HQ's own log, once this process wrote.
    pub own: Option<crate::author::OwnLog>,
    people: Option<Arc<People>>,
    pub(crate) terms: Option<Arc<crate::money::terms::Terms>>,
    /// What the clerk has yet to look at.
    pub(crate) tray: crate::money::clerk::Tray,
    /// The database's own number at the last look; `None`: it was not looked since something was taken back.
    version: Option<u64>,
    /// How many changes of people and terms there had been.
    told: u64,
    rows: BTreeMap<(Line, u64), Arc<Vec<Row>>>,
    lines: Lines,
    roots: BTreeSet<Line>,
    homes: BTreeMap<Replica, u32>,
    /// Devices of which a line came that did not know of another one's ops, since this process began.
    pub(super) unaware: BTreeSet<Replica>,
}

impl std::fmt::Debug for Desk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Desk({})", self.incarnation.0)
    }
}

impl Desk {
    /// Sits down at a database.
    #[must_use]
    pub fn new(
        store: Store,
        files: Files,
        signer: Arc<Signer>,
        incarnation: Incarnation,
        test_clock: bool,
    ) -> Self {
        Self {
            store,
            files,
            signer,
            incarnation,
            test_clock,
            own: None,
            people: None,
            terms: None,
            tray: crate::money::clerk::Tray::default(),
            version: None,
            told: 0,
            rows: BTreeMap::new(),
            lines: Lines::new(),
            roots: BTreeSet::new(),
            homes: BTreeMap::new(),
            unaware: BTreeSet::new(),
        }
    }

    /// Does something in a transaction of its own.
    ///
    /// # Errors
    /// What `job` answers; then nothing of it is kept. Or [`StoreError`].
    pub fn transact<T, E: From<StoreError>>(
        &mut self,
        job: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<T, E> {
        self.store.begin()?;
        self.look_around()?;
        match job(self) {
            Ok(done) => {
                while self.attend()? || self.look_around_claims()? {}
                self.store.commit()?;
                Ok(done)
            }
            Err(error) => {
                self.store.roll_back()?;
                self.forget();
                Err(error)
            }
        }
    }

    /// Drops what another program's commit changed of what is remembered; to be called once a transaction.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn look_around(&mut self) -> Result<(), StoreError> {
        let version = Some(self.store.version()?);
        if version == self.version {
            return Ok(());
        }
        // Other processes commit all the time, and hardly ever somebody comes or goes: everybody is read again only then.
        let told = self.told()?;
        if told != self.told || self.version.is_none() {
            self.people = None;
            self.terms = None;
            self.told = told;
        }
        self.version = version;
        Ok(())
    }

    fn told(&self) -> Result<u64, StoreError> {
        let kept = self.store.setting(TOLD)?.and_then(|bytes| bytes.try_into().ok());
        Ok(kept.map_or(0, u64::from_le_bytes))
    }

    /// Drops everything that a job taken back may have left here.
    pub fn forget(&mut self) {
        self.version = None;
        self.people = None;
        self.terms = None;
        self.own = None;
        self.rows.clear();
        self.lines.clear();
        self.roots.clear();
        self.homes.clear();
    }

    /// Returns everybody.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn people(&mut self) -> Result<Arc<People>, StoreError> {
        if let Some(people) = &self.people {
            return Ok(Arc::clone(people));
        }
        let people = Arc::new(People::read(&self.store)?);
        self.people = Some(Arc::clone(&people));
        Ok(people)
    }

    /// Takes in a changed document, where it is somebody, a unit, or one of the terms; other processes will hear of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn learn(&mut self, document: &sync_protocol::merge::Document) -> Result<(), StoreError> {
        let (person, term) =
            (crate::people::are_made_of(document.kind), crate::money::terms::are_made_of(document.kind));
        if !person && !term {
            return Ok(());
        }
        if person {
            // Whoever is read from the database later would lack the one who is not there yet.
            drop(self.people()?);
            if let Some(people) = &mut self.people {
                Arc::make_mut(people).learn(document);
            }
        }
        if term {
            self.terms = None;
        }
        self.store.count_up(TOLD, 1)?;
        self.told = self.told()?;
        Ok(())
    }

    /// Returns HQ's number of the branch in which somebody works; `None` where that is not known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn branch_of(&mut self, staff: DocId) -> Result<Option<u32>, StoreError> {
        let people = self.people()?;
        let unit = people.staff.get(&staff).and_then(|person| person.unit);
        unit.map(|unit| self.store.branch_number(people.branch(unit))).transpose()
    }

    /// Returns the branch under which a replica's log is kept; it never changes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn home(&mut self, replica: Replica) -> Result<Option<u32>, StoreError> {
        if let Some(home) = self.homes.get(&replica) {
            return Ok(Some(*home));
        }
        let home = self.store.branch_of(replica)?;
        self.homes.extend(home.map(|home| (replica, home)));
        Ok(home)
    }

    /// Returns who writes under a replica's name now; `None` for a replica that HQ never named.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn author(&mut self, replica: Replica) -> Result<Option<Author>, StoreError> {
        if replica == Replica::HQ {
            let (roles, acts_for, stands_in) = (Vec::new(), Vec::new(), Vec::new());
            return Ok(Some(Author { staff: None, roles, acts_for, stands_in, branch: 0, hq: true }));
        }
        let Some(device) = self.store.device(replica)? else {
            return Ok(None);
        };
        let people = self.people()?;
        let person = device.staff.and_then(|staff| people.staff.get(&staff));
        let roles = person.map(|person| person.roles.clone()).unwrap_or_default();
        let branch = match device.staff {
            Some(staff) => self.branch_of(staff)?.unwrap_or(device.branch),
            None => device.branch,
        };
        let staff = device.staff.filter(|_| person.is_some());
        let acts_for = match staff {
            Some(staff) => self.terms()?.acts_for(staff),
            None => Vec::new(),
        };
        let mut stands_in = Vec::new();
        for (principal, _) in &acts_for {
            stands_in.extend(self.branch_of(*principal)?.map(|branch| (*principal, branch)));
        }
        Ok(Some(Author { staff, roles, acts_for, stands_in, branch, hq: false }))
    }

    /// Returns where the known lines hang.
    #[must_use]
    pub fn lines(&self) -> &Lines {
        &self.lines
    }

    /// Makes [`Desk::lines`] know a line and those that it descends from.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn trace(&mut self, branch: u32, mut line: Line) -> Result<(), StoreError> {
        if self.lines.len() + self.roots.len() > LINES_MAX {
            self.lines.clear();
            self.roots.clear();
        }
        while !self.lines.contains_key(&line) && !self.roots.contains(&line) {
            match self.parent(branch, line)? {
                Some(parent) => {
                    self.lines.insert(line, (parent.epoch, parent.seq));
                    line = (line.0, parent.epoch);
                }
                None => drop(self.roots.insert(line)),
            }
        }
        Ok(())
    }

    /// Returns where a line hangs; `None` for a root, or where that is not known.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn parent(&self, branch: u32, line: Line) -> Result<Option<Parent>, StoreError> {
        match self.store.line(branch, line)? {
            Some(held) => Ok(held.parent),
            None => self.store.island_parent(branch, line),
        }
    }

    /// Returns the rows of a segment that HQ holds.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where they do not decode any more.
    pub fn rows(&mut self, segment: &Segment) -> Result<Arc<Vec<Row>>, StoreError> {
        let key = (segment.line(), segment.first);
        if let Some(rows) = self.rows.get(&key)
            && rows.len() == usize::try_from(segment.count).unwrap_or(0)
        {
            return Ok(Arc::clone(rows));
        }
        let damaged = StoreError::Damaged { table: "segments" };
        let Ok(body) = Body::from_bytes(&segment.body) else {
            return Err(damaged);
        };
        let seqs: Vec<u64> = segment.ids().map(|id| id.seq).collect();
        let Ok(rows) = columns::decode(&body.rows, segment.line(), &seqs) else {
            return Err(damaged);
        };
        Ok(self.remember(key, rows))
    }

    /// Remembers decoded rows.
    pub fn remember(&mut self, key: (Line, u64), rows: Vec<Row>) -> Arc<Vec<Row>> {
        if self.rows.len() >= SEGMENTS_MAX {
            self.rows.clear();
        }
        let rows = Arc::new(rows);
        self.rows.insert(key, Arc::clone(&rows));
        rows
    }

    /// Returns one op that HQ holds.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn row(&mut self, id: OpId) -> Result<Option<Row>, StoreError> {
        let Some(branch) = self.home(id.replica)? else {
            return Ok(None);
        };
        let Some(kept) = self.store.segment_at(branch, (id.replica, id.epoch), id.seq)? else {
            return self.store.island(branch, id);
        };
        let rows = self.rows(&kept.segment)?;
        let at = usize::try_from(id.seq.saturating_sub(kept.segment.first)).unwrap_or(usize::MAX);
        Ok(rows.get(at).cloned())
    }

    /// Returns one op with what HQ said of it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn judged(&mut self, id: OpId) -> Result<Option<Judged>, StoreError> {
        let Some(row) = self.row(id)? else { return Ok(None) };
        let branch = self.home(id.replica)?.unwrap_or(0);
        let judgement = self.store.judgement(branch, id, row.stamp)?;
        Ok(Some(Judged { id, row, judgement }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Data;

    const NOW_MS: u64 = 1_795_300_000_000;
    const ORG: &str =
        "code,name,kind,parent\nCO,Company,company,\nB1,East,branch,CO\nC1,Centre,service_center,B1\n";
    const STAFF: &str = "code,name,unit,roles\nE1,Wang,C1,engineer\n";

    fn import(desk: &mut Desk, kind: &str, file: &str) {
        let kind = records::kinds::by_name(kind).unwrap();
        desk.transact(|desk| desk.import(file.as_bytes(), kind, NOW_MS)).unwrap();
    }

    #[test]
    fn everybody_is_read_again_where_another_process_changed_somebody_and_not_where_it_wrote_something_else()
    {
        let folder = tempfile::tempdir().unwrap();
        let data = Data::at(folder.path());
        data.init("http://127.0.0.1:7400").unwrap();
        let (mut one, mut other) = (data.open(false).unwrap(), data.open(false).unwrap());
        import(&mut other, "org", ORG);
        let people = |desk: &mut Desk| {
            desk.look_around().unwrap();
            desk.people().unwrap()
        };
        let before = people(&mut one);
        assert_eq!(before.units.len(), 3);
        other.transact(|desk| desk.store.set("anything", b"else")).unwrap();
        assert!(Arc::ptr_eq(&people(&mut one), &before));
        import(&mut other, "staff", STAFF);
        assert_eq!(people(&mut one).staff.len(), 1);
        // What was taken back is not remembered either, whatever number it had.
        let lost = one.transact(|desk| {
            let kind = records::kinds::by_name("staff").unwrap();
            let more = "code,name,unit,roles\nE2,Li,C1,engineer\n";
            desk.import(more.as_bytes(), kind, NOW_MS).unwrap();
            Err::<(), _>(StoreError::Absent)
        });
        assert!(lost.is_err());
        assert_eq!(people(&mut one).staff.len(), 1);
        import(&mut other, "staff", "code,name,unit,roles\nE3,Zhao,C1,engineer\n");
        assert_eq!(people(&mut one).staff.len(), 2);
    }
}
