//! Programs that are asked to stop in the middle of their work, and two of them at one home.

use std::process::Child;
use std::time::Duration;

use fieldbook::clock::Clock;
use fieldbook::store::Store;

use crate::company::{Company, LI, ZHAO};
use crate::dice::Dice;
use crate::tally::{Came, Tally, rounds, seed};
use crate::victim::record;

/// Sends SIGTERM as a service manager does.
fn terminate(child: &Child) {
    let pid = rustix::process::Pid::from_child(child);
    // One that has ended already needs no signal.
    let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
}

#[test]
fn a_device_that_is_terminated_while_it_syncs_loses_nothing() {
    let company = Company::found();
    let device = company.device(LI);
    let (mut dice, mut tally) = (Dice::of(seed("term")), Tally::default());
    let n = rounds(30);
    for round in 0..n {
        let mut store = Store::open(device.home(), Clock::system().now()).expect("a home that opens");
        record(&mut store, &format!("term {round}"));
        drop(store);
        let mut child = device.start(["sync"]);
        std::thread::sleep(Duration::from_micros(dice.any() % 120_000));
        terminate(&child);
        child.wait().expect("it has ended");
        tally.note(Came::Harmless);
    }
    assert_eq!(device.sync()["level"], true);
    company.is_level_with(&[&device]);
    assert_eq!(company.export("repair").len(), usize::try_from(n).expect("few"));
    tally.print("SIGTERM of a device that syncs");
}

#[test]
fn headquarters_that_is_terminated_ends_what_it_began() {
    let mut company = Company::found();
    let devices = [company.device(LI), company.device(ZHAO)];
    let (mut dice, mut tally) = (Dice::of(seed("term hq")), Tally::default());
    for round in 0..rounds(10) {
        let children: Vec<Child> = devices
            .iter()
            .map(|device| {
                let mut store = Store::open(device.home(), Clock::system().now()).expect("a home that opens");
                record(&mut store, &format!("term {round}"));
                drop(store);
                device.start(["sync"])
            })
            .collect();
        std::thread::sleep(Duration::from_micros(dice.any() % 120_000));
        company.hq.terminate(terminate);
        children.into_iter().for_each(|mut child| drop(child.wait()));
        company.hq.serve();
        tally.note(Came::Harmless);
    }
    devices.iter().for_each(|device| assert_eq!(device.sync()["level"], true));
    company.is_level_with(&[&devices[0], &devices[1]]);
    tally.print("SIGTERM of headquarters under load");
}

#[test]
fn two_programs_at_one_home_take_turns_and_neither_overwrites_the_other() {
    let company = Company::found();
    let device = company.device(LI);
    let mut tally = Tally::default();
    for _ in 0..rounds(10) {
        let children: Vec<Child> = (0..3)
            .map(|_| device.start(["--json", "sheet", "new", "repair", "--set", "problem=x"]))
            .collect();
        for child in children {
            let done = child.wait_with_output().expect("it has ended");
            // Who waited for longer than five seconds says who holds the home.
            assert!(matches!(done.status.code(), Some(0 | 7)), "{done:?}");
            tally.note(if done.status.success() { Came::Harmless } else { Came::Refused });
        }
    }
    let listed = device.ask(["sheet", "list"]).as_array().map(Vec::len);
    assert_eq!(listed, usize::try_from(tally.harmless).ok(), "what was acknowledged is there once");
    device.doctor();
    tally.print("several programs at one home");
}
