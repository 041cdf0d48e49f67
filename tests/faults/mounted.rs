//! A disk of our own with a real file system, whose power can be cut.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::mounts::{Disk, mount};

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
        self.disk.path()
    }

    /// Cuts the power: returns a disk with what this one holds, as it is found when the power is back.
    pub(crate) fn cut(&self) -> Disk {
        let image = self.folder.path().join("cut");
        drop(fs::remove_file(&image));
        fs::copy(&self.image, &image).expect("room in memory");
        Self::mounted(&image, &self.folder.path().join("after")).expect("a file system that mounts")
    }
}
