//! `user`: logins of the console.

use std::io::{BufRead, IsTerminal};

use records::time::Zone;
use serde_json::json;

use crate::cli::Room;
use crate::cli::answer::{Answer, Fault, REFUSED};
use crate::cli::office::titles;
use crate::cli::table::table;
use crate::logins;
use crate::money::rows::instant;

/// What is done with logins.
#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Gives somebody a login, or a new password: asked for, or the first line of standard input
    Add {
        /// His staff code
        #[arg(long, value_name = "CODE")]
        staff: String,
    },
    /// Takes somebody's login away, and logs him out
    Remove {
        /// His staff code
        #[arg(long, value_name = "CODE")]
        staff: String,
    },
    /// Asks somebody for a one-time code at each login, and prints what his authenticator reads
    Totp {
        /// His staff code
        #[arg(long, value_name = "CODE")]
        staff: String,
        /// Asks for none any more
        #[arg(long)]
        off: bool,
    },
    /// Lists who may log in
    List,
}

pub(super) fn run(command: &Command, room: &Room) -> Result<Answer, Fault> {
    match command {
        Command::Add { staff } => add(staff, room),
        Command::Remove { staff } => remove(staff, room),
        Command::Totp { staff, off } => totp(staff, *off, room),
        Command::List => list(room),
    }
}

fn add(staff: &str, room: &Room) -> Result<Answer, Fault> {
    let mut desk = room.open()?;
    let hash = logins::hash(&password(room)?)?;
    let now_ms = room.clock.now_ms();
    desk.transact(|desk| desk.set_password(staff, hash, now_ms)).map_err(|error| told(error, staff))?;
    let said = room.lang.say("hq.user.added", &[("staff".to_owned(), staff.to_owned())]);
    Ok(Answer::new(json!({"staff": staff}), said))
}

fn remove(staff: &str, room: &Room) -> Result<Answer, Fault> {
    let mut desk = room.open()?;
    let now_ms = room.clock.now_ms();
    if desk.people()?.by_code(staff).is_some() && desk.login_of(staff)?.is_none() {
        return Err(Fault::new(REFUSED, "hq.user.none").with("staff", staff));
    }
    desk.transact(|desk| desk.drop_login(staff, now_ms)).map_err(|error| told(error, staff))?;
    let said = room.lang.say("hq.user.removed", &[("staff".to_owned(), staff.to_owned())]);
    Ok(Answer::new(json!({"staff": staff}), said))
}

fn totp(staff: &str, off: bool, room: &Room) -> Result<Answer, Fault> {
    let (mut desk, now_ms) = (room.open()?, room.clock.now_ms());
    let facts = [("staff".to_owned(), staff.to_owned())];
    if off {
        desk.transact(|desk| desk.drop_totp(staff, now_ms)).map_err(|error| told(error, staff))?;
        return Ok(Answer::new(json!({"staff": staff}), room.lang.say("hq.user.totp_off", &facts)));
    }
    let uri = desk.transact(|desk| desk.set_totp(staff, now_ms)).map_err(|error| told(error, staff))?;
    let said = room.lang.say("hq.user.totp", &facts);
    let text = format!("{said}\n{uri}\n\n{}", symbol(&uri));
    Ok(Answer::new(json!({"staff": staff, "uri": uri}), text))
}

/// Returns a QR symbol for a terminal, two rows of it a line; nothing where the text is too long for one.
fn symbol(text: &str) -> String {
    let Ok(code) = qrcodegen::QrCode::encode_text(text, qrcodegen::QrCodeEcc::Low) else {
        return String::new();
    };
    let side = -2..code.size() + 2;
    let line = |y: i32| -> String {
        let cell = |x: i32| match (code.get_module(x, y), code.get_module(x, y + 1)) {
            (false, false) => '█',
            (false, true) => '▀',
            (true, false) => '▄',
            (true, true) => ' ',
        };
        side.clone().map(cell).chain(['\n']).collect()
    };
    side.clone().step_by(2).map(line).collect()
}

fn told(error: logins::LoginError, staff: &str) -> Fault {
    Fault::from(error).with("staff", staff)
}

fn list(room: &Room) -> Result<Answer, Fault> {
    let mut desk = room.open()?;
    let people = desk.people()?;
    let (mut rows, mut lines) = (Vec::new(), Vec::new());
    for login in desk.logins()? {
        let Some(person) = people.staff.get(&login.staff) else { continue };
        let roles: Vec<&str> = person
            .roles
            .iter()
            .filter_map(|role| records::kinds::staff::Role::CHOICES.option(role.0))
            .map(|(word, zh, en)| if room.json { word } else { room.lang.words().pick(zh, en) })
            .collect();
        let set = instant(login.changed_ms).rfc3339(Zone::SHANGHAI);
        rows.push(json!({"staff": person.code, "name": person.name, "roles": roles, "password_set": set}));
        lines.push(vec![person.code.clone(), person.name.clone(), roles.join(" "), set]);
    }
    let text = table(&titles(room.lang, ["staff", "name", "roles", "password_set"]), lines);
    Ok(Answer::new(rows.into(), text))
}

/// Asks for the password where somebody can answer, else takes the first line of standard input.
fn password(room: &Room) -> Result<String, Fault> {
    let broken = |error: std::io::Error| Fault::file(std::path::Path::new("-"), &error);
    let input = std::io::stdin();
    if input.is_terminal() {
        let asked = dialoguer::Password::new()
            .with_prompt(room.lang.say("hq.user.password", &[]))
            .report(false)
            .with_confirmation(room.lang.say("hq.user.again", &[]), room.lang.say("hq.user.differs", &[]))
            .interact();
        return asked.map_err(|dialoguer::Error::IO(error)| broken(error));
    }
    let mut line = String::new();
    std::io::Read::take(input.lock(), 4096).read_line(&mut line).map_err(broken)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
