//! In a real browser: the pages of a device and of the office, used as their people use them.
//!
//! Needs Chromium, a Chinese font and axe-core; `cargo xtask test` installs what is missing.
#![cfg(unix)]
#![allow(dead_code, reason = "the world of the end-to-end tests is shared; not every part is used here")]

#[cfg(test)]
mod audit;
#[cfg(test)]
mod chromium;
#[cfg(test)]
mod device;
#[cfg(test)]
mod engineer;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod money;
#[cfg(test)]
mod office;
#[cfg(test)]
mod page;
#[cfg(test)]
mod served;
#[cfg(test)]
mod stages;
#[cfg(test)]
mod town;

#[cfg(test)]
#[path = "../it/company.rs"]
mod company;
#[cfg(test)]
#[path = "../it/port.rs"]
mod port;
#[cfg(test)]
#[path = "../it/proxy.rs"]
mod proxy;
#[cfg(test)]
#[path = "../it/tomorrow.rs"]
mod tomorrow;
#[cfg(test)]
#[cfg(target_os = "linux")]
#[path = "../it/watched.rs"]
mod watched;
#[cfg(test)]
#[path = "../it/world.rs"]
mod world;
