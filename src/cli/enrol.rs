//! `enrol`: the home becomes a replica.

use serde_json::json;
use sync_protocol::enrolment::Enrolment;

use crate::cli::args::Enrol;
use crate::cli::desk::{Desk, Page};
use crate::cli::fault::Fault;
use crate::cli::table::pairs;
use crate::notebook::enrol::{enrol, enrol_anew};

/// Longest file that can hold a code.
const FILE_BYTES_MAX: u64 = 64 * 1024;

/// Enrols the home and says who the device is now.
pub(crate) fn run(args: &Enrol, desk: &Desk) -> Result<Page, Fault> {
    let code = match (&args.code, &args.file) {
        (Some(code), _) => code.clone(),
        (None, Some(file)) => read(file)?,
        (None, None) => String::new(),
    };
    let enrolment = match args.anew {
        false => enrol(&desk.home, &code, desk.clock.now())?,
        true => enrol_anew(desk.store()?, &code, desk.clock.now())?,
    };
    Ok(desk.page(|| answer(&enrolment, desk), |desk| text(&enrolment, desk)))
}

fn read(file: &std::path::Path) -> Result<String, Fault> {
    use std::io::Read;
    let mut code = String::new();
    std::fs::File::open(file)
        .and_then(|file| file.take(FILE_BYTES_MAX).read_to_string(&mut code))
        .map_err(|error| Fault::file(file, &error))?;
    Ok(code)
}

fn answer(enrolment: &Enrolment, desk: &Desk) -> serde_json::Value {
    json!({
        "replica": enrolment.replica.0,
        "staff": {"id": enrolment.staff.to_string(), "code": enrolment.staff_code, "name": enrolment.staff_name},
        "unit": {"id": enrolment.unit.to_string(), "name": enrolment.unit_name},
        "company": enrolment.company,
        "roles": roles(enrolment),
        "address": enrolment.address,
        "home": desk.home.display().to_string(),
    })
}

/// Returns the identifiers of the roles.
pub(crate) fn roles(enrolment: &Enrolment) -> Vec<&'static str> {
    enrolment.roles.iter().filter_map(|role| Some(crate::cli::schema::role_name(*role)?.0)).collect()
}

fn text(enrolment: &Enrolment, desk: &Desk) -> String {
    let say = |key: &str| desk.lang.say(key, &[]);
    let roles = enrolment.roles.iter().filter_map(|role| crate::cli::schema::role_name(*role));
    let roles: Vec<_> = roles.map(|(_, zh, en)| desk.lang.label(zh, en)).collect();
    let rows = [
        (say("text.enrol.who"), format!("{} ({})", enrolment.staff_name, enrolment.staff_code)),
        (say("text.enrol.unit"), format!("{} / {}", enrolment.company, enrolment.unit_name)),
        (say("text.enrol.roles"), roles.join(", ")),
        (say("text.enrol.hq"), enrolment.address.clone()),
        (say("text.enrol.home"), desk.home.display().to_string()),
    ];
    format!("{}\n{}{}\n", say("text.enrol.done"), pairs(desk.style, &rows), say("text.enrol.next"))
}
