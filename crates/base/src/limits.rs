//! Bounds. Each is tested where it is enforced.

/// Encoded bytes of one delta.
pub const DELTA_BYTES_MAX: usize = 64 * 1024;
/// Steps in one delta.
pub const DELTA_STEPS_MAX: usize = 4_096;
/// Hashes a delta may depend on beside its predecessor.
pub const DELTA_DEPS_MAX: usize = 64;
/// Text that a step carries itself; longer text is a blob.
pub const INLINE_TEXT_BYTES_MAX: usize = 8 * 1024;
/// Larger files are kept whole (as blobs), not character by character.
pub const TEXT_FILE_BYTES_MAX: u64 = 20 * 1024 * 1024;
/// UTF-16 units of a text that a file is created with: room for one that grew, and was duplicated.
pub const TEXT_CREATED_MAX: u64 = 4 * TEXT_FILE_BYTES_MAX;
/// UTF-16 units that one step brings into a text.
pub const TEXT_INSERTED_MAX: u64 = 16 * TEXT_FILE_BYTES_MAX;
/// More lines than this: kept whole, too. Monaco's own threshold for colouring.
pub const TEXT_FILE_LINES_MAX: u64 = 300_000;
/// A single blob: what a length of 32 bits can say.
pub const BLOB_BYTES_MAX: u64 = u32::MAX as u64;
/// Files in one workspace.
pub const FILES_MAX: usize = 200_000;
/// Bytes of what somebody without the past begins with, or of one text in it.
pub const CHECKPOINT_BYTES_MAX: usize = 512 * 1024 * 1024;
/// Files in it, those that are gone included.
pub const CHECKPOINT_FILES_MAX: usize = 2_000_000;
/// Bytes of one path component.
pub const NAME_BYTES_MAX: usize = 255;
/// Components of a path.
pub const PATH_DEPTH_MAX: usize = 64;
/// Bytes of a named moment's name or note.
pub const MOMENT_NAME_BYTES_MAX: usize = 1_024;
/// Bytes of a message.
pub const CHAT_BYTES_MAX: usize = 8 * 1024;
/// Bytes of a person's name.
pub const PERSON_NAME_BYTES_MAX: usize = 1_024;
/// Colours in which authors are shown.
pub const AUTHOR_COLORS: u8 = 8;
/// Logs of one device that a removal accepts: a device rarely has more than one life.
pub const ACCEPTED_HEADS_MAX: usize = 64;
