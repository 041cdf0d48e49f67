//! Other people's libraries on the same task: how each is installed by its own client, and how its driver is run.
//!
//! Source: benches/peers/README.md.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout};

use crate::bench::program::{self, Ran};
use crate::bench::proxy::Proxy;
use crate::bench::walk::{Walk, walk};
use crate::bench::world::disk_bytes;
use crate::step::{Failed, Steps};

/// A library and the words that start its driver; words with a slash are paths in the workspace.
#[derive(Debug)]
pub(crate) struct Driver {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// What it is called in the table, with its version.
    pub(crate) title: &'static str,
    install: &'static [&'static str],
    device: &'static [&'static str],
    server: &'static [&'static str],
}

/// Builds all crates at once: one alone would build its dependencies with other features again.
pub(crate) const CRATES: &str =
    "cargo build --locked --release --manifest-path benches/peers/Cargo.toml --target-dir target/peers/cargo";
const AUTOMERGE: &[&str] = &["target/peers/cargo/release/peer-automerge"];
const LORO: &[&str] = &["target/peers/cargo/release/peer-loro"];
const TASKCHAMPION: &[&str] = &["target/peers/cargo/release/peer-taskchampion"];
const TASKCHAMPION_SERVER: &[&str] = &["target/peers/cargo/release/peer-taskchampion-server"];
const POUCHDB: &[&str] = &["node", "target/peers/pouchdb/driver.js"];
const ANKI: &[&str] = &["target/peers/anki/bin/python", "benches/peers/anki/driver.py"];

/// Those that are measured, in the order of the table.
pub(crate) const DRIVERS: &[Driver] = &[
    Driver {
        name: "automerge",
        title: "automerge 0.12 (no server)",
        install: &[CRATES],
        device: AUTOMERGE,
        server: AUTOMERGE,
    },
    Driver { name: "loro", title: "loro 1.17 (no server)", install: &[CRATES], device: LORO, server: LORO },
    Driver {
        name: "pouchdb",
        title: "PouchDB 9.0, express-pouchdb 4.2",
        install: &[
            "mkdir -p target/peers/pouchdb",
            "cp benches/peers/pouchdb/package.json benches/peers/pouchdb/package-lock.json benches/peers/pouchdb/driver.js target/peers/pouchdb",
            "npm ci --prefix target/peers/pouchdb --no-audit --no-fund --prefer-offline",
        ],
        device: POUCHDB,
        server: POUCHDB,
    },
    Driver {
        name: "taskchampion",
        title: "taskchampion 3.1, server core 0.7",
        install: &[
            CRATES,
            "cargo build --locked --release --manifest-path benches/peers/taskchampion-server/Cargo.toml --target-dir target/peers/cargo",
        ],
        device: TASKCHAMPION,
        server: TASKCHAMPION_SERVER,
    },
    Driver {
        name: "anki",
        title: "Anki 26.9",
        install: &[
            "python3 -m venv target/peers/anki",
            "target/peers/anki/bin/pip install --quiet --requirement benches/peers/anki/requirements.txt",
        ],
        device: ANKI,
        server: ANKI,
    },
];

impl Driver {
    /// Installs it by its own client.
    ///
    /// # Errors
    /// [`Failed`] where that does not work on this machine.
    pub(crate) fn install(&self, steps: &mut Steps<'_>) -> Result<(), Failed> {
        self.install.iter().try_for_each(|command| steps.command(self.name, &[], command))
    }

    /// Starts its server on an empty folder.
    ///
    /// # Errors
    /// [`Failed`] where it does not tell its address.
    pub(crate) fn serve(&'static self, tree: &Path, folder: PathBuf) -> Result<Cast, Failed> {
        std::fs::create_dir_all(&folder).map_err(|_gone| Failed)?;
        let (program, mut args) = words(tree, self.server);
        args.extend(["serve".to_owned(), folder.join("server").to_string_lossy().into_owned()]);
        let mut serving = program::start(&program, &args.iter().map(String::as_str).collect::<Vec<_>>())?;
        let mut stdout = BufReader::new(serving.stdout.take().ok_or(Failed)?);
        let mut first = String::new();
        let heard = stdout.read_line(&mut first);
        let address = first.trim().rsplit('/').next().and_then(|rest| rest.parse::<SocketAddr>().ok());
        let (Ok(_), Some(address)) = (heard, address) else {
            eprintln!("{}: its first line is its URL, not {first:?}", self.name);
            drop(serving.kill());
            drop(serving.wait());
            return Err(Failed);
        };
        Ok(Cast {
            driver: self,
            tree: tree.to_path_buf(),
            folder,
            serving,
            _stdout: stdout,
            line: Proxy::to(address),
        })
    }
}

/// A server of somebody else's, its devices, and the line between them that counts.
pub(crate) struct Cast {
    driver: &'static Driver,
    tree: PathBuf,
    folder: PathBuf,
    serving: Child,
    _stdout: BufReader<ChildStdout>,
    line: Proxy,
}

impl Cast {
    /// Makes a device ready; what a person does once.
    ///
    /// # Errors
    /// [`Failed`], told already.
    pub(crate) fn join(&self, device: &str) -> Result<(), Failed> {
        self.device("join", device, &self.line.url()).map(drop)
    }

    /// Saves the rows of a file one by one; returns the median of one save and all of them, in microseconds.
    ///
    /// # Errors
    /// [`Failed`], told already.
    pub(crate) fn save(&self, device: &str, file: &Path) -> Result<(u64, u64), Failed> {
        let answer = self.device("save", device, &file.to_string_lossy())?.json()?;
        let number = |name: &str| answer.get(name).and_then(serde_json::Value::as_u64).unwrap_or(0);
        Ok((number("p50_us"), number("all_us")))
    }

    /// Syncs a device until both sides are level.
    ///
    /// # Errors
    /// [`Failed`], told already.
    pub(crate) fn sync(&self, device: &str) -> Result<Walk, Failed> {
        let (ran, mut walk) =
            walk(&self.line, self.serving.id(), || self.device("sync", device, &self.line.url()))?;
        if let Some(turns) = ran.json()?.get("round_trips").and_then(serde_json::Value::as_u64) {
            walk.requests = turns;
        }
        Ok(walk)
    }

    /// Checks that a device holds so many records.
    ///
    /// # Errors
    /// [`Failed`] where it holds more or fewer.
    pub(crate) fn holds(&self, device: &str, wanted: u64) -> Result<(), Failed> {
        let found = self.device("count", device, "")?.json()?;
        let found = found.get("records").and_then(serde_json::Value::as_u64);
        if found == Some(wanted) {
            return Ok(());
        }
        eprintln!("{}: {device} holds {found:?} records, not {wanted}", self.driver.name);
        Err(Failed)
    }

    /// Returns what a device's folder takes on the disk, in bytes.
    pub(crate) fn device_bytes(&self, device: &str) -> u64 {
        disk_bytes(&self.folder.join("devices").join(device))
    }

    /// Returns what the server's folder takes on the disk, in bytes.
    pub(crate) fn server_bytes(&self) -> u64 {
        disk_bytes(&self.folder.join("server"))
    }

    fn device(&self, verb: &str, device: &str, what: &str) -> Result<Ran, Failed> {
        let (program, mut args) = words(&self.tree, self.driver.device);
        let home = self.folder.join("devices").join(device);
        args.extend([verb.to_owned(), home.to_string_lossy().into_owned()]);
        if !what.is_empty() {
            args.push(what.to_owned());
        }
        program::run(&program, &args.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

impl Drop for Cast {
    fn drop(&mut self) {
        // It is ours to end, and its folder goes with it.
        drop(self.serving.kill());
        drop(self.serving.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// Returns the program and its first arguments.
fn words(tree: &Path, words: &[&str]) -> (PathBuf, Vec<String>) {
    let whole = |word: &str| {
        if word.contains('/') { tree.join(word) } else { PathBuf::from(word) }
    };
    let mut paths = words.iter().map(|word| whole(word));
    let program = paths.next().unwrap_or_default();
    (program, paths.map(|path| path.to_string_lossy().into_owned()).collect())
}
