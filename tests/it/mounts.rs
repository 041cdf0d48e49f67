//! Disks of our own, mounted over a folder.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted disk; unmounted when dropped.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// Mounts a disk of `mib` MiB in memory over the folder; `None`, with a line that says so, where that is not permitted.
    pub(crate) fn over(folder: &Path, mib: u32) -> Option<Self> {
        mount(&["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"], folder)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Fills the disk with a file up to `left` free bytes.
    pub(crate) fn fill(&self, left: u64, name: &str) -> PathBuf {
        let ballast = self.0.join(name);
        let mut file = fs::File::create(&ballast).expect("room for a name");
        while file.write_all(&[0x5a; 4096]).is_ok() {}
        let bytes = file.metadata().expect("our own ballast").len();
        file.set_len(bytes.saturating_sub(left)).expect("our own ballast");
        ballast
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).output());
    }
}

/// Mounts what `args` say over a folder; `None`, with a line that says so, where that is not permitted.
pub(crate) fn mount(args: &[&str], folder: &Path) -> Option<Disk> {
    fs::create_dir_all(folder).expect("a folder");
    let mounted =
        Command::new("mount").args(args).arg(folder).output().is_ok_and(|done| done.status.success());
    if !mounted {
        // A container may take the right to mount from root; then nobody has it, and a plain disk shows it.
        assert!(!may_mount(), "mounting is permitted here and did not work: {args:?}");
        println!("NOT TESTED: a disk of our own, because mounting is not permitted");
        return None;
    }
    Some(Disk(folder.to_owned()))
}

/// Returns whether this process holds the right to mount, by what the kernel says of it.
fn may_mount() -> bool {
    const CAP_SYS_ADMIN: u64 = 1 << 21;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let held = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let held = held.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    held.is_some_and(|held| held & CAP_SYS_ADMIN != 0)
}
