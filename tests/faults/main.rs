//! Faults by the hundred: kills, power cuts, turned bits, full disks, wrong clocks. What was acknowledged is never lost,
//! and nothing is wrong without a word.
//!
//! Each kind prints one line of the table of faults. Source: docs/FAULTS.md.
#![allow(
    dead_code,
    reason = "rooms of the other suites are told here too, and not all of what they can is needed"
)]

#[cfg(test)]
mod clocks;
#[cfg(test)]
#[path = "../it/company.rs"]
mod company;
#[cfg(test)]
mod controls;
#[cfg(test)]
#[path = "../sim/dice.rs"]
mod dice;
#[cfg(test)]
mod flips;
#[cfg(test)]
mod flips_office;
#[cfg(test)]
mod full;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod laid;
#[cfg(test)]
#[path = "../sim/memory.rs"]
mod memory;
#[cfg(test)]
mod mounted;
#[cfg(test)]
#[path = "../it/mounts.rs"]
mod mounts;
#[cfg(test)]
#[path = "../sim/office.rs"]
mod office;
#[cfg(test)]
#[path = "../it/port.rs"]
mod port;
#[cfg(test)]
mod power;
#[cfg(test)]
#[path = "../it/proxy.rs"]
mod proxy;
#[cfg(test)]
mod scene;
#[cfg(test)]
mod stops;
#[cfg(test)]
mod tally;
#[cfg(test)]
#[path = "../it/tomorrow.rs"]
mod tomorrow;
#[cfg(test)]
mod truth;
#[cfg(test)]
mod victim;
#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "../it/watched.rs"]
mod watched;
#[cfg(test)]
#[path = "../it/world.rs"]
mod world;
