//! Lists of every kind: who may read what, the filters, and the records that pass them, newest first.

use std::io;

use records::id::DocId;
use records::kinds::staff::Role;
use records::kinds::{self, number};
use records::machine::Index;
use records::pinyin;
use records::schema::{Kind, Reach};
use records::table::export::{Export, ExportError, Form, Line as Exported, Words};
use records::time::{Day, Ts, Zone};
use records::value::{Target, Value};
use sync_protocol::merge::Document;

use crate::intake::desk::Desk;
use crate::people::People;
use crate::reading;
use crate::store::documents::Indexed;
use crate::store::{Store, StoreError};

/// Roles at headquarters: they read all branches' work.
const OFFICE: [Role; 8] = [
    Role::AUDITOR,
    Role::CS_MANAGER,
    Role::SALES_VP,
    Role::FINANCE,
    Role::DESK,
    Role::DISPATCHER,
    Role::ADMIN,
    Role::VIEWER,
];
/// Who reads the money of all branches.
const MONEY: [Role; 5] = [Role::AUDITOR, Role::CS_MANAGER, Role::SALES_VP, Role::FINANCE, Role::VIEWER];
/// Who reads what is suspected of somebody, and what came of it.
const SUSPICION: [Role; 4] = [Role::AUDITOR, Role::CS_MANAGER, Role::SALES_VP, Role::VIEWER];
/// Who leads a branch.
const LEADERS: [Role; 2] = [Role::SUPERVISOR, Role::BRANCH_GM];
/// Text of a reference shown as what it refers to, at most so deep.
const DEPTH: u8 = 2;

/// For whom a list is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reader {
    /// Who.
    pub staff: DocId,
    /// His roles.
    pub roles: Vec<Role>,
    /// HQ's number of his branch.
    pub branch: Option<u32>,
}

/// What a list is to hold; the default holds everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sieve {
    /// In one of these states; none: in any.
    pub states: Vec<Index>,
    /// Last changed on this day or later.
    pub since: Option<Day>,
    /// Last changed on this day or earlier.
    pub until: Option<Day>,
    /// Of the branch that this unit belongs to.
    pub unit: Option<DocId>,
    /// With this in a text of it, or with texts of these pinyin initials.
    pub text: String,
}

/// One record of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which.
    pub id: DocId,
    /// Its kind.
    pub kind: &'static Kind,
    /// Its number, else its code.
    pub no: String,
    /// What it is about.
    pub title: String,
    /// Its state.
    pub state: Index,
    /// Whose device made it; empty for headquarters.
    pub author: String,
    /// When it was last changed.
    pub updated: Ts,
    /// How many conflicts of it a person has to settle.
    pub conflicts: usize,
}

/// A record on which something waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsettled {
    /// The record, with its conflicts.
    pub line: Line,
    /// How many of its entries were refused.
    pub refused: usize,
}

impl Reader {
    fn holds(&self, roles: &[Role]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }

    /// Returns whether he may read a kind at all, or of it what is his.
    #[must_use]
    pub fn knows(&self, kind: &Kind) -> bool {
        kind.reach != Reach::Headquarters || self.all_of(kind)
    }

    /// Returns whether he reads the records of a kind of all branches.
    ///
    /// Source: docs/SECURITY.md, The console.
    fn all_of(&self, kind: &Kind) -> bool {
        match kind.number {
            number::ACCOUNT => self.holds(&[Role::FINANCE]),
            number::ALERT | number::CASE => self.holds(&SUSPICION),
            number::VOUCHER
            | number::CLAIM
            | number::TRIP
            | number::BATCH
            | number::PAYMENT
            | number::EXCEPTION => self.holds(&MONEY),
            _ => kind.reach == Reach::Company || self.holds(&OFFICE),
        }
    }

    /// Returns whether he may read a record: of his branch as one who leads there, his own, or any at headquarters.
    #[must_use]
    pub fn sees(&self, kind: &Kind, indexed: &Indexed) -> bool {
        if self.all_of(kind) {
            return true;
        }
        // Nobody reads at his own desk what is suspected of him.
        if [number::ALERT, number::CASE].contains(&kind.number) || kind.reach == Reach::Headquarters {
            return false;
        }
        let leads = self.holds(&LEADERS) && self.branch.is_some_and(|branch| branch == indexed.scope);
        leads || indexed.people.contains(&self.staff)
    }
}

impl Desk {
    /// Returns for whom lists are made when somebody asks.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn list_reader(&mut self, staff: DocId) -> Result<Reader, StoreError> {
        let people = self.people()?;
        let roles = people.staff.get(&staff).map(|person| person.roles.clone()).unwrap_or_default();
        Ok(Reader { staff, roles, branch: self.branch_of(staff)? })
    }

    /// Hands the records of a kind that pass to `each`, newest first, until it answers false.
    ///
    /// # Errors
    /// What `each` answers, or [`StoreError`].
    pub fn sift<E: From<StoreError>>(
        &mut self,
        reader: &Reader,
        kind: &'static Kind,
        sieve: &Sieve,
        mut each: impl FnMut(&mut Self, Indexed) -> Result<bool, E>,
    ) -> Result<(), E> {
        if !reader.knows(kind) {
            return Ok(());
        }
        let people = self.people()?;
        let scope = match sieve.unit {
            Some(unit) => Some(self.store.branch_number(people.branch(unit))?),
            None => None,
        };
        let from = sieve.since.map_or(0, start_ms);
        let to = sieve.until.map_or(u64::MAX >> 1, |day| start_ms(day.plus(1)).saturating_sub(1));
        for (branch, id) in self.store.newest(kind.number, &sieve.states, scope, (from, to))? {
            let Some(indexed) = self.store.indexed(branch, id)? else { continue };
            let holds = sieve.text.is_empty() || self.holds_text(&indexed, kind, &sieve.text)?;
            if holds && reader.sees(kind, &indexed) && !each(self, indexed)? {
                break;
            }
        }
        Ok(())
    }

    /// Returns the records of a kind that pass, newest first: `n` of them from the `from`th on, and whether more follow.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn listed(
        &mut self,
        reader: &Reader,
        kind: &'static Kind,
        sieve: &Sieve,
        (from, n): (usize, usize),
    ) -> Result<(Vec<Line>, bool), StoreError> {
        let (mut lines, mut passed, mut more) = (Vec::new(), 0_usize, false);
        self.sift(reader, kind, sieve, |desk, indexed| {
            passed += 1;
            if lines.len() == n {
                more = true;
                return Ok::<bool, StoreError>(false);
            }
            if passed > from {
                lines.push(desk.line(kind, &indexed)?);
            }
            Ok(true)
        })?;
        Ok((lines, more))
    }

    /// Returns a record as a list shows it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn line(&mut self, kind: &'static Kind, indexed: &Indexed) -> Result<Line, StoreError> {
        let document = &indexed.document;
        let people = self.people()?;
        let number = indexed.number.clone().filter(|number| !number.is_empty());
        Ok(Line {
            id: document.id,
            kind,
            no: number.unwrap_or_else(|| document.id.code()),
            title: self.titled(document, kind, DEPTH)?,
            state: document.state,
            author: author(&self.store, &people, document)?,
            updated: Ts(i64::try_from(document.updated.ms).unwrap_or(i64::MAX)),
            conflicts: document.conflicts().len(),
        })
    }

    /// Returns a record as a list shows it to somebody; `None` where there is none, or he may not read it.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn line_for(&mut self, reader: &Reader, id: DocId) -> Result<Option<Line>, StoreError> {
        let home = self.home(id.0.replica)?.unwrap_or(0);
        let Some(indexed) = self.store.indexed(home, id)? else { return Ok(None) };
        let Some(kind) = kinds::by_number(indexed.document.kind) else { return Ok(None) };
        let seen = reader.knows(kind) && reader.sees(kind, &indexed);
        seen.then(|| self.line(kind, &indexed)).transpose()
    }

    /// Returns what people call a record: its title, else its number, else its code.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn called(&mut self, id: DocId) -> Result<String, StoreError> {
        self.called_within(id, DEPTH)
    }

    fn called_within(&mut self, id: DocId, depth: u8) -> Result<String, StoreError> {
        let Some(document) = self.document(id)? else { return Ok(id.code()) };
        let Some(kind) = kinds::by_number(document.kind) else { return Ok(id.code()) };
        let title = self.titled(&document, kind, depth)?;
        if !title.is_empty() {
            return Ok(title);
        }
        let number = kind.key.map(|key| reading::text(&document, key)).unwrap_or_default();
        Ok(if number.is_empty() { id.code() } else { number })
    }

    fn titled(&mut self, document: &Document, kind: &Kind, depth: u8) -> Result<String, StoreError> {
        for name in kind.title.iter().filter(|name| kind.key != Some(**name)) {
            let said = match reading::value(document, name) {
                Some(Value::Ref(Target::Doc(id))) if depth > 0 => self.called_within(id, depth - 1)?,
                Some(Value::Ref(Target::Text(text)) | Value::Text(text)) => text,
                Some(Value::Ref(Target::Doc(_))) | None => String::new(),
                Some(value) => match kind.field(name).and_then(|(group, at)| group.fields.get(at)) {
                    Some(field) => value.text(field.ty, Zone::SHANGHAI),
                    None => String::new(),
                },
            };
            if !said.is_empty() {
                return Ok(said);
            }
        }
        Ok(String::new())
    }

    /// Whether somebody would find the record by what he typed: in its number, its code, any text of it, or the name of
    /// what its title refers to.
    fn holds_text(&mut self, indexed: &Indexed, kind: &Kind, typed: &str) -> Result<bool, StoreError> {
        let document = &indexed.document;
        let number = indexed.number.as_deref().unwrap_or_default();
        if pinyin::finds(number, typed) || pinyin::finds(&document.id.code(), typed) {
            return Ok(true);
        }
        for group in kind.groups {
            for value in reading::rows(document, group).into_iter().flatten().flatten() {
                let text = match &value {
                    Value::Text(text) | Value::Ref(Target::Text(text)) => text.as_str(),
                    _ => continue,
                };
                if pinyin::finds(text, typed) {
                    return Ok(true);
                }
            }
        }
        Ok(pinyin::finds(&self.titled(document, kind, DEPTH)?, typed))
    }

    /// Returns the records of a kind that pass as a file.
    ///
    /// # Errors
    /// [`ListError`].
    pub fn list_file(
        &mut self,
        reader: &Reader,
        kind: &'static Kind,
        sieve: &Sieve,
        (form, words): (Form, Words),
    ) -> Result<Vec<u8>, ListError> {
        let people = self.people()?;
        let mut table = Export::begin(Vec::new(), kind, form, words, Zone::SHANGHAI)?;
        self.sift(reader, kind, sieve, |desk, indexed| {
            write(&mut table, kind, &indexed.document, &author(&desk.store, &people, &indexed.document)?)?;
            Ok::<bool, ListError>(true)
        })?;
        Ok(table.end()?)
    }

    /// Returns the records on which something waits for a person, those changed last first; at most `n`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn unsettled(&mut self, reader: &Reader, n: usize) -> Result<Vec<Unsettled>, StoreError> {
        let all = self.unsettled_documents()?;
        let mut found: Vec<_> = all.iter().map(|one| (one.updated, one.id, one.refused.len())).collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        let mut unsettled = Vec::new();
        for (_, id, refused) in found {
            if unsettled.len() == n {
                break;
            }
            unsettled.extend(self.line_for(reader, id)?.map(|line| Unsettled { line, refused }));
        }
        Ok(unsettled)
    }

    /// Returns the records that somebody may mean by what he typed: by number, code or name; of each kind the newest.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn search(&mut self, reader: &Reader, typed: &str, n: usize) -> Result<Vec<Line>, StoreError> {
        let mut lines: Vec<Line> = Vec::new();
        for id in self.store.find(typed)? {
            lines.extend(self.line_for(reader, id)?);
        }
        let sieve = Sieve { text: typed.to_owned(), ..Sieve::default() };
        for kind in kinds::KINDS.iter().copied().filter(|kind| has_name(kind)) {
            let (found, _) = self.listed(reader, kind, &sieve, (0, n))?;
            for line in found {
                if lines.iter().all(|known| known.id != line.id) {
                    lines.push(line);
                }
            }
        }
        for kind in kinds::KINDS.iter().filter(|kind| kind.key.is_some() && !has_name(kind)) {
            let numbers = self.store.numbers_with(kind.number, typed)?;
            for number in numbers.iter().rev().take(n) {
                let Some(id) = self.store.numbered(kind.number, number)? else { continue };
                if lines.iter().all(|known| known.id != id) {
                    lines.extend(self.line_for(reader, id)?);
                }
            }
        }
        Ok(lines)
    }
}

/// Kinds that people look for by what they are called; the others by their numbers.
fn has_name(kind: &Kind) -> bool {
    let named = [
        number::ORG,
        number::STAFF,
        number::CUSTOMER,
        number::SITE,
        number::ASSET,
        number::TEMPLATE,
        number::JOB,
    ];
    named.contains(&kind.number)
}

fn start_ms(day: Day) -> u64 {
    u64::try_from(day.start(Zone::SHANGHAI).0).unwrap_or(0)
}

/// Why a list was not written.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file.
    #[error(transparent)]
    Export(#[from] ExportError),
}

/// Returns the staff code of whose device made a document; empty for headquarters.
///
/// # Errors
/// [`StoreError`].
pub fn author(store: &Store, people: &People, document: &Document) -> Result<String, StoreError> {
    let device = store.device(document.id.0.replica)?;
    let person = device.and_then(|device| people.staff.get(&device.staff?));
    Ok(person.map(|person| person.code.clone()).unwrap_or_default())
}

/// Writes a document as a line of a file.
///
/// # Errors
/// [`ExportError`].
pub fn write<W: io::Write>(
    table: &mut Export<W>,
    kind: &'static Kind,
    document: &Document,
    author: &str,
) -> Result<(), ExportError> {
    let groups: Vec<_> =
        kind.groups.iter().map(|group| (group.tag(), reading::rows(document, group))).collect();
    let created = Ts(i64::try_from(document.created.ms).unwrap_or(i64::MAX));
    let (id, code) = (document.id.to_string(), document.id.code());
    let state = kind.machine.map(|_| document.state);
    table.line(&Exported { id: &id, code: &code, state, author, created, groups: &groups })
}
