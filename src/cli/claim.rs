//! `claim`: from captured vouchers to a submission, and what becomes of it.

mod answers;
mod args;
mod way;

pub(crate) use args::Command;

use records::kinds::claim::CostOwner;
use records::kinds::exception::ExceptionKind;
use records::kinds::number;

use crate::cli::desk::{Desk, Page};
use crate::cli::fault::{Exit, Fault};
use crate::cli::sheet::{changed_page, created_page, list_page, read_pairs};
use crate::cli::{history, paper, prompt};
use crate::notebook::claim::check::check;
use crate::notebook::claim::draft::{Draft, draft};
use crate::notebook::claim::exception::{self, Request};
use crate::notebook::claim::submit::{Submit, submit, waiting};
use crate::notebook::claim::way::way as way_of;
use crate::notebook::claim::{edit, steps};
use crate::notebook::create::Created;
use crate::notebook::find::Wanted;

const CLAIMS: Wanted = Wanted::Kind(number::CLAIM);

/// Runs a command on claims.
pub(crate) fn run(command: Command, desk: &Desk) -> Result<Page, Fault> {
    let now = desk.clock.now();
    match command {
        Command::Draft { half, non_service, from_half, empty } => {
            let cost_owner = if non_service { CostOwner::NON_SERVICE } else { CostOwner::SERVICE };
            let request = Draft { half, also: from_half, cost_owner, empty };
            let mut store = desk.store()?;
            let drafted = draft(&mut store, &request, now)?;
            answers::drafted(&store, &drafted, now, desk)
        }
        Command::Set { id, line, pairs } => {
            let changed = edit::set(&mut desk.store()?, &id, line, &read_pairs(&pairs)?, now)?;
            Ok(changed_page(&changed, desk))
        }
        Command::Add { id, list, values, line } => {
            let changed = edit::add(&mut desk.store()?, &id, (&list, &values), line, now)?;
            Ok(changed_page(&changed, desk))
        }
        Command::Remove { id, line, voucher } => {
            let mut store = desk.store()?;
            let changed = match (line, voucher) {
                (Some(line), _) => edit::remove_line(&mut store, &id, line, now)?,
                (None, Some(voucher)) => edit::remove_voucher(&mut store, &id, &voucher, now)?,
                (None, None) => return Err(missing("--line")),
            };
            Ok(changed_page(&changed, desk))
        }
        Command::Check { id } => {
            let store = desk.store()?;
            let checked = check(&store, &id, now)?;
            answers::checked(&store, &checked, desk)
        }
        Command::Submit { id, reason } => run_submit(Submit { record: id, reasons: reason }, desk),
        Command::Withdraw { id } => {
            let changed = steps::withdraw(&mut desk.store()?, &id, now)?;
            Ok(changed_page(&changed, desk))
        }
        Command::Void { id, reason } => {
            let changed = steps::void(&mut desk.store()?, &id, &reason, now)?;
            Ok(changed_page(&changed, desk))
        }
        Command::Answer { id, text } => {
            let changed = steps::answer(&mut desk.store()?, &id, &text.join(" "), now)?;
            Ok(changed_page(&changed, desk))
        }
        Command::Exception { id, kind, line, amount, month, reason } => {
            let kind = ExceptionKind::CHOICES.index(&kind).map(ExceptionKind);
            let kind = kind.ok_or_else(|| missing("--kind"))?;
            let request = Request { record: id, kind, line, amount, month, reason };
            let id = exception::ask(&mut desk.store()?, &request, now)?;
            Ok(created_page(&Created { id, notices: Vec::new() }, desk))
        }
        Command::Show { id } => {
            let store = desk.store()?;
            let way = way_of(&store, &id, desk.lang.of_labels(), now)?;
            Ok(way::page(&way, store.identity().enrolment.zone, desk))
        }
        Command::Print(args) => paper::run(&args, desk),
        Command::History { id } => history::run(&id, CLAIMS, desk),
        Command::List { listed } => list_page(&["claim"], &listed, desk),
    }
}

fn missing(argument: &str) -> Fault {
    Fault::new(Exit::Usage, "error.usage.missing").with("argument", &argument)
}

/// Submits; where somebody is there to answer, the reasons that rules ask for are asked for.
fn run_submit(mut request: Submit, desk: &Desk) -> Result<Page, Fault> {
    let mut store = desk.store()?;
    loop {
        match submit(&mut store, &request, desk.clock.now()).map_err(Fault::from) {
            Ok(submitted) => return answers::submitted(&submitted, desk),
            Err(fault) if desk.asks => {
                let asked = waiting(&fault.points);
                // What blocks cannot be talked away.
                if asked.is_empty() || asked.len() < fault.points.len() {
                    return Err(fault);
                }
                for (place, point) in asked {
                    let said = point.text(desk.lang.of_labels());
                    request.reasons.push(format!("{place}={}", prompt::text(&format!("{place} {said}"))?));
                }
            }
            Err(fault) => return Err(fault),
        }
    }
}
