//! What holds over all tables, and the bytes that are frozen.

use std::collections::BTreeSet;

use proptest::strategy::{Strategy, ValueTree};

use crate::decision::DECISION_GROUP;
use crate::kinds::{
    KINDS, account, alert, approval, asset, batch, by_name, by_number, calendar, cap, case, claim, customer,
    delegation, device, exception, inspection, install, job, lease, number, org, payment, policy, repair,
    sheet, site, staff, template, trip, voucher,
};
use crate::machine::{Machine, Reason};
use crate::schema::{Class, Group, Typed};
use crate::value::tests::any_row;
use crate::value::{Choices, Fix, MeterValue, Row, Target, Type, Value, decode_exact, encode};

/// Random rows of one group: the table's bytes are postcard of the typed struct, both ways.
fn agree<G: Typed>() -> &'static str {
    let fields = G::GROUP.fields;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..24 {
        let row = any_row(fields).new_tree(&mut runner).unwrap().current();
        let bytes = encode(fields, &row);
        let typed: G = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(postcard::to_allocvec(&typed).unwrap(), bytes, "{}", G::GROUP.name);
        assert_eq!(decode_exact(fields, &bytes), Ok(row), "{}", G::GROUP.name);
    }
    std::any::type_name::<G>()
}

macro_rules! agree_all {
    ($($module:ident: $($group:ident),+;)+) => {
        vec![$($((agree::<$module::$group>(), &$module::$group::GROUP)),+),+]
    };
}

#[test]
fn the_tables_bytes_are_postcard_of_the_typed_struct() {
    let checked: Vec<(&str, &Group)> = agree_all! {
        org: OrgCode, Unit, Lead, Terms;
        staff: Person, Post, Roles, Phone, Skills, Active;
        customer: Code, Name, Standing, Consent, Contacts;
        site: SiteCode, SiteOwner, SiteName, Address, Geo, Access, Hazards, Project;
        asset: Serial, AssetSite, Model, Parent, Installed, Warranty, WarrantyTerms, Meters, Barcodes, Running;
        template: TemplateCode, Title, Items;
        device: Installation, DeviceKey, Holder;
        job: JobNo, JobPlace, Assignee, Planned, Instructions, JobOutcome, FollowUp, JobTicket, Travel, Fixes,
            JobHelpers;
        sheet: Order, Place, Engineer, Visit, Position, Equipment, Problem, Cause, Work, Result, Parts, Times, Legs,
            Readings, Answers, Photos, Notes, Tags, Helpers, Assets, Rating, Next, CustomerSign, SheetNo, Amends,
            Checklist, Origin, Task, Location, Cost, RunHours;
        install: Plate, Commissioning, Handover, Trained, WarrantyStart;
        repair: Fault, Found, Replaced, Charge, Downtime, Barrier;
        inspection: Inspected, Route, Findings, Raise;
        approval: Approvals;
        claim: ClaimNo, Claimant, Submission, Lines, Placed, LineSheets, Trips, Cuts, LineReturns, AuditLines, Papers,
            Questions, Reasons;
        trip: TripOf, TripDays, TripSheets;
        batch: BatchNo, BatchClaims, Explained, Dispatch, Received;
        payment: PaymentNo, PaymentClaims, Exported, Results;
        case: About, Fines, Marks;
        exception: Ask;
        alert: Finding;
        cap: CapFor, CapAmount;
        account: AccountOf, Bank;
        policy: PolicyText;
        calendar: Year, CalendarDays;
        delegation: Delegated, DelegatedRoles;
        lease: LeaseOf, Turns, Burned;
        voucher: Owner, Amount, Dated, PaperKind, Purpose, Seller, Buyer, VoucherPlace, Remark, InvoiceNo, Sheets,
            Stay, Period, Paste, Look, VoucherOrigin;
    };
    for kind in KINDS {
        for group in kind.groups.iter().filter(|group| group.class != Class::Decision) {
            assert!(
                checked.iter().any(|(_, other)| other == group),
                "{} {} is not checked",
                kind.name,
                group.name
            );
        }
    }
}

#[test]
fn money_serials_meters_and_signatures_are_never_decided_by_last_writer() {
    for kind in KINDS {
        for group in kind.groups {
            let grave = group.fields.iter().any(|field| {
                let money_or_meter = matches!(field.ty, Type::Fen | Type::Meter);
                money_or_meter || field.name.contains("serial") || field.name.starts_with("sign")
            });
            assert!(!grave || group.class != Class::Last, "{} {}", kind.name, group.name);
        }
    }
}

#[test]
fn numbers_and_names_are_unique_and_in_order() {
    for (at, kind) in KINDS.iter().enumerate() {
        assert!(
            KINDS.iter().skip(at + 1).all(|other| other.number > kind.number),
            "{} is out of order",
            kind.name
        );
        assert_eq!(by_number(kind.number), Some(*kind));
        assert_eq!(by_name(kind.name), Some(*kind));
        assert!(kind.groups.windows(2).all(|pair| pair[0].number < pair[1].number), "{}", kind.name);
        let decides = kind.groups.iter().any(|group| group.number == DECISION_GROUP);
        assert_eq!(decides, kind.machine.is_some(), "{}", kind.name);
        let mut members = BTreeSet::new();
        for group in kind.groups {
            assert!(group.number <= 8191 && group.key.is_none_or(|key| key < group.fields.len()));
            assert!(group.key.is_none() || group.class == Class::Set, "{} {}", kind.name, group.name);
            let list = matches!(group.class, Class::Ledger | Class::Set);
            let fields: Vec<String> = match list {
                true => vec![group.list_name()],
                false => group.fields.iter().map(|field| field.name.to_owned()).collect(),
            };
            for member in fields {
                assert!(members.insert(member.clone()), "{} has {member} twice", kind.name);
            }
            let own: BTreeSet<_> = group.fields.iter().map(|field| field.name).collect();
            assert_eq!(own.len(), group.fields.len(), "{} {}", kind.name, group.name);
        }
    }
}

#[test]
fn keys_titles_and_concerned_people_are_fields() {
    for kind in KINDS {
        for name in kind.key.iter().chain(kind.title) {
            assert!(kind.field(name).is_some(), "{} has no field {name}", kind.name);
        }
        for (group, at) in kind.concerns {
            let field = kind.group(*group).unwrap().fields[*at];
            assert_eq!(field.ty, Type::Ref(number::STAFF), "{} {}", kind.name, field.name);
        }
    }
}

#[test]
fn every_label_stands_in_both_languages() {
    let check =
        |labels: [&str; 3], place: &str| assert!(labels.iter().all(|label| !label.is_empty()), "{place}");
    for kind in KINDS {
        check([kind.name, kind.zh, kind.en], kind.name);
        for group in kind.groups {
            check([group.name, group.zh, group.en], group.name);
            for field in group.fields {
                check([field.name, field.zh, field.en], field.name);
                if let Type::Choice(list) = field.ty {
                    check_list(list);
                }
            }
        }
        for state in kind.machine.map_or(&[][..], |machine| machine.states) {
            check([state.name, state.zh, state.en], state.name);
        }
        for step in kind.machine.map_or(&[][..], |machine| machine.steps) {
            check([step.name, step.zh, step.en], step.name);
            if let Some(flag) = step.lost_flag {
                check([flag.name, flag.zh, flag.en], step.name);
            }
            if let Reason::OneOf(list) = step.reason {
                check_list(list);
            }
        }
    }
}

fn check_list(list: &Choices) {
    let words: BTreeSet<_> = list.options.iter().map(|(word, ..)| word).collect();
    assert_eq!(words.len(), list.options.len(), "{}", list.name);
    let full = |(word, zh, en): &(&str, &str, &str)| !word.is_empty() && !zh.is_empty() && !en.is_empty();
    assert!(list.options.iter().all(full), "{}", list.name);
}

#[test]
fn every_machine_reaches_every_state_and_leads_nowhere_else() {
    for machine in KINDS.iter().filter_map(|kind| kind.machine) {
        let mut reached = BTreeSet::from([0]);
        for _ in machine.states {
            let next =
                machine.steps.iter().filter(|step| step.from.iter().any(|from| reached.contains(from)));
            reached.extend(next.map(|step| step.to).collect::<Vec<_>>());
        }
        let all: BTreeSet<u8> = (0..u8::try_from(machine.states.len()).unwrap()).collect();
        assert_eq!(reached, all, "{}", machine.name);
        assert!(
            machine.steps.iter().all(|step| step.from.iter().all(|from| all.contains(from))),
            "{}",
            machine.name
        );
        assert!(machine.steps.iter().filter(|step| step.rival).count() <= 1, "{}", machine.name);
        check_strictness(machine);
    }
}

/// Two steps of one state that lead to different states are never equally strict, or the first of HQ's order would
/// decide what the table should; steps that cannot clash (one leads to where the other starts) are let off.
fn check_strictness(machine: &Machine) {
    for (at, one) in machine.steps.iter().enumerate() {
        for other in machine.steps.iter().skip(at + 1) {
            let clash = one.to != other.to && one.from.iter().any(|from| other.from.contains(from));
            let follows = one.from.contains(&other.to) || other.from.contains(&one.to);
            let told = one.strictness != other.strictness || follows;
            assert!(!clash || told, "{}: {} and {}", machine.name, one.name, other.name);
        }
    }
}

/// One fixed value of each type.
fn sample(ty: Type) -> Value {
    match ty {
        Type::Text(_) => Value::Text("水a".to_owned()),
        Type::Fen => Value::Int(-3_501),
        Type::Ts => Value::Int(1_795_311_000_000),
        Type::Day => Value::Int(20_779),
        Type::Min | Type::Count | Type::Metre => Value::Int(300),
        Type::Qty => Value::Int(1_500),
        Type::Bool => Value::Bool(true),
        Type::Choice(_) => Value::Choice(1),
        Type::Ref(_) => Value::Ref(Target::Doc("7.3.42".parse().unwrap())),
        Type::Meter => Value::Meter(MeterValue { mantissa: -125, decimals: 1, unit: "h".to_owned() }),
        Type::Fix => Value::Fix(Fix { lat: 301_874_000, lon: -5, accuracy: 9, mock: true }),
        Type::File | Type::Digest => Value::File(vec![0xab; 3]),
    }
}

/// The tables as text: one line per kind, group, field, state and step, and the bytes of a sample row.
fn frozen() -> String {
    let mut lines = Vec::new();
    for kind in KINDS {
        lines.push(format!("kind {} {} schema {}", kind.number, kind.name, kind.schema));
        for group in kind.groups {
            lines.push(group_line(group));
            for field in group.fields {
                lines.push(format!("    {} {}", field.name, type_name(field.ty)));
            }
            let row: Row = group.fields.iter().map(|field| Some(sample(field.ty))).collect();
            let bytes = Value::File(encode(group.fields, &row)).text(Type::File, crate::time::Zone(0));
            lines.push(format!("    = {bytes}"));
        }
        if let Some(machine) = kind.machine {
            let names: Vec<_> = machine.states.iter().map(|state| state.name).collect();
            lines.push(format!("  states {}", names.join(" ")));
            for step in machine.steps {
                lines
                    .push(format!("  step {} {:?} -> {} {}", step.name, step.from, step.to, step.strictness));
            }
        }
    }
    lines.join("\n") + "\n"
}

fn group_line(group: &Group) -> String {
    let Group { number, name, class, content, frozen, writer, key, .. } = group;
    format!(
        "  group {number} {name} {class:?} content {content} frozen {frozen} writer {writer:?} key {key:?}"
    )
}

fn type_name(ty: Type) -> String {
    match ty {
        Type::Choice(list) => {
            let words: Vec<_> = list.options.iter().map(|(word, ..)| *word).collect();
            format!("{} {}", list.name, words.join(" "))
        }
        other => format!("{other:?}"),
    }
}

/// A released table is frozen: a change is a new schema number with an upcast, a list is only appended to.
#[test]
fn the_tables_are_the_ones_that_were_frozen() {
    let (now, then) = (frozen(), include_str!("frozen.txt"));
    let differs = now.lines().zip(then.lines()).position(|(now, then)| now != then);
    let line = differs.map(|at| (at + 1, now.lines().nth(at), then.lines().nth(at)));
    assert_eq!(line, None, "line, now, frozen");
    assert_eq!(now.lines().count(), then.lines().count(), "a table grew or shrank:\n{now}");
}
