//! What crosses the wire, as bytes.

#[cfg(test)]
mod conversation;
#[cfg(test)]
mod enrolment;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod page;
#[cfg(test)]
mod sample;
