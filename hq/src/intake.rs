//! What happens to what devices send: every op is judged once, in order of arrival, and only here.

pub mod alone;
mod copies;
pub mod desk;
mod guard;
mod history;
pub mod judge;
mod ops;
pub mod segments;
pub mod spread;
mod stretch;
pub mod upgrade;
pub mod work;
