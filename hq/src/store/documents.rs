//! The index of documents: what all their ops make, and who may see it.

use records::id::{DocId, Epoch, OpId, Replica};

use sync_protocol::merge::Document;

use crate::store::engine::{Row, Value, values};
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

const PUT: &str = "INSERT INTO documents VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
     ON CONFLICT (branch, replica, epoch, seq) DO UPDATE SET kind = excluded.kind, code = excluded.code,
       number = excluded.number, state = excluded.state, scope = excluded.scope, updated_ms = excluded.updated_ms,
       digest = excluded.digest, people = excluded.people, ops = excluded.ops, body = excluded.body";

fn id(row: &Row<'_>, at: usize) -> Result<DocId, StoreError> {
    Ok(DocId(OpId { replica: Replica(row.get(at)?), epoch: Epoch(row.get(at + 1)?), seq: row.get(at + 2)? }))
}

impl Store {
    /// Puts a document into the index, over its earlier line.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn document_put(&self, branch: u32, indexed: &Indexed) -> Result<(), StoreError> {
        let document = &indexed.document;
        let op = document.id.0;
        let (people, ops, body) = (bytes(&indexed.people), bytes(&document.ops), bytes(document));
        self.db.run(
            PUT,
            values![
                branch,
                op.replica.0,
                op.epoch.0,
                op.seq,
                document.kind,
                &document.id.code(),
                indexed.number.as_ref(),
                document.state,
                indexed.scope,
                document.updated.ms,
                &indexed.digest,
                &people,
                &ops,
                &body
            ],
        )?;
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
        let key = values![branch, op.replica.0, op.epoch.0, op.seq];
        self.db.run(
            "DELETE FROM concerns WHERE branch = ?1 AND replica = ?2 AND epoch = ?3 AND seq = ?4",
            key,
        )?;
        for person in others {
            self.db.run(
                "INSERT INTO concerns VALUES (?1, ?2, ?3, ?4, ?5)",
                values![branch, op.replica.0, op.epoch.0, op.seq, &person],
            )?;
        }
        Ok(())
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
        let sql = "SELECT replica, epoch, seq FROM documents WHERE code >= ?1 AND code < ?2
             UNION SELECT replica, epoch, seq FROM documents WHERE number = ?3 LIMIT 16";
        let mut found = self.db.all(sql, values![&from, &to, text], |row| id(row, 0))?;
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
