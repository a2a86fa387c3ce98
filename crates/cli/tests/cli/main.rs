//! The real program in real folders: what a person, a script and another program see of it. One binary.
#![allow(clippy::unwrap_used)]

mod bad_input;
mod commands;
mod disk_acts;
mod editing;
mod places;
mod proof;
mod soak;
mod together;
mod traces;
mod whole_history;
mod world;
