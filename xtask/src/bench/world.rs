//! One HQ, its devices, and the line between them that counts.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout};

use serde_json::Value;

use crate::bench::program::{self, Ran};
use crate::bench::proxy::{Cut, Proxy, Way};
use crate::bench::walk::{Walk, walk};
use crate::step::Failed;

/// What the programs are and where they may write.
#[derive(Debug, Clone)]
pub(crate) struct Bench {
    /// The workspace.
    pub(crate) tree: PathBuf,
    /// A folder that is emptied before and after.
    pub(crate) scratch: PathBuf,
    /// Rounds of everything, where somebody has less time; the tables say how many there were.
    pub(crate) rounds: Option<usize>,
}

/// A headquarters that serves, made from the samples' people, and the devices that know it.
pub(crate) struct World {
    bench: Bench,
    folder: PathBuf,
    serving: Child,
    _stdout: BufReader<ChildStdout>,
    line: Proxy,
}

/// What one sync did, seen from outside and from the device.
#[derive(Debug)]
pub(crate) struct Synced {
    /// The agent.
    pub(crate) ran: Ran,
    /// What was seen of it from outside.
    pub(crate) walk: Walk,
    /// The agent's own report.
    pub(crate) report: Value,
}

impl Synced {
    /// Returns a number of the report; 0 where it has none.
    pub(crate) fn number(&self, name: &str) -> u64 {
        self.report.get(name).and_then(Value::as_u64).unwrap_or(0)
    }

    /// Returns the bytes of bodies, both ways.
    pub(crate) fn bodies(&self) -> u64 {
        self.number("bytes_up") + self.number("bytes_down")
    }

    /// Returns whether nothing was left to do and, where digests were compared, they were equal.
    pub(crate) fn is_level(&self) -> bool {
        let is = |name: &str, wanted| self.report.get(name).and_then(Value::as_bool) == Some(wanted);
        is("level", true) && !is("digest_equal", false)
    }
}

impl Bench {
    /// Returns how many rounds are made of what is usually made in so many.
    pub(crate) fn rounds(&self, usual: usize) -> usize {
        self.rounds.unwrap_or(usual)
    }

    fn agent(&self) -> PathBuf {
        self.program("fieldbook")
    }

    fn hq(&self) -> PathBuf {
        self.program("fieldbook-hq")
    }

    fn program(&self, name: &str) -> PathBuf {
        let folder = self.tree.join("target/release");
        folder.join(name).with_extension(std::env::consts::EXE_EXTENSION)
    }

    /// Sets up an HQ with the samples' organisation and people, serving on a loopback port without TLS, so that
    /// requests can be counted on the line.
    ///
    /// # Errors
    /// [`Failed`], told already.
    pub(crate) fn world(&self, name: &str) -> Result<World, Failed> {
        self.set_up(name, &[])
    }

    /// Sets up such an HQ with TLS, as devices meet it in the field.
    ///
    /// # Errors
    /// [`Failed`], told already.
    pub(crate) fn world_with_tls(&self, name: &str) -> Result<World, Failed> {
        self.set_up(name, &["--address", "https://127.0.0.1:7400"])
    }

    fn set_up(&self, name: &str, init: &[&str]) -> Result<World, Failed> {
        let folder = self.scratch.join(name);
        std::fs::create_dir_all(&folder).map_err(|error| {
            eprintln!("{}: {error}", folder.display());
            Failed
        })?;
        let data = folder.join("hq");
        let hq = self.hq();
        let at = |args: &[&str]| program::run(&hq, &[&["--data", &text(&data)], args].concat());
        at(&[&["init"], init].concat())?;
        for what in ["org", "staff"] {
            let file = self.tree.join("samples").join(what).with_extension("csv");
            at(&[what, "import", &text(&file)])?;
        }
        let mut serving = program::start(&hq, &["--data", &text(&data), "serve", "--listen", "127.0.0.1:0"])?;
        let mut stdout = BufReader::new(serving.stdout.take().ok_or(Failed)?);
        let mut first = String::new();
        let heard = stdout.read_line(&mut first);
        let address = first.trim().rsplit('/').next().and_then(|rest| rest.parse::<SocketAddr>().ok());
        let (Ok(_), Some(address)) = (heard, address) else {
            eprintln!("HQ's first line is its bare URL, not {first:?}");
            return Err(Failed);
        };
        let line = Proxy::to(address);
        Ok(World { bench: self.clone(), folder, serving, _stdout: stdout, line })
    }
}

impl World {
    /// Makes a device of somebody of the samples, enrolled and level.
    ///
    /// # Errors
    /// [`Failed`], told already.
    pub(crate) fn enrol(&self, device: &str, staff: &str) -> Result<(), Failed> {
        self.enrol_at(device, staff, &self.line.url())
    }

    /// Makes such a device that reaches HQ at another address.
    ///
    /// # Errors
    /// [`Failed`], told already.
    pub(crate) fn enrol_at(&self, device: &str, staff: &str, address: &str) -> Result<(), Failed> {
        let code = self.hq(&["device", "code", "--staff", staff, "--address", address])?;
        self.device(device, &["enrol", code.stdout.trim()])?;
        self.sync(device).map(drop)
    }

    /// Runs a command of the agent.
    ///
    /// # Errors
    /// [`Failed`], told already.
    pub(crate) fn device(&self, device: &str, args: &[&str]) -> Result<Ran, Failed> {
        let home = self.home(device);
        program::run(&self.bench.agent(), &[&["--home", &text(&home)], args].concat())
    }

    /// Runs a command of HQ beside the server.
    ///
    /// # Errors
    /// [`Failed`], told already.
    pub(crate) fn hq(&self, args: &[&str]) -> Result<Ran, Failed> {
        let data = self.folder.join("hq");
        program::run(&self.bench.hq(), &[&["--data", &text(&data)], args].concat())
    }

    /// Syncs a device until both sides are level.
    ///
    /// # Errors
    /// [`Failed`], told already.
    pub(crate) fn sync(&self, device: &str) -> Result<Synced, Failed> {
        self.sync_with(device, &[])
    }

    /// Syncs a device with more arguments.
    ///
    /// # Errors
    /// [`Failed`], told already.
    pub(crate) fn sync_with(&self, device: &str, args: &[&str]) -> Result<Synced, Failed> {
        let (ran, walk) = walk(&self.line, self.serving.id(), || {
            self.device(device, &[&["sync", "--json"], args].concat())
        })?;
        let report = ran.json()?;
        Ok(Synced { ran, walk, report })
    }

    /// Breaks the line once, after so many more bytes up.
    pub(crate) fn cut_after(&self, bytes: u64) {
        self.line.cut(Cut::Once { way: Way::Up, after: bytes });
    }

    /// Imports a file of the workload.
    ///
    /// # Errors
    /// [`Failed`] where a row is refused.
    pub(crate) fn import(&self, device: &str, mapping: &str, file: &Path) -> Result<Ran, Failed> {
        let mapping = self.bench.tree.join("mappings").join(mapping);
        self.device(device, &["import", "--map", &text(&mapping), &text(file)])
    }

    /// Returns a device's folder.
    pub(crate) fn home(&self, device: &str) -> PathBuf {
        self.folder.join(device)
    }

    /// Returns where the line ends on the device's side.
    pub(crate) fn line_address(&self) -> Option<SocketAddr> {
        self.line.url().rsplit('/').next().and_then(|rest| rest.parse().ok())
    }

    /// Returns what HQ's folder takes on the disk, in bytes.
    pub(crate) fn hq_bytes(&self) -> u64 {
        disk_bytes(&self.folder.join("hq"))
    }

    /// Returns the largest memory that HQ had, in KiB.
    pub(crate) fn hq_peak_kib(&self) -> u64 {
        program::peak_kib(self.serving.id()).unwrap_or(0)
    }
}

impl Drop for World {
    fn drop(&mut self) {
        // It is ours to end, and its folder goes with it.
        drop(self.serving.kill());
        drop(self.serving.wait());
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// Returns what a folder takes on the disk, in bytes.
#[cfg(unix)]
pub(crate) fn disk_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;

    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| match entry.metadata() {
            Ok(meta) if meta.is_dir() => disk_bytes(&entry.path()),
            Ok(meta) => meta.blocks() * 512,
            Err(_) => 0,
        })
        .sum()
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
