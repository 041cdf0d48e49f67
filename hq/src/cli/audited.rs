//! What each command leaves behind: a line of the audit trail, an op in headquarters' log, or nothing, for it only reads.
//!
//! Source: docs/SECURITY.md, The console.

use std::collections::BTreeSet;

use records::kinds::voucher::Category;

use crate::cli::answer::Lang;
use crate::cli::help;
use crate::cli::testing::Office;

/// What a command leaves behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaves {
    /// It reads, or writes files outside of the database.
    Nothing,
    /// A line of the audit trail: it changes people, devices, keys, or what is kept of everything.
    Line,
    /// Its op in headquarters' log, with who took it: it works on documents.
    Op,
    /// Views, what devices brought, or the whole in another place: no act on any of it.
    Views,
}

/// Every command by what it leaves behind.
const COMMANDS: &[(Leaves, &str)] = &[
    (Leaves::Line, "org import|staff import|customer import|site import|asset import|job import"),
    (Leaves::Line, "template import|cap import|account import|delegation import"),
    (Leaves::Line, "calendar load|policy load|backup|restore|pay resume"),
    (Leaves::Line, "device code|device revoke|device lost|device lease|device rescue|device confirm"),
    (Leaves::Line, "key rotate-tls|key switch-tls|user add|user remove|user totp"),
    (Leaves::Op, "review approve|review cut|review return|batch receive|batch found|batch lose"),
    (Leaves::Op, "audit line|audit ask|audit answer|audit reject|audit done|audit hand-over|audit alarm"),
    (Leaves::Op, "approve reject|approve dismiss|approve freeze|approve unfreeze"),
    (Leaves::Op, "exception approve|exception deny|alert explain|alert confirm|alert false-alarm"),
    (Leaves::Op, "case propose|case late|case confirm|case dismiss|case appeal|case uphold|case waive"),
    (Leaves::Op, "case execute|pay accept|pay back|pay batch|pay approve|pay cancel|pay export|pay confirm"),
    (Leaves::Op, "tick"),
    (Leaves::Views, "init|serve|move|bundle read|file ask|rebuild|archive"),
    (Leaves::Nothing, "device list|show|history|policy explain|policy check|policy list|policy try"),
    (Leaves::Nothing, "policy what-if|file list|file get|claim list|claim show|claim history|review list"),
    (Leaves::Nothing, "review show|batch list|batch show|batch manifest|audit list|audit show|approve list"),
    (Leaves::Nothing, "approve show|exception list|alert list|case list|case show|case export|pay list"),
    (Leaves::Nothing, "pay show|gaps|key list|user list|due|trail export|trail verify|print|export|doctor"),
    (Leaves::Nothing, "completions|man"),
];

/// Acts whose lines other tests ask for, as they need a second key, a certificate, a prompt or a headquarters of their own.
const ELSEWHERE: &str =
    "device rescue|device confirm|key rotate-tls|key switch-tls|user add|restore|pay resume";

fn leaves(wanted: Leaves) -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().filter(move |(leaves, _)| *leaves == wanted).flat_map(|(_, names)| names.split('|'))
}

fn named(command: &clap::Command, before: &str, all: &mut BTreeSet<String>) {
    for below in command.get_subcommands() {
        let name = format!("{before}{}", below.get_name());
        match below.has_subcommands() && before.is_empty() {
            true => named(below, &format!("{name} "), all),
            false => drop(all.insert(name)),
        }
    }
}

#[test]
fn every_command_stands_in_the_table_once() {
    let mut all = BTreeSet::new();
    named(&help::command(Lang::chosen(Some("en"))), "", &mut all);
    let mut table: Vec<&str> = COMMANDS.iter().flat_map(|(_, names)| names.split('|')).collect();
    table.sort_unstable();
    let found: Vec<&str> = all.iter().map(String::as_str).collect();
    assert_eq!(table, found);
}

/// Newest first: what was noted, and how many ops there are.
fn standing(office: &Office) -> (usize, u64) {
    let desk = office.desk();
    (desk.store.audit_lines(None, 10_000).unwrap().len(), desk.store.ops().unwrap())
}

/// Does each act and returns the commands of the table that were done.
fn done(office: &Office, acts: &[Vec<&str>], wanted: Leaves) -> BTreeSet<&'static str> {
    let mut seen = BTreeSet::new();
    for act in acts {
        let before = standing(office);
        office.all(act);
        let after = standing(office);
        match wanted {
            Leaves::Line => assert!(after.0 > before.0, "{act:?} left no line"),
            Leaves::Op => assert!(after.1 > before.1, "{act:?} left no op"),
            Leaves::Nothing | Leaves::Views => assert_eq!(before, after, "{act:?}"),
        }
        let words = act.join(" ");
        seen.extend(leaves(wanted).filter(|name| words.starts_with(*name)));
    }
    seen
}

fn words(act: &str) -> Vec<&str> {
    act.split(' ').collect()
}

/// Writes the input of each import and returns the commands that take them in.
fn imports(office: &Office) -> Vec<String> {
    let tables = [
        ("org", "code,name,kind,parent\nHZD,Centre 3,service_center,HZ\n"),
        ("staff", "code,name,unit,roles\nX01,Xu,CO,admin\n"),
        ("customer", "code,name,kind\nC001,Mill,company\n"),
        ("site", "code,customer,name\nP1,C001,Hall\n"),
        ("asset", "code,name,site\nM1,Pump,P1\n"),
        ("job", "no,type,customer,assignee\nJ1,repair,C001,E01\n"),
        ("template", "code,name\nT1,Pumps\n"),
        (
            "cap",
            "code,unit,category,amount,valid_from,source\nK1,HZC,city_transport,150.00,2026-01-01,mail\n",
        ),
        ("account", "code,account_name,account_no,bank_name\nE01,Wang,6222020200112233445,ICBC\n"),
        ("delegation", "from,to,valid_from,valid_to,reason\nS01,E02,2026-11-20,2026-11-30,leave\n"),
    ];
    let written = tables.map(|(kind, table)| {
        let file = office.file(kind);
        std::fs::write(&file, table).unwrap();
        format!("{kind} import {file}")
    });
    written.into()
}

#[test]
fn each_administrative_act_leaves_a_line_in_the_audit_trail() {
    let office = Office::new();
    let (calendar, policy) = (office.file("calendar.json"), office.file("policy.toml"));
    std::fs::write(&calendar, "{\"2027\": {\"holidays\": [\"2027-01-01\"], \"makeup_workdays\": []}}")
        .unwrap();
    std::fs::write(&policy, "version = \"2027/1\"\n[sla]\naudit_wd = 5\n").unwrap();
    let imports = imports(&office);
    let imports: Vec<Vec<&str>> = imports.iter().map(|act| words(act)).collect();
    let mut seen = done(&office, &imports, Leaves::Line);
    let ids = [0, 1, 2].map(|_| office.done("device code --staff E01")["replica"].to_string());
    let backup = office.file("backup");
    let acts = [
        format!("calendar load {calendar}"),
        format!("policy load {policy}"),
        "device code --staff E02".to_owned(),
        format!("device lease --staff E01 --to {}", ids[2]),
        format!("device revoke {}", ids[0]),
        format!("device lost {}", ids[1]),
        format!("backup {backup}"),
    ];
    let acts: Vec<Vec<&str>> = acts.iter().map(|act| words(act)).collect();
    seen.extend(done(&office, &acts, Leaves::Line));
    // Asked for at a prompt; here at the desk.
    let (hash, now) = (crate::logins::hash("correct horse").unwrap(), office.now_ms());
    let before = standing(&office);
    office.desk().transact(|desk| desk.set_password("E01", hash, now)).unwrap();
    assert!(standing(&office).0 > before.0);
    let acts = ["user totp --staff E01", "user totp --staff E01 --off", "user remove --staff E01"].map(words);
    seen.extend(done(&office, &acts, Leaves::Line));
    let told: BTreeSet<&str> =
        leaves(Leaves::Line).filter(|act| !ELSEWHERE.split('|').any(|one| one == *act)).collect();
    assert_eq!(seen, told);
}

#[test]
fn each_step_with_a_claim_is_an_op_of_whoever_took_it_and_a_look_is_none() {
    let office = Office::new();
    let [one, two, three, four] = [1, 2, 3, 4].map(|n| format!("HZC-E01-2026-000{n}"));
    let entry = [(Category::COURIER, "2026-03-05", 1_000, 1_000)];
    let ids = [&one, &two, &three].map(|no| office.claim("E01", no, &entry));
    office.claim_after("E01", &four, &entry, 0);
    office.batch("HZ-1", &[(ids[0], &one), (ids[1], &two), (ids[2], &three)]);
    office.account("E01", "6222020200112233445");
    let bank = office.file("bank.csv");
    let acts = [
        format!("review approve {four} --vouchers 1 --as S01"),
        format!("batch receive HZ-1 --missing {two} --as A01"),
        format!("audit line {three} --line 1 --verdict ok --as A01"),
        format!("audit ask {three} why? --as A01"),
        format!("audit answer {three} so. --as A01"),
        format!("audit done {three} --ack A7 --ack A11 --as A01"),
        format!("approve {three} --ack A7 --ack A11 --as M01"),
        "audit hand-over --ready --as A01".to_owned(),
        "pay accept --all --as F01".to_owned(),
        "pay batch --as F01".to_owned(),
        "pay approve PAY-202603-001 --as F02".to_owned(),
        format!("pay export PAY-202603-001 --out {bank} --as F01"),
        "pay confirm PAY-202603-001 --as F01".to_owned(),
    ];
    let acts: Vec<Vec<&str>> = acts.iter().map(|act| words(act)).collect();
    let seen = done(&office, &acts, Leaves::Op);
    assert!(seen.len() >= 11, "{seen:?}");
    let looks =
        [format!("claim show {three}"), "doctor".to_owned(), "pay list".to_owned(), "device list".to_owned()];
    let looks: Vec<Vec<&str>> = looks.iter().map(|act| words(act)).collect();
    assert_eq!(done(&office, &looks, Leaves::Nothing).len(), 4);
}
