//! The device's pages as processes: one home has one server, and a command gets the home from it.

use std::io::{BufRead, BufReader};
use std::process::Child;

use crate::company::Company;
use crate::world::Device;

/// Starts the pages of a device on a free port and returns their process and their first line.
#[track_caller]
fn pages(device: &Device) -> (Child, String) {
    let mut process = device.start(["web", "--port", "0"]);
    let mut stdout = BufReader::new(process.stdout.take().expect("a piped standard output"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("the first line");
    (process, line)
}

#[track_caller]
fn ends(mut process: Child) {
    process.kill().expect("a process of ours");
    process.wait().expect("its end");
}

#[test]
fn a_second_server_of_a_home_says_where_the_first_answers_and_leaves_it_alone() {
    let company = Company::found();
    let device = company.device("T101");
    let (first, line) = pages(&device);
    let (address, _key) = line.split_once("?key=").expect("the first address");
    let second = device.run(["web", "--port", "0"]).ended(7);
    assert!(second.stderr.contains(address), "{address} in {}", second.stderr);
    // The first one still gives the home away.
    device.run(["status"]).ended(0);
    ends(first);
    // What it left behind says nothing: nobody answers there.
    let (next, _) = pages(&device);
    device.run(["status"]).ended(0);
    ends(next);
}
