//! The index of documents: what all their ops make, and who may see it.

use records::id::{DocId, Epoch, OpId, Replica};

use sync_protocol::merge::Document;

use crate::store::engine::{Row, TOGETHER, Value, values};
use crate::store::{Store, StoreError, bytes, read};

/// A document's line in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indexed {
    /// The document as folded.
    pub document: Document,
    /// Its human number, where it has one.
    pub number: Option<String>,
    /// The branch whose feed it is in; 0: the company's.
    pub scope: u32,
    /// The staff whose devices hold it, sorted.
    pub people: Vec<DocId>,
    /// The staff on whose device it was created; `None` for HQ's.
    pub creator: Option<DocId>,
    /// Its digest.
    pub digest: [u8; 16],
}

/// What is known of a document before it is folded again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Known {
    /// Its ops.
    pub ops: Vec<OpId>,
    /// The branch whose feed it is in.
    pub scope: u32,
    /// The staff whose devices hold it.
    pub people: Vec<DocId>,
}

/// A document's card, on its way into the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Its creator's branch.
    pub branch: u32,
    /// Its new line.
    pub indexed: Indexed,
    /// What the index said of it, [`Known::default`] of a new one; `None` where nobody asked.
    pub before: Option<Known>,
    /// HQ's order of arrival of the first of its ops.
    pub arrival: u64,
}

impl Card {
    /// Returns whether nothing was ever entered of it.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.before.as_ref().is_some_and(|before| before.ops.is_empty())
    }

    fn key(&self) -> [Value<'static>; 4] {
        let id = self.indexed.document.id.0;
        [self.branch.into(), id.replica.0.into(), id.epoch.0.into(), id.seq.into()]
    }

    fn row<'a>(&'a self, encoded: &'a Encoded) -> Vec<Value<'a>> {
        let Indexed { document, number, scope, digest, .. } = &self.indexed;
        let Encoded { code, people, ops, body } = encoded;
        let (state, updated_ms) = (document.state, document.updated.ms);
        let rest = values![
            document.kind,
            code,
            number.as_ref(),
            state,
            *scope,
            updated_ms,
            digest,
            people,
            ops,
            body,
            self.arrival / SHELF
        ];
        [&self.key()[..], rest].concat()
    }
}

/// Ops that arrive one after the other stand on one shelf, and the codes of what they make are sorted on each by itself:
/// among all codes, which are hashes, each card of a request would fall on a page of its own.
const SHELF: u64 = 4096;

/// The columns of a card that take up room.
struct Encoded {
    code: String,
    people: Vec<u8>,
    ops: Vec<u8>,
    body: Vec<u8>,
}

impl Encoded {
    fn of(card: &Card) -> Self {
        let Indexed { document, people, .. } = &card.indexed;
        let (code, people) = (document.id.code(), bytes(people));
        Self { code, people, ops: bytes(&document.ops), body: bytes(document) }
    }
}

const PUT: &str = "INSERT INTO documents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
     ON CONFLICT (branch, replica, epoch, seq) DO UPDATE SET kind = excluded.kind, code = excluded.code,
       number = excluded.number, state = excluded.state, scope = excluded.scope, updated_ms = excluded.updated_ms,
       digest = excluded.digest, people = excluded.people, ops = excluded.ops, body = excluded.body,
       shelf = excluded.shelf";

/// Goes from shelf to shelf, and on each to the codes.
const FIND: &str = "WITH RECURSIVE shelves (shelf) AS (
       SELECT MIN(shelf) FROM documents
       UNION ALL SELECT (SELECT MIN(d.shelf) FROM documents d WHERE d.shelf > shelves.shelf) FROM shelves
         WHERE shelves.shelf IS NOT NULL)
     SELECT d.replica, d.epoch, d.seq FROM shelves JOIN documents d ON d.shelf = shelves.shelf
       WHERE d.code >= ?1 AND d.code < ?2
     UNION SELECT replica, epoch, seq FROM documents WHERE number = ?3 LIMIT 16";

fn id(row: &Row<'_>, at: usize) -> Result<DocId, StoreError> {
    Ok(DocId(OpId { replica: Replica(row.get(at)?), epoch: Epoch(row.get(at + 1)?), seq: row.get(at + 2)? }))
}

impl Store {
    /// Puts documents into the index, over their earlier lines; none may be among them twice.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn documents_put(&self, cards: &[Card]) -> Result<(), StoreError> {
        for cards in cards.chunks(TOGETHER) {
            let encoded: Vec<Encoded> = cards.iter().map(Encoded::of).collect();
            let rows: Vec<_> = cards.iter().zip(&encoded).map(|(card, encoded)| card.row(encoded)).collect();
            self.db.run_each(PUT, &rows)?;
            self.concerns_put(cards)?;
        }
        Ok(())
    }

    /// Enters whom documents concern beside their creators and the whole company: for a new device, and for digests.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn concerns_put(&self, cards: &[Card]) -> Result<(), StoreError> {
        let mut more: Vec<(&Card, Vec<u8>)> = Vec::new();
        for card in cards {
            let Card { indexed, before, .. } = card;
            let now = concerned(indexed, indexed.scope, &indexed.people);
            let was = before.as_ref().map(|before| concerned(indexed, before.scope, &before.people));
            if was.as_ref() == Some(&now) {
                continue;
            }
            if was.is_none_or(|was| !was.is_empty()) {
                let sql =
                    "DELETE FROM concerns WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4";
                self.db.run(sql, &card.key())?;
            }
            more.extend(now.into_iter().map(|person| (card, bytes(person))));
        }
        let rows: Vec<_> =
            more.iter().map(|(card, person)| [&card.key()[..], values![person]].concat()).collect();
        self.db.run_each("INSERT INTO concerns VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING", &rows)
    }

    /// Returns a document; `branch` is its creator's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn document(&self, branch: u32, id: DocId) -> Result<Option<Document>, StoreError> {
        let sql = "SELECT body FROM documents WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4";
        let key = values![branch, id.0.replica.0, id.0.epoch.0, id.0.seq];
        let body: Option<Vec<u8>> = self.db.one(sql, key, |row| row.get(0))?;
        body.map(|body| read("documents", &body)).transpose()
    }

    /// Returns a document's ops and who sees it, without its values.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn known(&self, branch: u32, id: DocId) -> Result<Option<Known>, StoreError> {
        let sql = "SELECT ops, scope, people FROM documents WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4";
        let key = values![branch, id.0.replica.0, id.0.epoch.0, id.0.seq];
        let row: Option<(Vec<u8>, u32, Vec<u8>)> =
            self.db.one(sql, key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let Some((ops, scope, people)) = row else {
            return Ok(None);
        };
        Ok(Some(Known { ops: read("documents", &ops)?, scope, people: read("documents", &people)? }))
    }

    /// Hands the documents of a kind, or all, to `each`, by creator's branch and id.
    ///
    /// # Errors
    /// What `each` answers, or [`StoreError`].
    pub fn each_document<E: From<StoreError>>(
        &self,
        kind: Option<u16>,
        mut each: impl FnMut(u32, Indexed) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT branch, number, scope, people, digest, body FROM documents
                   WHERE kind = ?1 OR ?1 IS NULL ORDER BY branch, replica, epoch, seq";
        self.db.each(sql, values![kind], |row| {
            let (branch, indexed) = indexed(row)?;
            each(branch, indexed)
        })
    }

    /// Hands the documents of a kind to `each`, by creator's branch and id: of a kind of which there are few, as they are
    /// found by it and sorted in memory, where [`Self::each_document`] reads past all others.
    ///
    /// # Errors
    /// What `each` answers, or [`StoreError`].
    pub fn each_of_few<E: From<StoreError>>(
        &self,
        kind: u16,
        mut each: impl FnMut(u32, Indexed) -> Result<(), E>,
    ) -> Result<(), E> {
        let sql = "SELECT branch, number, scope, people, digest, body FROM documents
                   WHERE kind = ?1 ORDER BY branch, replica, epoch, seq";
        self.db.each(sql, values![kind], |row| {
            let (branch, indexed) = indexed(row)?;
            each(branch, indexed)
        })
    }

    /// Returns the documents that a reader sees, with their digests, by id: the company's, those of the branch he
    /// oversees, those created on `own` devices, and those that concern `staff`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn visible(
        &self,
        staff: Option<DocId>,
        oversees: Option<u32>,
        own: &[(u32, Replica)],
    ) -> Result<std::collections::BTreeMap<DocId, [u8; 16]>, StoreError> {
        const OF: &str = "SELECT d.replica, d.epoch, d.seq, d.digest FROM documents d";
        let mut found = std::collections::BTreeMap::new();
        let mut ask = |tail: &str, with: &[Value<'_>]| -> Result<(), StoreError> {
            let all = self.db.all(&format!("{OF} {tail}"), with, |row| Ok((id(row, 0)?, row.get(3)?)))?;
            found.extend(all);
            Ok(())
        };
        ask("WHERE d.scope = 0", &[])?;
        if let Some(branch) = oversees.filter(|branch| *branch != 0) {
            ask("WHERE d.scope = ?1", values![branch])?;
        }
        for (branch, replica) in own {
            ask("WHERE d.branch = ?1 AND d.replica = ?2", values![*branch, replica.0])?;
        }
        if let Some(staff) = staff {
            let tail = "JOIN concerns c USING (branch, replica, epoch, seq) WHERE c.staff = ?1";
            ask(tail, values![&bytes(&staff)])?;
        }
        Ok(found)
    }

    /// Returns what a person sees beside the company's documents and a branch's: what `own` replicas created and what
    /// concerns `staff`, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn visible_of_own(
        &self,
        staff: Option<DocId>,
        own: &[(u32, Replica)],
    ) -> Result<std::collections::BTreeSet<DocId>, StoreError> {
        const OF: &str = "SELECT d.replica, d.epoch, d.seq FROM documents d";
        let mut found = std::collections::BTreeSet::new();
        for (branch, replica) in own {
            let sql = format!("{OF} WHERE d.branch = ?1 AND d.replica = ?2 AND d.scope <> 0");
            found.extend(self.db.all(&sql, values![*branch, replica.0], |row| id(row, 0))?);
        }
        if let Some(staff) = staff {
            let tail =
                "JOIN concerns c USING (branch, replica, epoch, seq) WHERE c.staff = ?1 AND d.scope <> 0";
            found.extend(self.db.all(&format!("{OF} {tail}"), values![&bytes(&staff)], |row| id(row, 0))?);
        }
        Ok(found)
    }

    /// Returns the documents of a kind in one of some states, by creator's branch and id; no states: all of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn in_state(&self, kind: u16, states: &[u8]) -> Result<Vec<DocId>, StoreError> {
        const OF_KIND: &str = "SELECT branch, replica, epoch, seq FROM documents WHERE kind = ?1";
        let key = |row: &Row<'_>| Ok((row.get::<u32>(0)?, id(row, 1)?));
        let mut found = Vec::new();
        if states.is_empty() {
            found = self.db.all(OF_KIND, values![kind], key)?;
        }
        for state in states {
            found.extend(self.db.all(&format!("{OF_KIND} AND state = ?2"), values![kind, *state], key)?);
        }
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }

    /// Returns the documents of a kind in one of some states, by human number, else by code; no states: all of them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn by_number(&self, kind: u16, states: &[u8]) -> Result<Vec<DocId>, StoreError> {
        let sql = "SELECT replica, epoch, seq, state, COALESCE(NULLIF(number, ''), code) FROM documents
                   WHERE kind = ?1";
        let all = self
            .db
            .all(sql, values![kind], |row| Ok((row.get::<u8>(3)?, row.get::<String>(4)?, id(row, 0)?)))?;
        let wanted = |state: u8| states.is_empty() || states.contains(&state);
        let mut found: Vec<(String, DocId)> =
            all.into_iter().filter(|(state, ..)| wanted(*state)).map(|(_, no, id)| (no, id)).collect();
        found.sort_unstable();
        Ok(found.into_iter().map(|(_, id)| id).collect())
    }

    /// Returns the documents of a kind in one of some states (none: in any), of one branch or of all, last changed within
    /// `span` of milliseconds, each with its creator's branch; those changed last come first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn newest(
        &self,
        kind: u16,
        states: &[u8],
        scope: Option<u32>,
        span: (u64, u64),
    ) -> Result<Vec<(u32, DocId)>, StoreError> {
        let sql = "SELECT replica, epoch, seq, branch, state FROM documents
             WHERE kind = ?1 AND updated_ms BETWEEN ?2 AND ?3 AND (scope = ?4 OR ?4 IS NULL)
             ORDER BY updated_ms DESC, branch, replica, epoch, seq DESC";
        let all = self.db.all(sql, values![kind, span.0, span.1, scope], |row| {
            Ok((row.get::<u32>(3)?, id(row, 0)?, row.get::<u8>(4)?))
        })?;
        let wanted = |state: &u8| states.is_empty() || states.contains(state);
        Ok(all
            .into_iter()
            .filter(|(_, _, state)| wanted(state))
            .map(|(branch, id, _)| (branch, id))
            .collect())
    }

    /// Returns a document with its line of the index; `branch` is its creator's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn indexed(&self, branch: u32, id: DocId) -> Result<Option<Indexed>, StoreError> {
        let sql = "SELECT branch, number, scope, people, digest, body FROM documents
             WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4";
        let key = values![branch, id.0.replica.0, id.0.epoch.0, id.0.seq];
        Ok(self.db.one(sql, key, indexed)?.map(|(_, indexed)| indexed))
    }

    /// Returns the documents of a branch, by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn in_scope(&self, scope: u32) -> Result<Vec<DocId>, StoreError> {
        let sql = "SELECT replica, epoch, seq FROM documents WHERE scope = ?1 ORDER BY replica, epoch, seq";
        self.db.all(sql, values![scope], |row| id(row, 0))
    }

    /// Returns the documents that a text names: an id, the beginning of a code, or a human number; at most 16.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn find(&self, text: &str) -> Result<Vec<DocId>, StoreError> {
        let code = text.to_ascii_uppercase();
        let plain = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        // Codes are of digits and capitals: `~` comes behind all that begin so.
        let (from, to) = if plain { (code.clone(), code + "~") } else { (String::new(), String::new()) };
        let mut found = self.db.all(FIND, values![&from, &to, text], |row| id(row, 0))?;
        if let Ok(id) = text.parse::<DocId>() {
            found.push(id);
        }
        Ok(found)
    }

    /// Returns the document of a kind with that human number or key; of several the first by id.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn numbered(&self, kind: u16, number: &str) -> Result<Option<DocId>, StoreError> {
        let sql = "SELECT replica, epoch, seq FROM documents WHERE kind = ?1 AND number = ?2
             ORDER BY replica, epoch, seq LIMIT 1";
        self.db.one(sql, values![kind, number], |row| id(row, 0))
    }

    /// Returns whether another document of a kind has that human number, of those that the creator of `one` created.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn is_numbered_beside(&self, kind: u16, number: &str, one: DocId) -> Result<bool, StoreError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM documents WHERE kind = ?1 AND number = ?2
             AND replica = ?3 AND NOT (epoch = ?4 AND seq = ?5))";
        let id = one.0;
        self.db.only(sql, values![kind, number, id.replica.0, id.epoch.0, id.seq])
    }

    /// Returns the human numbers of a kind that hold `part`.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn numbers_with(&self, kind: u16, part: &str) -> Result<Vec<String>, StoreError> {
        let sql = "SELECT number FROM documents WHERE kind = ?1 AND number IS NOT NULL
                   AND (?2 = '' OR replace(number, ?2, '') <> number) ORDER BY number";
        self.db.all(sql, values![kind, part], |row| row.get(0))
    }

    /// Returns the document that an imported row became.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn imported(&self, key: &[u8; 16]) -> Result<Option<DocId>, StoreError> {
        let sql = "SELECT replica, epoch, seq FROM import_keys WHERE branch = 0 AND key = ?1";
        self.db.one(sql, values![key], |row| id(row, 0))
    }

    /// Remembers which document an imported row became.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn import_key(&self, key: &[u8; 16], doc: DocId) -> Result<(), StoreError> {
        self.db.run(
            "INSERT INTO import_keys VALUES (0, ?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
            values![key, doc.0.replica.0, doc.0.epoch.0, doc.0.seq],
        )?;
        Ok(())
    }

    /// Returns how many documents there are.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn documents(&self) -> Result<u64, StoreError> {
        self.db.only("SELECT COUNT(*) FROM documents", &[])
    }

    /// Empties the index, to build it again.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn documents_clear(&self) -> Result<(), StoreError> {
        self.db.run("DELETE FROM documents", &[])?;
        self.db.run("DELETE FROM concerns", &[])?;
        Ok(())
    }
}

/// Returns who of a document's people is neither its creator nor sees it with the whole company.
fn concerned<'a>(indexed: &Indexed, scope: u32, people: &'a [DocId]) -> Vec<&'a DocId> {
    people.iter().filter(|person| Some(**person) != indexed.creator && scope != 0).collect()
}

fn indexed(row: &Row<'_>) -> Result<(u32, Indexed), StoreError> {
    let indexed = Indexed {
        number: row.get(1)?,
        scope: row.get(2)?,
        people: read("documents", &row.get::<Vec<u8>>(3)?)?,
        creator: None,
        digest: row.get(4)?,
        document: read("documents", &row.get::<Vec<u8>>(5)?)?,
    };
    Ok((row.get(0)?, indexed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_sought_on_each_shelf_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::create(&folder.path().join("hq.sqlite")).unwrap();
        let crate::store::engine::Engine::Sqlite(engine) = &store.db else { panic!("a file is SQLite") };
        let plan = engine.plan(FIND);
        assert!(plan.contains("documents_code (shelf=? AND code>? AND code<?)"), "{plan}");
        assert!(plan.contains("documents_code (shelf>?)"), "{plan}");
        assert!(!plan.contains("SCAN d;"), "{plan}");
    }
}
