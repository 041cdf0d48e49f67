//! A folder as bytes in memory: laid out again and again in one place, so that no round meets what another one left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files by their path below the folder; `None` is a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Laid(pub(crate) BTreeMap<PathBuf, Option<Vec<u8>>>);

impl Laid {
    /// Reads a folder.
    pub(crate) fn of(folder: &Path) -> Self {
        let mut files = BTreeMap::new();
        read(folder, Path::new(""), &mut files);
        Self(files)
    }

    /// Lays it out; whatever else is there goes. The folder itself stays the same one, as a device's does.
    pub(crate) fn lay(&self, folder: &Path) {
        std::fs::create_dir_all(folder).expect("a folder");
        for entry in std::fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            let gone =
                if path.is_dir() { std::fs::remove_dir_all(&path) } else { std::fs::remove_file(&path) };
            gone.expect("a folder of the tests");
        }
        for (name, bytes) in &self.0 {
            let path = folder.join(name);
            match bytes {
                None => std::fs::create_dir_all(path).expect("a folder"),
                Some(bytes) => std::fs::write(path, bytes).expect("room in memory"),
            }
        }
    }

    /// Returns the names of the files that a rule picks.
    pub(crate) fn names(&self, picks: impl Fn(&str) -> bool) -> Vec<PathBuf> {
        let files = self.0.iter().filter(|(_, bytes)| bytes.as_ref().is_some_and(|bytes| !bytes.is_empty()));
        files.map(|(name, _)| name.clone()).filter(|name| picks(&name.to_string_lossy())).collect()
    }

    pub(crate) fn bytes(&self, name: &Path) -> &[u8] {
        self.0.get(name).and_then(Option::as_deref).unwrap_or_default()
    }

    /// Returns it with other bytes in one file.
    pub(crate) fn with(&self, name: &Path, bytes: Vec<u8>) -> Self {
        let mut other = self.clone();
        other.0.insert(name.to_owned(), Some(bytes));
        other
    }
}

fn read(folder: &Path, below: &Path, files: &mut BTreeMap<PathBuf, Option<Vec<u8>>>) {
    for entry in std::fs::read_dir(folder.join(below)).expect("a folder").flatten() {
        let name = below.join(entry.file_name());
        let path = folder.join(&name);
        if path.is_dir() {
            files.insert(name.clone(), None);
            read(folder, &name, files);
        } else {
            files.insert(name, Some(std::fs::read(path).expect("a file")));
        }
    }
}
