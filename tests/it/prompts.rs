//! On a terminal: what is asked is answered there, and the command goes on.
//!
//! A prompt and a spinner once waited for the locks that the program itself held on its streams.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, tcgetattr};

use crate::money::Play;
use crate::world::Device;

const PIN: &str = "k7-Perlach 9 Rosenheim";

/// Nothing of this takes so long on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A command at a terminal.
struct Typed {
    process: Child,
    keys: File,
    screen: Receiver<Vec<u8>>,
    shown: String,
}

impl Typed {
    #[track_caller]
    fn start(device: &Device, args: &[&str]) -> Self {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&near).and_then(|()| unlockpt(&near)).expect("a terminal of ours");
        let name = ptsname(&near, Vec::new()).expect("its name");
        let far = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).expect("its far end");
        let end = || Stdio::from(far.try_clone().expect("a handle"));
        let mut command = device.command(args);
        let process = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("the agent starts");
        let mut near = File::from(near);
        let keys = near.try_clone().expect("a handle");
        let (heard, screen) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n) = near.read(&mut bytes) {
                if n == 0 || heard.send(bytes[..n].to_vec()).is_err() {
                    break;
                }
            }
        });
        Self { process, keys, screen, shown: String::new() }
    }

    /// Waits until the terminal shows these words once more and no more what is typed, and types a line.
    #[track_caller]
    fn answers(&mut self, asked: &str, line: &str) {
        self.waits_for(asked);
        self.shown.clear();
        // Whatever was typed before that is thrown away.
        let shows = |keys: &File| tcgetattr(keys).expect("a terminal").local_modes.contains(LocalModes::ECHO);
        for _ in 0..PATIENCE.as_millis() {
            if !shows(&self.keys) {
                break;
            }
            drop(self.screen.recv_timeout(Duration::from_millis(1)));
        }
        assert!(!shows(&self.keys), "{asked}: what is typed shows");
        self.keys.write_all(format!("{line}\n").as_bytes()).expect("a terminal");
    }

    #[track_caller]
    fn waits_for(&mut self, words: &str) {
        while !self.shown.contains(words) {
            match self.screen.recv_timeout(PATIENCE) {
                Ok(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes)),
                Err(gone) => {
                    drop(self.process.kill());
                    panic!("{gone}: no {words:?} in {:?}", self.shown);
                }
            }
        }
    }

    #[track_caller]
    fn ended(mut self) -> Option<i32> {
        self.process.wait().expect("the program ends").code()
    }
}

#[test]
fn a_pin_is_set_and_asked_for_at_a_terminal_and_the_command_goes_on() {
    let play = Play::found();
    let device = play.device("T006");
    let mut set = Typed::start(&device, &["pin", "set"]);
    set.answers("New PIN or passphrase", PIN);
    set.answers("The same again", PIN);
    set.waits_for("The PIN is set");
    assert_eq!(set.ended(), Some(0));
    let mut wrong = Typed::start(&device, &["status"]);
    wrong.answers("PIN or passphrase", "none of it");
    wrong.waits_for("hint:");
    assert_eq!(wrong.ended(), Some(5));
    let mut right = Typed::start(&device, &["status"]);
    right.answers("PIN or passphrase", PIN);
    right.waits_for("Here only");
    assert_eq!(right.ended(), Some(0));
}
