//! The two servers that pages come from: the one on a device, and headquarters'.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout};

use crate::page::Page;
use crate::world::Device;

/// The pages of one device, served until this is dropped.
pub(crate) struct Served {
    process: Child,
    /// Kept open: a closed pipe would end the server at its next line.
    _stdout: BufReader<ChildStdout>,
    /// The first address, with its key.
    pub(crate) address: String,
}

impl Served {
    /// Starts `fieldbook web` of that device on a free port.
    #[track_caller]
    pub(crate) fn of(device: &Device) -> Self {
        let mut process = device.start(["web", "--port", "0"]);
        let mut stdout = BufReader::new(process.stdout.take().expect("a piped standard output"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the first line of the pages");
        let address = line.trim().to_owned();
        assert!(
            address.starts_with("http://127.0.0.1:"),
            "the first line is the first address, not {line:?}"
        );
        Self { process, _stdout: stdout, address }
    }

    /// Opens the first address in a browser of its own.
    #[track_caller]
    pub(crate) fn open(&self, width: u32, lang: &'static str) -> Page {
        let mut page = Page::new(width, lang);
        page.go(&self.address);
        page
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}
