//! What people do with the commands, told as tests.

mod claim;
mod home;
mod job;
mod print;
mod sheet;
mod voucher;
