//! The simulator: devices and headquarters, their real code, in one process under a seed that lets everything happen.
//!
//! A seed that fails prints the command that runs it alone. Source: docs/SIMULATOR.md.

#[cfg(test)]
mod carried;
#[cfg(test)]
mod checks;
#[cfg(test)]
mod controls;
#[cfg(test)]
mod device;
#[cfg(test)]
mod dice;
#[cfg(test)]
mod line;
#[cfg(test)]
mod memory;
#[cfg(test)]
mod office;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod runs;
#[cfg(test)]
mod said;
#[cfg(test)]
mod work;
#[cfg(test)]
mod world;
