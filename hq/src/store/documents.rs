//! The index of documents: what all their ops make, and who may see it.

use records::id::{DocId, Epoch, OpId, Replica};
use rusqlite::{OptionalExtension, Row, params};
use sync_protocol::merge::Document;

use super::{Store, StoreError, bytes, read};

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

fn id(row: &Row<'_>, at: usize) -> rusqlite::Result<DocId> {
    Ok(DocId(OpId { replica: Replica(row.get(at)?), epoch: Epoch(row.get(at + 1)?), seq: row.get(at + 2)? }))
}

impl Store {
    /// Puts a document into the index, over its earlier line.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn document_put(&self, branch: u32, indexed: &Indexed) -> Result<(), StoreError> {
        let document = &indexed.document;
        let op = document.id.0;
        self.db
            .prepare_cached(
                "INSERT OR REPLACE INTO documents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
            )?
            .execute(params![
                branch,
                op.replica.0,
                op.epoch.0,
                op.seq,
                document.kind,
                document.id.code(),
                indexed.number,
                document.state,
                indexed.scope,
                document.updated.ms,
                indexed.digest,
                bytes(&indexed.people),
                bytes(&document.ops),
                bytes(document)
            ])?;
        self.concerns_put(branch, indexed)
    }

    /// Whom a document concerns beside its creator and the whole company: for a new device, and for digests.
    fn concerns_put(&self, branch: u32, indexed: &Indexed) -> Result<(), StoreError> {
        let op = indexed.document.id.0;
        let others =
            indexed.people.iter().filter(|person| Some(**person) != indexed.creator && indexed.scope != 0);
        let others: Vec<Vec<u8>> = others.map(bytes).collect();
        if others.is_empty() && indexed.document.ops.len() == 1 {
            return Ok(());
        }
        let key = params![branch, op.replica.0, op.epoch.0, op.seq];
        self.db
            .prepare_cached(
                "DELETE FROM concerns WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4",
            )?
            .execute(key)?;
        for person in others {
            self.db.prepare_cached("INSERT INTO concerns VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
                branch,
                op.replica.0,
                op.epoch.0,
                op.seq,
                person
            ])?;
        }
        Ok(())
    }

    /// Returns a document; `branch` is its creator's.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn document(&self, branch: u32, id: DocId) -> Result<Option<Document>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT body FROM documents WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4",
        )?;
        let key = params![branch, id.0.replica.0, id.0.epoch.0, id.0.seq];
        let body: Option<Vec<u8>> = query.query_row(key, |row| row.get(0)).optional()?;
        body.map(|body| read("documents", &body)).transpose()
    }

    /// Returns a document's ops and who sees it, without its values.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn known(&self, branch: u32, id: DocId) -> Result<Option<Known>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT ops, scope, people FROM documents WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4",
        )?;
        let key = params![branch, id.0.replica.0, id.0.epoch.0, id.0.seq];
        let row: Option<(Vec<u8>, u32, Vec<u8>)> =
            query.query_row(key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
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
        let mut query = self
            .db
            .prepare(
                "SELECT branch, number, scope, people, digest, body FROM documents
                 WHERE ?1 IS NULL OR kind = ?1 ORDER BY branch, replica, epoch, seq",
            )
            .map_err(StoreError::from)?;
        let mut rows = query.query([kind]).map_err(StoreError::from)?;
        while let Some(row) = rows.next().map_err(StoreError::from)? {
            let (branch, indexed) = indexed(row)?;
            each(branch, indexed)?;
        }
        Ok(())
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
        let mut ask = |tail: &str, with: &[&dyn rusqlite::ToSql]| -> Result<(), StoreError> {
            let mut query = self.db.prepare_cached(&format!("{OF} {tail}"))?;
            let mut rows = query.query(with)?;
            while let Some(row) = rows.next()? {
                found.insert(id(row, 0)?, row.get(3)?);
            }
            Ok(())
        };
        ask("WHERE d.scope = 0", &[])?;
        if let Some(branch) = oversees.filter(|branch| *branch != 0) {
            ask("WHERE d.scope = ?1", &[&branch])?;
        }
        for (branch, replica) in own {
            ask("WHERE d.branch = ?1 AND d.replica = ?2", &[branch, &replica.0])?;
        }
        if let Some(staff) = staff {
            let tail = "JOIN concerns c USING (branch, replica, epoch, seq) WHERE c.staff = ?1";
            ask(tail, &[&bytes(&staff)])?;
        }
        Ok(found)
    }

    /// Returns the documents of a kind in one of some states, by creator's branch and id; no states: all of them.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn in_state(&self, kind: u16, states: &[u8]) -> Result<Vec<DocId>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT replica, epoch, seq, state FROM documents WHERE kind = ?1 ORDER BY branch, replica, epoch, seq",
        )?;
        let rows = query.query_map([kind], |row| Ok((id(row, 0)?, row.get::<_, u8>(3)?)))?;
        let all: Vec<(DocId, u8)> = rows.collect::<Result<_, _>>()?;
        let wanted = |state: &u8| states.is_empty() || states.contains(state);
        Ok(all.into_iter().filter(|(_, state)| wanted(state)).map(|(id, _)| id).collect())
    }

    /// Returns the documents of a kind in one of some states (none: in any), of one branch or of all, last changed within
    /// `span` of milliseconds, each with its creator's branch; those changed last come first.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn newest(
        &self,
        kind: u16,
        states: &[u8],
        scope: Option<u32>,
        span: (u64, u64),
    ) -> Result<Vec<(u32, DocId)>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT replica, epoch, seq, branch, state FROM documents
             WHERE kind = ?1 AND updated_ms BETWEEN ?2 AND ?3 AND (?4 IS NULL OR scope = ?4)
             ORDER BY updated_ms DESC, branch, replica, epoch, seq DESC",
        )?;
        let rows = query.query_map(params![kind, span.0, span.1, scope], |row| {
            Ok((row.get::<_, u32>(3)?, id(row, 0)?, row.get::<_, u8>(4)?))
        })?;
        let all: Vec<(u32, DocId, u8)> = rows.collect::<Result<_, _>>()?;
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
        let mut query = self.db.prepare_cached(
            "SELECT branch, number, scope, people, digest, body FROM documents
             WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4",
        )?;
        let mut rows = query.query(params![branch, id.0.replica.0, id.0.epoch.0, id.0.seq])?;
        Ok(rows.next()?.map(indexed).transpose()?.map(|(_, indexed)| indexed))
    }

    /// Returns the documents of a branch, by id.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn in_scope(&self, scope: u32) -> Result<Vec<DocId>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT replica, epoch, seq FROM documents WHERE scope = ?1 ORDER BY replica, epoch, seq",
        )?;
        let rows = query.query_map([scope], |row| id(row, 0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the documents that a text names: an id, the beginning of a code, or a human number; at most 16.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn find(&self, text: &str) -> Result<Vec<DocId>, StoreError> {
        let code = text.to_ascii_uppercase();
        let plain = !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let pattern = if plain { format!("{code}*") } else { String::new() };
        let mut query = self.db.prepare_cached(
            "SELECT replica, epoch, seq FROM documents WHERE code GLOB ?1
             UNION SELECT replica, epoch, seq FROM documents WHERE number = ?2 LIMIT 16",
        )?;
        let rows = query.query_map(params![pattern, text], |row| id(row, 0))?;
        let mut found: Vec<DocId> = rows.collect::<Result<_, _>>()?;
        if let Ok(id) = text.parse::<DocId>() {
            found.push(id);
        }
        Ok(found)
    }

    /// Returns the document of a kind with that human number or key; of several the first by id.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn numbered(&self, kind: u16, number: &str) -> Result<Option<DocId>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT replica, epoch, seq FROM documents WHERE kind = ?1 AND number = ?2
             ORDER BY replica, epoch, seq LIMIT 1",
        )?;
        Ok(query.query_row(params![kind, number], |row| id(row, 0)).optional()?)
    }

    /// Returns the human numbers of a kind that hold `part`.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn numbers_with(&self, kind: u16, part: &str) -> Result<Vec<String>, StoreError> {
        let mut query = self.db.prepare_cached(
            "SELECT number FROM documents WHERE kind = ?1 AND number IS NOT NULL AND instr(number, ?2) > 0",
        )?;
        let rows = query.query_map(params![kind, part], |row| row.get(0))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Returns the document that an imported row became.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn imported(&self, key: &[u8; 16]) -> Result<Option<DocId>, StoreError> {
        let mut query = self
            .db
            .prepare_cached("SELECT replica, epoch, seq FROM import_keys WHERE branch = 0 AND key = ?1")?;
        Ok(query.query_row([key], |row| id(row, 0)).optional()?)
    }

    /// Remembers which document an imported row became.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn import_key(&self, key: &[u8; 16], doc: DocId) -> Result<(), StoreError> {
        self.db
            .prepare_cached("INSERT OR IGNORE INTO import_keys VALUES (0, ?1, ?2, ?3, ?4)")?
            .execute(params![key, doc.0.replica.0, doc.0.epoch.0, doc.0.seq])?;
        Ok(())
    }

    /// Returns how many documents there are.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn documents(&self) -> Result<u64, StoreError> {
        Ok(self.db.query_row("SELECT COUNT(*) FROM documents", [], |row| row.get(0))?)
    }

    /// Empties the index, to build it again.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`].
    pub fn documents_clear(&self) -> Result<(), StoreError> {
        self.db.execute_batch("DELETE FROM documents; DELETE FROM concerns;")?;
        Ok(())
    }
}

fn indexed(row: &Row<'_>) -> Result<(u32, Indexed), StoreError> {
    let indexed = Indexed {
        number: row.get(1)?,
        scope: row.get(2)?,
        people: read("documents", &row.get::<_, Vec<u8>>(3)?)?,
        creator: None,
        digest: row.get(4)?,
        document: read("documents", &row.get::<_, Vec<u8>>(5)?)?,
    };
    Ok((row.get(0)?, indexed))
}
