//! `batch manifest`: the lists of a batch as a file.

use std::collections::BTreeMap;
use std::path::Path;

use papers::lists::envelope::{Envelope, Who};
use papers::lists::{ListError, workbook};
use records::claim::view::Claim;
use records::value::Target;
use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault};
use crate::cli::office::{self, say, today};
use crate::money::decide::title;

/// Writes the lists of a batch: all of them into a workbook, the detail list into a text file.
pub(super) fn run(name: &str, out: &Path, room: &Room) -> Result<Answer, Fault> {
    let (batch, mut desk) = office::look(room, |desk| desk.batch(name))?;
    let terms = desk.terms()?;
    let staff = desk.people()?;
    let mut claims: Vec<Claim> = Vec::new();
    for id in batch.listed.iter().filter_map(|listed| listed.claim) {
        claims.extend(desk.held_claim(id)?.map(|held| held.claim));
    }
    let (mut people, mut sheets) = (BTreeMap::new(), BTreeMap::new());
    for claim in &claims {
        let person = staff.staff.get(&claim.staff);
        let unit = claim.unit.and_then(|unit| staff.units.get(&unit));
        people.insert(
            claim.staff,
            Who {
                code: person.map(|person| person.code.clone()).unwrap_or_default(),
                name: person.map(|person| person.name.clone()).unwrap_or_default(),
                unit: unit.map(|unit| unit.code.clone()).unwrap_or_default(),
            },
        );
        for target in claim.lines.iter().flat_map(|line| &line.sheets) {
            if let Target::Doc(id) = target {
                sheets.insert(*id, desk.record(*id)?.map_or_else(|| id.code(), |sheet| title(&sheet)));
            }
        }
    }
    let no = batch.no();
    let explained: BTreeMap<String, String> = batch.explained.clone().into_iter().collect();
    let envelope = Envelope {
        batch_no: &no,
        claims: &claims,
        explained: &explained,
        apart: terms.in_force.policy(today(room)).manifest.non_service_sheet,
        who: &|id| people.get(&id).cloned().unwrap_or_default(),
        sheet: &|target| match target {
            Target::Doc(id) => sheets.get(id).cloned().unwrap_or_default(),
            Target::Text(text) => text.clone(),
        },
        lang: room.lang.papers(),
    };
    let unwritten =
        |error: ListError| Fault::usage("hq.file").with("file", out.display()).with("reason", error);
    let lists = envelope.lists().map_err(unwritten)?;
    let bytes = match (out.extension().and_then(|extension| extension.to_str()), lists.first()) {
        (Some("xlsx"), _) => workbook(&lists),
        (Some("csv"), Some(detail)) => detail.csv(true),
        _ => return Err(Fault::usage("hq.pay.form").with("file", out.display())),
    };
    std::fs::write(out, bytes.map_err(unwritten)?).map_err(|error| Fault::file(out, &error))?;
    let (file, n) = (out.display().to_string(), claims.len());
    let facts = [("no", no.clone()), ("n", n.to_string()), ("file", file.clone())];
    let names: Vec<&str> = lists.iter().map(|list| list.name.as_str()).collect();
    let json = json!({"batch_no": no, "n_claims": n, "file": file, "lists": names});
    Ok(Answer::new(json, say(room.lang, "hq.batch.listed", &facts)))
}
