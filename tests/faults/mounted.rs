//! Disks of our own: one in memory that can be full, and one with a real file system whose power can be cut.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A mounted disk; unmounted when dropped.
pub(crate) struct Disk(pub(crate) PathBuf);

impl Disk {
    /// Mounts a disk of `mib` MiB in memory over the folder; `None`, with a line that says so, where that is not permitted.
    pub(crate) fn over(folder: &Path, mib: u32) -> Option<Self> {
        mount(&["-t", "tmpfs", "-o", &format!("size={mib}m"), "tmpfs"], folder)
    }

    /// Fills the disk with a file up to `left` free bytes.
    pub(crate) fn fill(&self, left: u64, name: &str) -> PathBuf {
        let ballast = self.0.join(name);
        let free = fieldbook::home::free_bytes(&self.0).expect("the free bytes of a disk");
        let bytes = usize::try_from(free.saturating_sub(left)).expect("a small disk");
        fs::write(&ballast, vec![0x5a; bytes]).expect("room for the ballast");
        ballast
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("--lazy").arg(&self.0).output());
    }
}

fn mount(args: &[&str], folder: &Path) -> Option<Disk> {
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

/// A disk with ext4 whose bytes lie in a file: a copy of the file is what the disk holds when its power is cut.
///
/// What the system still keeps in memory, for nobody asked it to sync, is not in the copy.
pub(crate) struct Powered {
    image: PathBuf,
    folder: tempfile::TempDir,
    disk: Disk,
}

impl Powered {
    /// Makes one; `None` where mounting is not permitted.
    pub(crate) fn on() -> Option<Self> {
        let folder = crate::memory::folder();
        let image = folder.path().join("image");
        fs::File::create(&image).and_then(|file| file.set_len(64 << 20)).expect("room in memory");
        let mut make = Command::new("mkfs.ext4");
        make.args(["-q", "-E", "lazy_itable_init=0,lazy_journal_init=0"]).arg(&image);
        if !make.output().is_ok_and(|done| done.status.success()) {
            println!("NOT TESTED: power cuts of a real file system, because there is no mkfs.ext4");
            return None;
        }
        let disk = Self::mounted(&image, &folder.path().join("disk"))?;
        Some(Self { image, folder, disk })
    }

    fn mounted(image: &Path, at: &Path) -> Option<Disk> {
        // The file system does not write by itself what nobody synced: not within the time of a test.
        mount(&["-o", "loop,commit=600", image.to_str().expect("a path of the tests")], at)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.disk.0
    }

    /// Cuts the power: returns a disk with what this one holds, as it is found when the power is back.
    pub(crate) fn cut(&self) -> Disk {
        let image = self.folder.path().join("cut");
        drop(fs::remove_file(&image));
        fs::copy(&self.image, &image).expect("room in memory");
        Self::mounted(&image, &self.folder.path().join("after")).expect("a file system that mounts")
    }
}
