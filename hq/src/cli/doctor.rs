//! `doctor`: is everything whole, and what should each device hold?

use records::files::Part;
use serde_json::json;
use sync_protocol::digest;

use crate::cli::Room;
use crate::cli::answer::{Answer, DAMAGED, Fault};
use crate::cli::progress::Progress;
use crate::cli::table::table;
use crate::store::StoreError;

pub(super) fn run(room: &Room) -> Result<Answer, Fault> {
    let mut desk = room.open()?;
    let bar = Progress::waiting("text.progress.doctor", room);
    let whole = desk.store.is_whole()?;
    let people = desk.people()?;
    let looked = desk.transact(|desk| desk.rebuild(false))?;
    let mut all = Vec::new();
    let mut conflicts = 0_u64;
    let mut refused = 0_u64;
    let mut missing = std::collections::BTreeSet::new();
    let files = desk.files.clone();
    desk.store.each_document::<StoreError>(None, |_, indexed| {
        let named = crate::reading::files(&indexed.document).into_iter();
        let wanted = named.filter(|named| named.part != Part::Original);
        missing.extend(wanted.map(|named| named.hash).filter(|hash| files.length(hash).is_none()));
        conflicts += u64::try_from(indexed.document.conflicts().len()).unwrap_or(0);
        refused += u64::try_from(indexed.document.refused.len()).unwrap_or(0);
        all.push((indexed.document.id, indexed.digest));
        Ok(())
    })?;
    let views_ok = whole && looked.differed == 0;
    let root = records::hex::of(&digest::root(all));
    let mut replicas = Vec::new();
    let mut lines = Vec::new();
    for device in desk.store.devices(None)? {
        let digest = records::hex::of(&desk.digest_for(&device)?);
        let staff = device.staff.and_then(|staff| people.staff.get(&staff)).map_or("", |person| &person.code);
        let level = if device.level { "hq.device.level" } else { "hq.device.behind" };
        lines.push(vec![
            device.replica.0.to_string(),
            staff.to_owned(),
            digest.clone(),
            room.lang.say(level, &[]),
        ]);
        replicas.push(json!({
            "replica": device.replica.0,
            "staff": staff,
            "digest": digest,
            "level": device.level,
        }));
    }
    drop(bar);
    let ops = desk.store.ops()?;
    let documents = desk.store.documents()?;
    let held = files.all().count();
    let facts = [
        ("files".to_owned(), held.to_string()),
        ("missing".to_owned(), missing.len().to_string()),
        ("ops".to_owned(), ops.to_string()),
        ("documents".to_owned(), documents.to_string()),
        ("differed".to_owned(), looked.differed.to_string()),
    ];
    let key = if views_ok { "hq.doctor.well" } else { "hq.doctor.differs" };
    let titles = ["replica", "staff", "digest", "level"]
        .map(|column| room.lang.say(&format!("hq.column.{column}"), &[]));
    let text = format!(
        "{}\n{}\n{}",
        room.lang.say(key, &facts),
        room.lang.say("hq.doctor.files", &facts),
        table(&titles, lines)
    );
    let json = json!({
        "ops": ops,
        "documents": documents,
        "views_ok": views_ok,
        "digest": root,
        "unsent_ops": 0,
        "conflicts": conflicts,
        "quarantined": refused,
        "files": {"held": held, "missing": missing.len(), "on_the_way": desk.store.files_on_the_way()?},
        "replicas": replicas,
    });
    Ok(Answer { json, text, code: if views_ok { 0 } else { DAMAGED } })
}
