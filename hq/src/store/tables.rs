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
const STEPS: &[(&str, &str)] = &[
    ("V1__tables", include_str!("tables/V1__tables.sql")),
    ("V2__shelves", include_str!("tables/V2__shelves.sql")),
];

/// The large tables, which PostgreSQL keeps in parts by branch.
const BY_BRANCH: &[&str] = &["segments", "archived", "rulings", "documents", "concerns", "feed"];
/// How many parts.
const PARTS: u32 = 8;

/// How many commits there were: what tells a process that another one wrote. Of PostgreSQL's first step.
const COMMITS: &str = "CREATE TABLE commits (n BIGINT NOT NULL); INSERT INTO commits VALUES (0);";

/// How an engine is told a step, the name of which comes first.
pub(super) type Dialect = fn(&str, &str) -> String;

/// SQLite: as it is written.
pub(super) const SQLITE: Dialect = |_, sql| sql.to_owned();
/// PostgreSQL: its names of types, no clustered tables, and the large ones in parts by branch.
pub(super) const POSTGRES: Dialect = |name, sql| {
    let beside = if name.starts_with("V1_") { COMMITS } else { "" };
    for_postgres(sql) + beside
};

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
    Ok(Runner::new(&steps(dialect)?).set_grouped(true))
}

fn steps(dialect: Dialect) -> Result<Vec<Migration>, StoreError> {
    let told = STEPS.iter().map(|(name, sql)| Migration::unapplied(name, &dialect(name, sql)));
    Ok(told.collect::<Result<_, _>>()?)
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

    /// A server's database would have been brought up with another first step than the one that had made it, which ends
    /// every upgrade; as long as there was one step nobody saw it.
    #[test]
    fn a_step_that_was_shipped_is_what_it_was() {
        let sums = |dialect| steps(dialect).unwrap().iter().map(Migration::checksum).collect::<Vec<_>>();
        assert_eq!(sums(SQLITE)[0], 6_544_084_054_737_910_132);
        assert_eq!(sums(POSTGRES)[0], 6_743_544_541_313_054_610);
    }

    #[test]
    fn postgres_is_told_its_own_words() {
        let told: String = STEPS.iter().map(|(_, sql)| for_postgres(sql)).collect();
        for word in ["ROWID", "BLOB", "INTEGER"] {
            assert!(!told.contains(word), "{word}");
        }
        assert_eq!(told.matches("PARTITION OF").count(), BY_BRANCH.len() * 8);
        assert!(names().contains(&"segments") && names().len() > 25);
    }
}
