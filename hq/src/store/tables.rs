//! The tables, written once for both engines, and the steps by which an older database comes to them.
//!
//! Every key begins with a branch (0: the company), so that branches can be spread over databases.
//!
//! An op has no row: it lives in its segment. `documents` and `feeds` are views of the segments and rulings, and so are
//! `marks` (by what a claim is found: the company's, as its vouchers are unique in it) and `in_payment`.
//!
//! Source: docs/STORAGE.md, Headquarters.

use refinery::{Migrate, Migration, Runner};

use crate::store::StoreError;

/// The steps, in order; one that was shipped is never changed.
const STEPS: &[(&str, &str)] = &[("V1__tables", include_str!("tables/V1__tables.sql"))];

/// The large tables, which PostgreSQL keeps in parts by branch.
const BY_BRANCH: &[&str] = &["segments", "archived", "rulings", "documents", "concerns", "feed"];
/// How many parts.
const PARTS: u32 = 8;

/// How an engine is told a step.
pub(super) type Dialect = fn(&str) -> String;

/// SQLite: as it is written.
pub(super) const SQLITE: Dialect = str::to_owned;
/// PostgreSQL: its names of types, no clustered tables, and the large ones in parts by branch.
pub(super) const POSTGRES: Dialect = for_postgres;

/// Where the steps that a database has seen are noted.
pub(super) const HISTORY: &str = "refinery_schema_history";

/// Returns the names of the tables, in the order in which they are made.
pub(super) fn names() -> Vec<&'static str> {
    let lines = STEPS.iter().flat_map(|(_, sql)| sql.split("CREATE TABLE ").skip(1));
    lines.filter_map(|rest| rest.split_whitespace().next()).collect()
}

/// Returns the last step.
pub(super) fn newest() -> u32 {
    u32::try_from(STEPS.len()).unwrap_or(u32::MAX)
}

/// Makes the tables in a database that has none.
///
/// # Errors
/// [`StoreError::Made`] where it has some.
pub(super) fn create<C: Migrate>(db: &mut C, seen: u32, dialect: Dialect) -> Result<(), StoreError> {
    if seen != 0 {
        return Err(StoreError::Made);
    }
    runner(dialect)?.run(db)?;
    Ok(())
}

/// Takes the steps that a database has not seen.
///
/// # Errors
/// [`StoreError::Version`] where it has seen others.
pub(super) fn upgrade<C: Migrate>(db: &mut C, seen: u32, dialect: Dialect) -> Result<(), StoreError> {
    let newest = newest();
    if seen == newest {
        return Ok(());
    }
    if seen == 0 || seen > newest {
        return Err(StoreError::Version { found: seen });
    }
    runner(dialect)?.run(db)?;
    Ok(())
}

/// All or nothing: the steps of one run are one transaction.
fn runner(dialect: Dialect) -> Result<Runner, StoreError> {
    let steps: Result<Vec<_>, _> =
        STEPS.iter().map(|(name, sql)| Migration::unapplied(name, &dialect(sql))).collect();
    Ok(Runner::new(&steps?).set_grouped(true))
}

fn for_postgres(sql: &str) -> String {
    let mut out = String::new();
    for statement in sql.split_inclusive(';') {
        let table =
            statement.trim_start().strip_prefix("CREATE TABLE ").and_then(|rest| rest.split(' ').next());
        let in_parts = table.filter(|table| BY_BRANCH.contains(table));
        let tail = if in_parts.is_some() { " PARTITION BY HASH (branch)" } else { "" };
        let told = statement
            .replace(" WITHOUT ROWID", tail)
            .replace("INTEGER", "BIGINT")
            .replace("BLOB", "BYTEA")
            .replace("TEXT", "TEXT COLLATE \"C\"");
        out.push_str(&told);
        for part in (0..PARTS).filter(|_| in_parts.is_some()) {
            let table = in_parts.unwrap_or_default();
            out.push_str(&format!(
                "\nCREATE TABLE {table}_{part} PARTITION OF {table} FOR VALUES WITH (MODULUS {PARTS}, REMAINDER {part});"
            ));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_a_table_in_parts_begins_with_the_branch() {
        for table in BY_BRANCH {
            let sql = STEPS[0].1.split(&format!("CREATE TABLE {table} ")).nth(1).unwrap();
            let own = sql.split(';').next().unwrap();
            assert!(own.contains("PRIMARY KEY (branch, ") && own.contains("WITHOUT ROWID"), "{table}");
        }
    }

    #[test]
    fn postgres_is_told_its_own_words() {
        let told = for_postgres(STEPS[0].1);
        for word in ["ROWID", "BLOB", "INTEGER"] {
            assert!(!told.contains(word), "{word}");
        }
        assert_eq!(told.matches("PARTITION OF").count(), BY_BRANCH.len() * 8);
        assert!(names().contains(&"segments") && names().len() > 25);
    }
}
