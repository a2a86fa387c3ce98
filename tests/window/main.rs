//! Tests in the real window: the program that users start, on a screen without a monitor, driven by
//! mouse and keys. `harness` knows how; the other modules are one story each.

#![allow(clippy::unwrap_used)]

mod access;
mod desktop;
mod disk_full;
mod harness;
mod keys;
mod kinds_of_files;
mod large;
mod outside;
mod people_screens;
mod refusals;
mod resume;
mod review;
mod saving;
mod screenshots;
mod search;
mod start;
mod timeline;
mod untitled;
mod whole;
mod windows;
mod working_screens;
