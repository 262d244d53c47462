//! The bundle from outside: what is written is read, what is wrong is refused.

#[cfg(test)]
mod bases;
#[cfg(test)]
mod folders;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod roundtrip;
#[cfg(test)]
mod signatures;
#[cfg(test)]
mod spool;
#[cfg(test)]
mod support;
#[cfg(test)]
mod versions;
