//! `sheet`: installation, repair and inspection sheets.

use std::path::PathBuf;

use records::kinds::number;
use records::kinds::repair::REPAIR;
use records::kinds::sheet::NoSign;
use records::problems::Problem;
use serde_json::{Value, json};

use crate::cli::args::{Listed, SHEETS, Sheet};
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault, problem_json};
use crate::cli::{paper, prompt, record};
use crate::notebook::add::{Add, add};
use crate::notebook::amend::{Amend, amend};
use crate::notebook::attach::Given;
use crate::notebook::create::{Create, Created, create};
use crate::notebook::find::Wanted;
use crate::notebook::list::{Filter, list};
use crate::notebook::pair::Pair;
use crate::notebook::remove::{Remove, remove};
use crate::notebook::seal::{Seal, Signed, seal};
use crate::notebook::set::{Changed, Set, set};
use crate::notebook::show::show;
use crate::notebook::state::Taken;
use crate::notebook::step::{Step, step};
use crate::store::Store;

/// Any of the three sheets.
const ANY: Wanted = Wanted::Kind(number::SHEET);

/// Runs a command on sheets.
pub(crate) fn run(command: Sheet, desk: &Desk) -> Result<Page, Fault> {
    match command {
        Sheet::New { kind, job, set } => new(kind.as_deref(), job, &set, desk),
        Sheet::Set { id, pairs } => {
            let request = Set { record: id, wanted: ANY, pairs: read_pairs(&pairs)? };
            let changed = set(&mut desk.store()?, &request, desk.clock.now())?;
            Ok(changed_page(&changed, desk))
        }
        Sheet::Add { id, list, values } => add_page(id, ANY, list, values, desk),
        Sheet::Remove { id, list, values } => remove_page(id, ANY, list, values, desk),
        Sheet::Accept { id } => step_page(&id, ANY, "accept", None, desk),
        Sheet::Return { id, reason } => step_page(&id, ANY, "return", Some(&reason), desk),
        Sheet::Seal { id, signed_by, role, signature, no_sign } => {
            let signed = signed(signed_by, role, signature, no_sign);
            run_seal(Seal { record: id, signed, lang: desk.lang.of_labels() }, desk)
        }
        Sheet::List { kind, listed } => {
            let kinds = kind.as_deref().map_or(SHEETS.to_vec(), |kind| vec![kind]);
            list_page(&kinds, &listed, desk)
        }
        Sheet::Show { id } => show_page(&id, ANY, desk),
        Sheet::History { id } => crate::cli::history::run(&id, ANY, desk),
        Sheet::Amend { id, reason, set } => {
            let request = Amend { record: id, reason, pairs: read_pairs(&set)? };
            let created = amend(&mut desk.store()?, &request, desk.clock.now())?;
            Ok(created_page(&created, desk))
        }
        Sheet::Print(args) => paper::run(&args, desk),
        Sheet::Void { id, reason } => step_page(&id, ANY, "void", reason.as_deref(), desk),
    }
}

/// What a person on a terminal is asked for when he gives nothing: enough for a sheet that can be found again.
const ASKED: [&str; 5] = ["customer", "site", "product", "problem", "arrived"];

fn new(kind: Option<&str>, job: Option<String>, set: &[String], desk: &Desk) -> Result<Page, Fault> {
    let missing = || Fault::new(Exit::Usage, "error.usage.missing").with("argument", &"KIND");
    let asks = desk.asks && job.is_none() && set.is_empty();
    if kind.is_none() && !desk.asks {
        return Err(missing());
    }
    let mut store = desk.store()?;
    let kind = match kind {
        Some(kind) => kind.to_owned(),
        None => {
            let options = SHEETS.iter().filter_map(|name| records::kinds::by_name(name));
            let options: Vec<_> = options.map(|kind| (kind.name, kind.zh, kind.en)).collect();
            prompt::choose_again(&mut store, "sheet", &desk.lang.say("ask.kind", &[]), &options, desk)?
        }
    };
    let kind = crate::cli::schema::kind(&kind)?;
    let mut pairs = read_pairs(set)?;
    if asks {
        prompt::fill(&mut store, kind, &ASKED, &mut pairs, desk)?;
    }
    let request = Create { kind, job, pairs, entries: Vec::new() };
    let created = create(&mut store, &request, desk.clock.now())?;
    Ok(created_page(&created, desk))
}

/// Reads `name=value` words.
///
/// # Errors
/// A usage [`Fault`] with the word that has no `=`.
pub(crate) fn read_pairs(words: &[String]) -> Result<Vec<Pair>, Fault> {
    let read = |word: &String| {
        Pair::parse(word).ok_or_else(|| Fault::new(Exit::Usage, "error.not_a_pair").with("value", word))
    };
    words.iter().map(read).collect()
}

/// Says what was made.
pub(crate) fn created_page(created: &Created, desk: &Desk) -> Page {
    let json = || {
        let notices = notices_json(&created.notices, desk);
        json!({"id": created.id.to_string(), "code": created.id.code(), "notices": notices})
    };
    desk.page(json, |desk| {
        let code = created.id.code();
        desk.lang.say("text.created", &[("code", &code)]) + "\n" + &notices_text(&created.notices, desk)
    })
}

/// Returns what a person should look at as it stands in an answer.
pub(crate) fn notices_json(notices: &[Problem], desk: &Desk) -> Value {
    notices.iter().map(|notice| problem_json(notice, desk.lang)).collect()
}

/// Returns what a person should look at, one line each.
pub(crate) fn notices_text(notices: &[Problem], desk: &Desk) -> String {
    let lang = desk.lang.of_labels();
    let line =
        |notice: &Problem| format!("  {} {} ({})\n", notice.rule, notice.text(lang), notice.hint(lang));
    notices.iter().map(line).collect()
}

/// Says what was changed, and what to look at.
pub(crate) fn noticed_page(changed: &Changed, notices: &[Problem], desk: &Desk) -> Page {
    match changed_page(changed, desk) {
        Page::Json(mut json, exit) => {
            if let Some(members) = json.as_object_mut() {
                members.insert("notices".to_owned(), notices_json(notices, desk));
            }
            Page::Json(json, exit)
        }
        Page::Text(text, exit) => Page::Text(text + &notices_text(notices, desk), exit),
        Page::Printed(exit) => Page::Printed(exit),
    }
}

/// Says what was changed.
pub(crate) fn changed_page(changed: &Changed, desk: &Desk) -> Page {
    let op = changed.op.map(|op| op.to_string());
    let json = || json!({"id": changed.id.to_string(), "code": changed.id.code(), "op": op});
    let key = if changed.op.is_some() { "text.changed" } else { "text.unchanged" };
    desk.page(json, |desk| desk.lang.say(key, &[("code", &changed.id.code())]) + "\n")
}

fn signed(
    signed_by: Option<String>,
    role: Option<String>,
    signature: Option<PathBuf>,
    no_sign: Option<String>,
) -> Signed {
    match (signed_by, signature, no_sign) {
        (Some(name), Some(picture), _) => Signed::By { name, role, picture: Given::Path(picture) },
        (_, _, Some(reason)) => Signed::Not(reason),
        _ => Signed::AsWritten,
    }
}

fn run_seal(mut request: Seal, desk: &Desk) -> Result<Page, Fault> {
    let mut store = desk.store()?;
    let sealed = loop {
        match seal(&mut store, &request, desk.clock.now()).map_err(Fault::from) {
            Ok(sealed) => break sealed,
            // Somebody is there: what is missing is asked for, until an answer no longer brings the seal nearer.
            Err(fault) if desk.asks && answered(&mut store, &mut request, &fault, desk)? => {}
            Err(fault) => return Err(fault),
        }
    };
    let json = || {
        json!({
            "id": sealed.id.to_string(), "code": sealed.id.code(), "number": sealed.number, "state": "sealed",
        })
    };
    Ok(desk.page(json, |desk| {
        let facts = [("code", sealed.id.code()), ("number", sealed.number.clone())];
        let facts = facts.each_ref().map(|(name, value)| (*name, value.as_str()));
        desk.lang.say("text.sealed", &facts) + "\n"
    }))
}

/// Asks for what the open points of a seal name; returns whether there was an answer.
fn answered(store: &mut Store, request: &mut Seal, fault: &Fault, desk: &Desk) -> Result<bool, Fault> {
    let open = |rule: &str| fault.points.iter().find(|point| point.rule == rule);
    let mut pairs = Vec::new();
    let fields: Vec<&str> =
        ["S-01", "S-03"].into_iter().filter_map(|rule| open(rule).map(|point| point.field)).collect();
    prompt::fill(store, &REPAIR, &fields, &mut pairs, desk)?;
    let signs = open("S-07").is_some();
    if signs {
        request.signed = signature(desk)?;
    }
    let answered = signs || !pairs.is_empty();
    if !pairs.is_empty() {
        let request = Set { record: request.record.clone(), wanted: ANY, pairs };
        set(store, &request, desk.clock.now())?;
    }
    Ok(answered)
}

/// Asks whether the customer signed: his name and the picture, else why not.
fn signature(desk: &Desk) -> Result<Signed, Fault> {
    let say = |key: &str| desk.lang.say(key, &[]);
    let mut options = vec![("signed", "客户已签字", "The customer signed")];
    options.extend(NoSign::CHOICES.options);
    let chosen = prompt::choose(&say("ask.signature"), &options, None, desk)?;
    if chosen != "signed" {
        return Ok(Signed::Not(chosen));
    }
    Ok(Signed::By {
        name: prompt::text(&say("ask.signer"))?,
        role: None,
        picture: Given::Path(prompt::text(&say("ask.picture"))?.into()),
    })
}

/// Lists records of these kinds.
pub(crate) fn list_page(kinds: &[&str], listed: &Listed, desk: &Desk) -> Result<Page, Fault> {
    let store = desk.store()?;
    let zone = store.identity().enrolment.zone;
    let kinds = kinds.iter().map(|kind| crate::cli::schema::kind(kind)).collect::<Result<Vec<_>, _>>()?;
    let filter = filter(kinds, listed, zone)?;
    let lines = list(&store, &filter, desk.lang.of_labels())?;
    let json = || lines.iter().map(|line| Value::from(record::line_json(line, zone))).collect();
    Ok(desk.page(json, |desk| record::lines_text(&lines, desk, zone)))
}

/// Returns which records of these kinds are asked for.
///
/// # Errors
/// A usage [`Fault`] for a state that none of them has, or a day that does not read.
pub(crate) fn filter(
    kinds: Vec<&'static records::schema::Kind>,
    listed: &Listed,
    zone: records::time::Zone,
) -> Result<Filter, Fault> {
    Ok(Filter {
        state: listed.state.as_deref().map(|state| known_state(&kinds, state)).transpose()?,
        since: listed.since.as_deref().map(|day| Desk::day_or_instant(day, zone, 0)).transpose()?,
        until: listed.until.as_deref().map(|day| Desk::day_or_instant(day, zone, 1)).transpose()?,
        limit: listed.limit,
        kinds,
    })
}

fn known_state(kinds: &[&'static records::schema::Kind], state: &str) -> Result<String, Fault> {
    let states = || kinds.iter().filter_map(|kind| kind.machine).flat_map(|machine| machine.states);
    if states().any(|known| known.name == state) {
        return Ok(state.to_owned());
    }
    let mut names: Vec<&str> = Vec::new();
    for known in states().map(|state| state.name) {
        // The three sheets have the same states.
        if !names.contains(&known) {
            names.push(known);
        }
    }
    Err(Fault::new(Exit::Usage, "error.unknown_state")
        .with("state", &state)
        .with("states", &names.join(", ")))
}

/// Adds an entry to a list.
pub(crate) fn add_page(
    record: String,
    wanted: Wanted,
    list: String,
    words: Vec<String>,
    desk: &Desk,
) -> Result<Page, Fault> {
    let request = Add { record, wanted, list, words, files: Vec::new() };
    let changed = add(&mut desk.store()?, &request, desk.clock.now())?;
    Ok(changed_page(&changed, desk))
}

/// Takes elements out of a list.
pub(crate) fn remove_page(
    record: String,
    wanted: Wanted,
    list: String,
    words: Vec<String>,
    desk: &Desk,
) -> Result<Page, Fault> {
    let request = Remove { record, wanted, list, words };
    let changed = remove(&mut desk.store()?, &request, desk.clock.now())?;
    Ok(changed_page(&changed, desk))
}

/// Takes a step that needs nothing but a reason.
pub(crate) fn step_page(
    id: &str,
    wanted: Wanted,
    name: &str,
    reason: Option<&str>,
    desk: &Desk,
) -> Result<Page, Fault> {
    let taken = Taken { step: name, reason: reason.unwrap_or_default(), ..Taken::default() };
    let request = Step { record: id, wanted, taken, pairs: Vec::new(), entries: Vec::new() };
    let changed = step(&mut desk.store()?, &request, desk.clock.now())?;
    Ok(changed_page(&changed, desk))
}

/// Shows one record.
pub(crate) fn show_page(id: &str, wanted: Wanted, desk: &Desk) -> Result<Page, Fault> {
    let store = desk.store()?;
    let zone = store.identity().enrolment.zone;
    let shown = show(&store, id, wanted, desk.lang.of_labels())?;
    Ok(desk.page(|| record::shown_json(&shown, zone), |desk| record::shown_text(&shown, desk, zone)))
}
