//! What a durable save of 400 bytes costs in other engines, beside a bare append to the same disk.
//!
//! `engines FOLDER SAVES`: the engines take turns in stretches, because a disk's mood changes within seconds.

use std::path::Path;
use std::time::Duration;

use driver::Done;

/// About a sealed sheet's frame in the device's journal.
const BYTES: [u8; 400] = [7; 400];
/// Saves of one engine before the next has its turn.
const STRETCH: u64 = 100;
const TABLE: redb::TableDefinition<'_, u64, &[u8]> = redb::TableDefinition::new("saves");

/// A durable save under a growing key.
type Save = Box<dyn FnMut(u64) -> Done<()>>;

fn main() -> Done<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [folder, saves] = args.as_slice() else { return Err("FOLDER SAVES".into()) };
    let folder = Path::new(folder);
    std::fs::create_dir_all(folder)?;
    let saves: u64 = saves.parse()?;
    let mut engines: Vec<(&str, Save, Vec<Duration>)> = vec![
        ("append", append(folder)?, Vec::new()),
        ("sled", sled(folder)?, Vec::new()),
        ("redb", redb(folder)?, Vec::new()),
        ("sqlite", sqlite(folder)?, Vec::new()),
    ];
    for stretch in 0..saves.div_ceil(STRETCH) {
        for (_, save, times) in &mut engines {
            for n in 0..STRETCH {
                times.push(driver::timed(|| save(stretch * STRETCH + n))?);
            }
        }
    }
    for (name, _, times) in engines {
        println!("{}", serde_json::json!({ "engine": name, "times": driver::told(times) }));
    }
    Ok(())
}

fn append(folder: &Path) -> Done<Save> {
    use std::io::Write as _;

    let mut file = std::fs::File::create(folder.join("append"))?;
    Ok(Box::new(move |_| {
        file.write_all(&BYTES)?;
        Ok(file.sync_data()?)
    }))
}

fn sled(folder: &Path) -> Done<Save> {
    let db = sled::open(folder.join("sled"))?;
    Ok(Box::new(move |n| {
        db.insert(n.to_be_bytes(), BYTES.as_slice())?;
        db.flush()?;
        Ok(())
    }))
}

fn redb(folder: &Path) -> Done<Save> {
    let db = redb::Database::create(folder.join("redb"))?;
    Ok(Box::new(move |n| {
        let change = db.begin_write()?;
        change.open_table(TABLE)?.insert(n, BYTES.as_slice())?;
        Ok(change.commit()?)
    }))
}

fn sqlite(folder: &Path) -> Done<Save> {
    let db = rusqlite::Connection::open(folder.join("sqlite"))?;
    db.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE saves (n INTEGER PRIMARY KEY, v BLOB)")?;
    Ok(Box::new(move |n| {
        db.prepare_cached("INSERT INTO saves VALUES (?1, ?2)")?.execute((i64::try_from(n)?, BYTES.as_slice()))?;
        Ok(())
    }))
}
