//! Text documents and the file tree as CRDTs: edits in, steps out, and back. A document is a cache of the log:
//! it can be thrown away and integrated again. Nothing here reads a clock, a file or a socket, and no byte from
//! a peer reaches yrs: updates are built from validated names only.

#[cfg(test)]
mod random;
mod rope;
#[cfg(test)]
mod stopwatch;
mod text;
mod tree;

pub use rope::splice_rope;
pub use ropey::Rope;
pub use text::{EditError, IntegrateError, OpenDelta, TextDocument, UnitsError, VisibleRun};
pub use tree::{Base, Child, ChildKind, Node, Removed, Tree, TreeAuthor, TreeEvent};
