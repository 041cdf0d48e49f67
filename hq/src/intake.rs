//! What happens to what devices send: every op is judged once, in order of arrival, and only here.

pub mod desk;
pub mod judge;
pub mod segments;
pub mod spread;
pub mod work;
