//! A device in a temporary folder, worked as a person works it: by commands.

use std::collections::BTreeMap;
use std::ffi::OsString;

use records::kinds::staff::Role;
use serde_json::Value;
use sync_protocol::enrolment::Enrolment;

use crate::cli::{Invocation, Streams};
use crate::keys::secret::Pin;

/// The instant at which every command runs.
pub(crate) const NOW: &str = "2026-11-22T09:30:00+08:00";

/// A home and the language of its owner.
pub(crate) struct Device {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) lang: &'static str,
}

/// What a command printed.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Returns what HQ wrote into a code for an engineer.
pub(crate) fn enrolment(replica: u32) -> Enrolment {
    Enrolment {
        replica: records::id::Replica(replica),
        roles: vec![Role::ENGINEER],
        expires_ms: u64::MAX,
        center_code: "HZ01".into(),
        staff_code: "T006".into(),
        staff_name: "李工".into(),
        unit_name: "杭州客服中心".into(),
        company: "示例公司".into(),
        ..crate::store::testing::enrolment()
    }
}

impl Device {
    /// Returns a folder that no device lives in yet.
    pub(crate) fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), lang: "en" }
    }

    /// Returns an engineer's device.
    pub(crate) fn new() -> Self {
        Self::enrolled(&enrolment(7))
    }

    /// Returns a device enrolled by that code.
    pub(crate) fn enrolled(enrolment: &Enrolment) -> Self {
        let device = Self::empty();
        let ran = device.run(&["enrol", &enrolment.to_code()]);
        assert_eq!(ran.exit, 0, "{}", ran.err);
        device
    }

    /// Runs a command.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        self.run_with(words, "")
    }

    /// Runs a command that reads from standard input.
    pub(crate) fn run_with(&self, words: &[&str], input: &str) -> Ran {
        self.run_at(NOW, words, input)
    }

    /// Runs a command at another instant.
    pub(crate) fn run_at(&self, now: &str, words: &[&str], input: &str) -> Ran {
        self.run_as(now, None, words, input)
    }

    fn run_as(&self, now: &str, pin: Option<Pin>, words: &[&str], input: &str) -> Ran {
        let home = self.dir.path().join("home");
        let mut args: Vec<OsString> = vec!["fieldbook".into(), "--home".into(), home.into()];
        args.extend(["--lang", self.lang, "--now", now].map(OsString::from));
        args.extend(words.iter().map(OsString::from));
        let env = BTreeMap::from([("FIELDBOOK_TEST_CLOCK".to_owned(), "1".to_owned())]);
        let invocation = Invocation { args, env, pin, ..Invocation::default() };
        let (mut input, mut out, mut err) = (input.as_bytes(), Vec::new(), Vec::new());
        let exit =
            crate::cli::run(&invocation, &mut Streams { input: &mut input, out: &mut out, err: &mut err });
        Ran { exit, out: String::from_utf8(out).unwrap(), err: String::from_utf8(err).unwrap() }
    }

    /// Runs a command with the PIN in its environment.
    pub(crate) fn run_pin(&self, pin: &str, words: &[&str]) -> Ran {
        self.run_as(NOW, Some(Pin::typed(pin)), words, "")
    }

    /// Runs a command with `--json` and returns its answer.
    pub(crate) fn json(&self, words: &[&str]) -> Value {
        let ran = self.run(&[words, &["--json"]].concat());
        serde_json::from_str(&ran.out)
            .unwrap_or_else(|error| panic!("{words:?}: {error}: {}{}", ran.out, ran.err))
    }

    /// Runs a command that must be done.
    pub(crate) fn done(&self, words: &[&str]) -> String {
        let ran = self.run(words);
        assert_eq!(ran.exit, 0, "{words:?}: {}", ran.err);
        ran.out
    }

    /// Makes a repair sheet that is ready for its seal, and returns its code.
    pub(crate) fn ready(&self) -> String {
        let made = self.json(&[
            "sheet",
            "new",
            "repair",
            "--set",
            "customer=Acme",
            "--set",
            "product=Pump",
            "--set",
            "result=done",
            "--set",
            "arrived=2026-11-22 08:00",
            "--set",
            "left=2026-11-22 09:00",
        ]);
        made["code"].as_str().unwrap().to_owned()
    }
}
