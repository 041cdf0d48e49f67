//! Work and receipts that somebody carries as files: late, twice, in any order, whole or damaged.

use std::path::PathBuf;

use fieldbook::bundle;

use crate::world::World;

/// Files on their way.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    work: Vec<PathBuf>,
    receipts: Vec<(PathBuf, u32)>,
    n_files: usize,
}

impl World {
    fn new_file(&mut self) -> PathBuf {
        self.carried.n_files += 1;
        self.folder.path().join(format!("carried{}", self.carried.n_files))
    }

    /// A device writes what headquarters did not sign for into a file.
    pub(crate) fn write_bundle(&mut self, at: usize) {
        let file = self.new_file();
        let now = self.devices[at].now(self.now_ms);
        let written = match bundle::work::write(self.devices[at].store(), now, &file) {
            Err(_) if self.is_full(at) => return,
            written => written.expect("a bundle"),
        };
        self.tell(format!("{at} writes a bundle of {} ops", written.ops));
        self.carried.work.push(file);
    }

    /// Headquarters reads one of the files that were written, perhaps not for the first time.
    pub(crate) fn read_bundle(&mut self) {
        let n_files = self.carried.work.len();
        let Some(file) = self.carried.work.get(self.dice.below(n_files)).cloned() else { return };
        let receipt = self.new_file();
        if self.dice.chance(20) {
            let bent = self.bent(&file);
            let refused = self.hq.borrow().reads(&bent, &receipt, self.now_ms);
            assert!(refused.is_err(), "a damaged bundle was read: {refused:?}");
        }
        match self.hq.borrow().reads(&file, &receipt, self.now_ms) {
            Ok(taken) => {
                let author = taken.header.author.0;
                self.story.push(format!("a bundle of {author} is read: {} new ops", taken.new_ops));
                self.carried.receipts.push((receipt, author));
            }
            Err(error) => self.story.push(format!("a bundle is refused: {error}")),
        }
    }

    /// A device reads one of the receipts for it, perhaps not for the first time.
    pub(crate) fn read_receipt(&mut self, at: usize) {
        let replica = self.devices[at].replica.0;
        let own: Vec<PathBuf> = self
            .carried
            .receipts
            .iter()
            .filter(|(_, author)| *author == replica)
            .map(|(file, _)| file.clone())
            .collect();
        let Some(file) = own.get(self.dice.below(own.len())) else { return };
        let now = self.devices[at].now(self.now_ms);
        if self.dice.chance(20) {
            let bent = self.bent(file);
            let refused = bundle::receipt::read(self.devices[at].store(), now, &bent);
            assert!(refused.is_err(), "a damaged receipt was read: {refused:?}");
        }
        let read = bundle::receipt::read(self.devices[at].store(), now, file);
        self.devices[at].moved_on();
        assert!(read.is_ok() || self.is_full(at), "device {at}: {read:?}");
        self.tell(format!("{at} reads a receipt: {read:?}"));
    }

    /// Returns a copy of a file in which one bit is turned.
    fn bent(&mut self, file: &std::path::Path) -> PathBuf {
        let mut bytes = std::fs::read(file).expect("a file that was written");
        let at = self.dice.below(bytes.len());
        bytes[at] ^= 1 << self.dice.below(8);
        let bent = self.new_file();
        std::fs::write(&bent, bytes).expect("room on the disk");
        bent
    }
}
