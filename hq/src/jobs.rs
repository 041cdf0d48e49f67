//! Jobs as the office gives them: taken in from a customer, given to somebody, given to somebody else, on a board.

use std::collections::BTreeMap;

use records::id::DocId;
use records::kinds::job::{self, Assignee, FollowUp, Instructions, JobNo, JobPlace, Planned};
use records::kinds::job_machine as at;
use records::kinds::staff::Role;
use records::kinds::template::SheetType;
use records::kinds::{asset, number, site};
use records::machine::Index;
use records::pinyin;
use records::record::Record;
use records::time::{Day, Ts, Zone};
use records::value::{Ref, Target};

use crate::author::{NewOp, On};
use crate::intake::desk::Desk;
use crate::lists::{Reader, Sieve};
use crate::money::actor::Actor;
use crate::money::decide::{Taken, title};
use crate::money::refusal::{MoneyError, Refusal};
use crate::money::rows::{instant, link, linked, put, text};
use crate::store::StoreError;

/// Who takes jobs in and gives them.
const GIVERS: [Role; 3] = [Role::DESK, Role::DISPATCHER, Role::SUPERVISOR];
/// States in which a job can still be given to somebody.
const OPEN: [Index; 8] = [
    at::OFFERED,
    at::ACCEPTED,
    at::EN_ROUTE,
    at::ON_SITE,
    at::WORKING,
    at::PAUSED,
    at::REFUSED,
    at::HANDED_OVER,
];
/// Days back that closed jobs are looked for on the board of a day.
const CLOSED_DAYS: i32 = 45;

/// What a customer wants, and who goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// Which kind of sheet it asks for.
    pub kind: SheetType,
    /// The customer: one that is known, or as he was written down.
    pub customer: Option<Target>,
    /// The site.
    pub site: Option<DocId>,
    /// The machine.
    pub asset: Option<DocId>,
    /// Who goes.
    pub assignee: DocId,
    /// From when.
    pub from: Option<Ts>,
    /// Until when.
    pub to: Option<Ts>,
    /// What to do.
    pub instructions: String,
    /// The job that it continues.
    pub follow_up_of: Option<DocId>,
}

/// A job as the board shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Which.
    pub id: DocId,
    /// Its number.
    pub no: String,
    /// What to do, else for whom.
    pub title: String,
    /// The customer's name.
    pub customer: String,
    /// Who goes.
    pub assignee: Option<DocId>,
    /// Its state.
    pub state: Index,
    /// From when.
    pub from: Option<Ts>,
    /// Until when.
    pub to: Option<Ts>,
    /// Whether somebody has to settle something on it, or should look at what was lost.
    pub conflict: bool,
}

impl Posted {
    /// Returns the day that it is planned for.
    #[must_use]
    pub fn day(&self) -> Option<Day> {
        self.from.map(|from| from.day(Zone::SHANGHAI))
    }

    /// Returns whether it should be done by now and is not.
    #[must_use]
    pub fn is_late(&self, now: Ts) -> bool {
        OPEN.contains(&self.state) && self.to.or(self.from).is_some_and(|until| until < now)
    }
}

/// What is known of a customer when a job is taken in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Which.
    pub id: DocId,
    /// His name.
    pub name: String,
    /// His sites, by name.
    pub sites: Vec<(DocId, String)>,
    /// The machines at his sites: where, which, and what people call it.
    pub assets: Vec<(DocId, DocId, String)>,
}

impl Desk {
    /// Takes a job in and gives it to somebody; returns it and its number.
    ///
    /// # Errors
    /// W-08 for whoever gives no jobs, H-01 for an assignee that nobody knows.
    pub fn open_job(
        &mut self,
        wish: &Wish,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<(DocId, String), MoneyError> {
        gives(actor, "-")?;
        self.worker(wish.assignee)?;
        let no = self.free_job_no(now_ms)?;
        let mut writes = vec![
            put(&[JobNo { no: text(&no), kind_of: Some(wish.kind) }]),
            put(&[JobPlace {
                customer: wish.customer.clone().map(Ref),
                site: wish.site.and_then(link),
                asset: wish.asset.and_then(link),
            }]),
            put(&[Assignee { assignee: link(wish.assignee) }]),
        ];
        if wish.from.is_some() || wish.to.is_some() {
            writes.push(put(&[Planned { planned_from: wish.from, planned_to: wish.to }]));
        }
        if !wish.instructions.trim().is_empty() {
            writes.push(put(&[Instructions { instructions: text(&wish.instructions) }]));
        }
        if let Some(before) = wish.follow_up_of {
            writes.push(put(&[FollowUp { follow_up_of: link(before) }]));
        }
        let written = self.write(vec![NewOp { kind: number::JOB, on: On::Create, writes }], now_ms)?;
        let created = written.first().copied().map(DocId);
        Ok((created.ok_or_else(|| Refusal::by("H-01").with("text", &no))?, no))
    }

    /// Gives a job to somebody else; one that was refused goes on as a new job, because its refusal stands. Returns the
    /// job that he has now.
    ///
    /// # Errors
    /// W-07 where it is done or cancelled, W-08 for whoever gives no jobs, H-01.
    pub fn give_job(
        &mut self,
        id: DocId,
        to: DocId,
        reason: &str,
        actor: &Actor,
        now_ms: u64,
    ) -> Result<DocId, MoneyError> {
        let record = self.job(id)?;
        gives(actor, &title(&record))?;
        self.worker(to)?;
        if !OPEN.contains(&record.state) {
            let state = at::JOB.states.get(usize::from(record.state));
            let (zh, en) = state.map_or(("", ""), |state| (state.zh, state.en));
            let refusal = Refusal::by("W-07").label("step", "改派", "Reassign").label("state", zh, en);
            return Err(refusal.with("code", title(&record)).into());
        }
        if record.state == at::REFUSED {
            let (next, no) = self.open_job(&again(&record, to), actor, now_ms)?;
            let reason = if reason.is_empty() { no } else { format!("{reason} ({no})") };
            self.decide(id, actor, &Taken::step("cancel", &reason), Vec::new(), now_ms)?;
            return Ok(next);
        }
        let write = put(&[Assignee { assignee: link(to) }]);
        self.write(vec![NewOp { kind: number::JOB, on: On::Document(id), writes: vec![write] }], now_ms)?;
        Ok(id)
    }

    /// Plans a job for another time.
    ///
    /// # Errors
    /// W-08 for whoever gives no jobs, H-01.
    pub fn plan_job(
        &mut self,
        id: DocId,
        (from, to): (Option<Ts>, Option<Ts>),
        actor: &Actor,
        now_ms: u64,
    ) -> Result<(), MoneyError> {
        gives(actor, &title(&self.job(id)?))?;
        let write = put(&[Planned { planned_from: from, planned_to: to }]);
        self.write(vec![NewOp { kind: number::JOB, on: On::Document(id), writes: vec![write] }], now_ms)?;
        Ok(())
    }

    fn job(&mut self, id: DocId) -> Result<Record, MoneyError> {
        let record = self.record(id)?.filter(|record| record.kind.number == number::JOB);
        record.ok_or_else(|| Refusal::by("H-01").with("text", id).into())
    }

    fn worker(&mut self, staff: DocId) -> Result<(), MoneyError> {
        let known = self.people()?.staff.contains_key(&staff);
        if known { Ok(()) } else { Err(Refusal::by("H-01").with("text", staff).into()) }
    }

    /// The day and a count; a number that came back from a device after a restore is passed over.
    fn free_job_no(&mut self, now_ms: u64) -> Result<String, StoreError> {
        let (year, month, dom) = instant(now_ms).day(Zone::SHANGHAI).ymd().unwrap_or_default();
        let day = format!("{year:04}{month:02}{dom:02}");
        loop {
            let n = self.store.count_up(&format!("jobs {day}"), 1)?;
            let no = format!("J{day}-{n:03}");
            if self.store.numbered(number::JOB, &no)?.is_none() {
                return Ok(no);
            }
        }
    }

    /// Returns the jobs that are open, and those that were planned for `day` or closed on it; of whom the reader may read.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn board(
        &mut self,
        reader: &Reader,
        unit: Option<DocId>,
        day: Day,
    ) -> Result<Vec<Posted>, StoreError> {
        let mut posted = Vec::new();
        let closed = [at::DONE, at::REVIEWED, at::CANCELLED];
        let sieves = [
            Sieve { states: OPEN.to_vec(), unit, ..Sieve::default() },
            Sieve { states: closed.to_vec(), unit, since: Some(day.plus(-CLOSED_DAYS)), ..Sieve::default() },
        ];
        for sieve in sieves {
            self.sift(reader, &job::JOB, &sieve, |desk, indexed| {
                let conflict =
                    !indexed.document.conflicts().is_empty() || !indexed.document.flags().is_empty();
                let changed = instant(indexed.document.updated.ms).day(Zone::SHANGHAI);
                let line = desk.line(&job::JOB, &indexed)?;
                let record = indexed.document.record(&job::JOB);
                let one = desk.posted(&record, line.no, line.title, conflict)?;
                let on_day = one.day().unwrap_or(changed) == day;
                if on_day || OPEN.contains(&one.state) {
                    posted.push(one);
                }
                Ok::<bool, StoreError>(true)
            })?;
        }
        posted.sort_by_key(|one| (one.from.map_or(i64::MAX, |from| from.0), one.id));
        Ok(posted)
    }

    fn posted(
        &mut self,
        record: &Record,
        no: String,
        title: String,
        conflict: bool,
    ) -> Result<Posted, StoreError> {
        let place = record.get::<JobPlace>().unwrap_or_default();
        let planned = record.get::<Planned>().unwrap_or_default();
        let assignee = record.get::<Assignee>().and_then(|row| linked(row.assignee.as_ref()));
        let customer = match place.customer {
            Some(Ref(Target::Doc(id))) => self.called(id)?,
            Some(Ref(Target::Text(text))) => text,
            None => String::new(),
        };
        let (from, to) = (planned.planned_from, planned.planned_to);
        Ok(Posted { id: record.id, no, title, customer, assignee, state: record.state, from, to, conflict })
    }

    /// Returns one job as the board shows it; `None` where the reader may not read it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn posted_one(&mut self, reader: &Reader, id: DocId) -> Result<Option<Posted>, StoreError> {
        let Some(line) = self.line_for(reader, id)?.filter(|line| line.kind.number == number::JOB) else {
            return Ok(None);
        };
        let Some(document) = self.document(id)? else { return Ok(None) };
        let conflict = line.conflicts > 0 || !document.flags().is_empty();
        Ok(Some(self.posted(&document.record(&job::JOB), line.no, line.title, conflict)?))
    }

    /// Returns how many open jobs each person has on a day.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn load_of(&mut self, reader: &Reader, day: Day) -> Result<BTreeMap<DocId, u32>, StoreError> {
        let mut load: BTreeMap<DocId, u32> = BTreeMap::new();
        for one in self.board(reader, None, day)? {
            if let Some(staff) = one.assignee.filter(|_| one.day() == Some(day) && OPEN.contains(&one.state))
            {
                *load.entry(staff).or_default() += 1;
            }
        }
        Ok(load)
    }

    /// Returns what is known of a customer; `None` where nobody knows him.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn customer_known(&mut self, id: DocId) -> Result<Option<Known>, StoreError> {
        let Some(record) = self.record(id)?.filter(|record| record.kind.number == number::CUSTOMER) else {
            return Ok(None);
        };
        let name = self.called(record.id)?;
        let mut sites = Vec::new();
        for record in self.records(number::SITE, &[])? {
            let owner = record.get::<site::SiteOwner>().and_then(|row| linked(row.customer.as_ref()));
            if owner == Some(id) {
                sites.push((record.id, self.called(record.id)?));
            }
        }
        let mut assets = Vec::new();
        for record in self.records(number::ASSET, &[])? {
            let at = record.get::<asset::AssetSite>().and_then(|row| linked(row.site.as_ref()));
            let Some(at) = at.filter(|at| sites.iter().any(|(site, _)| site == at)) else { continue };
            assets.push((at, record.id, format!("{} {}", self.called(record.id)?, title(&record))));
        }
        sites.sort_by_cached_key(|(_, name)| pinyin::initials(name));
        Ok(Some(Known { id, name, sites, assets }))
    }
}

fn gives(actor: &Actor, code: &str) -> Result<(), Refusal> {
    if actor.holds(&GIVERS).is_some() {
        return Ok(());
    }
    let who: Vec<&str> = GIVERS.iter().filter_map(|role| Some(Role::CHOICES.option(role.0)?.0)).collect();
    Err(Refusal::by("W-08")
        .with("roles", who.join(", "))
        .label("step", "派工", "Give a job")
        .with("code", code))
}

/// The same job for somebody else.
fn again(record: &Record, to: DocId) -> Wish {
    let place = record.get::<JobPlace>().unwrap_or_default();
    let planned = record.get::<Planned>().unwrap_or_default();
    let instructions = record.get::<Instructions>().and_then(|row| row.instructions);
    Wish {
        kind: record.get::<JobNo>().and_then(|row| row.kind_of).unwrap_or(SheetType::REPAIR),
        customer: place.customer.map(|customer| customer.0),
        site: linked(place.site.as_ref()),
        asset: linked(place.asset.as_ref()),
        assignee: to,
        from: planned.planned_from,
        to: planned.planned_to,
        instructions: instructions.map(|words| words.0).unwrap_or_default(),
        follow_up_of: Some(record.id),
    }
}
