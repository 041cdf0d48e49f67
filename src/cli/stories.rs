//! What people do with the commands, told as tests.

mod claim;
mod day;
mod home;
mod job;
mod pin;
mod print;
mod sheet;
mod voucher;
