//! End to end: real agents, a real HQ, and a line between them that we control.
#![allow(dead_code, reason = "a helper stands here for every suite, also for one that is not written yet")]

#[cfg(test)]
mod asked;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod attacks_pages;
#[cfg(test)]
mod bundles;
#[cfg(test)]
mod clocks;
#[cfg(test)]
mod company;
#[cfg(test)]
mod copies;
#[cfg(test)]
mod day;
#[cfg(test)]
mod disagree;
#[cfg(test)]
mod disks;
#[cfg(test)]
mod entropy;
#[cfg(test)]
mod extra;
#[cfg(test)]
mod files;
#[cfg(test)]
mod guides;
#[cfg(test)]
#[path = "../../hq/tests/served/device.rs"]
mod handmade;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod kills;
#[cfg(test)]
mod line;
#[cfg(test)]
mod merge;
#[cfg(test)]
mod money;
#[cfg(test)]
mod monitoring;
#[cfg(test)]
mod mounts;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod port;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod prompts;
#[cfg(test)]
mod proxy;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod repaid;
#[cfg(test)]
mod restores;
#[cfg(test)]
mod rotation;
#[cfg(test)]
mod scopes;
#[cfg(test)]
mod stolen;
#[cfg(test)]
mod tomorrow;
#[cfg(test)]
mod versions;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod watched;
#[cfg(test)]
mod world;
