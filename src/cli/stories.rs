//! What people do with the commands, told as tests.

mod home;
mod job;
mod sheet;
mod voucher;
