//! Bounds of the link. Each is enforced where bytes come in, and has a test. See `docs/protocol.md`.

/// A frame of a peer that was admitted.
pub const FRAME_BYTES_MAX: usize = 256 * 1024;
/// A frame of a peer whose Hello was not accepted yet.
pub const FRAME_BYTES_MAX_FIRST: usize = 4 * 1024;
/// Deltas in one frame.
pub const FRAME_DELTAS_MAX: usize = 2_048;
/// What a sender puts into one frame, so that a largest delta still fits.
pub(crate) const FRAME_FILL_BYTES: usize = 176 * 1024;

/// What a delta costs of the credit beside its bytes.
pub const DELTA_COST_BYTES: usize = 128;
/// Bytes of deltas that may be on the way, or wait for the engine.
pub const CREDIT_BYTES: u64 = 2 * 1024 * 1024;

/// Deltas of one peer that came unasked and wait for what is missing.
pub const HELD_LIVE_MAX: usize = 1_024;
/// Deltas of one peer that were asked for and wait: for their signature, a content, their past.
pub const HELD_ASKED_MAX: usize = 16_384;
/// Bytes of both.
pub const HELD_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Above this no new credit is given for what is held.
pub(crate) const HELD_BYTES_PAID: usize = 5 * 1024 * 1024;

/// Deltas a second that may come unasked, sustained; what is above has to be asked for.
pub const LIVE_PER_SECOND: u32 = 200;
pub(crate) const LIVE_BURST: u32 = 400;
/// The receiver's patience with bursts that the network made.
pub(crate) const LIVE_BURST_TAKEN: u32 = 1_000;

/// Bytes of one presence message, and how many of them a second.
pub const PRESENCE_BYTES_MAX: usize = 1_024;
pub const PRESENCE_PER_SECOND: u32 = 20;

/// Heads in one frame. Who has more tells them in several.
pub const FRAME_HEADS_MAX: usize = 3_072;
/// Logs that are told to one peer, and that it is believed to have; more are passed over, for anybody can begin logs.
pub const LOGS_MAX: usize = 8_192;
/// Branches of one log that are told. Others are asked for once something builds on them.
pub const BRANCHES_MAX: usize = 8;
/// Logs asked for in one Want, and known places named for each.
pub const WANT_LOGS_MAX: usize = 256;
pub const WANT_KNOWN_MAX: usize = 16;

/// Bytes of a blob that one request asks for, and that one frame brings.
pub const BLOB_REQUEST_BYTES_MAX: u32 = 512 * 1024;
pub(crate) const BLOB_CHUNK_BYTES: u32 = 128 * 1024;
/// Requests in one frame.
pub const BLOB_REQUESTS_MAX: usize = 64;
/// Bytes of blobs that are asked for and not there yet: below this one more request may be made.
pub(crate) const BLOB_ASKED_BYTES_MAX: u64 = 2 * 1024 * 1024;
/// What one frame may ask for: nobody who keeps to the limit above ever has more under way.
pub const BLOB_WANT_BYTES_MAX: u64 = BLOB_ASKED_BYTES_MAX + BLOB_REQUEST_BYTES_MAX as u64;
/// Bytes of frames for one peer that wait to be sent: whoever asks for more before they go is let go. A peer that keeps to
/// its limits is not half way there: its contents, its credit and a snapshot.
pub const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Text of a snapshot.
pub const SNAPSHOT_BYTES_MAX: u32 = 4 * 1024 * 1024;
pub const SNAPSHOT_FILES_MAX: usize = 1_024;
/// Digests in one frame.
pub const DIGEST_FILES_MAX: usize = 4_096;

pub const TOKEN_BYTES_MAX: usize = 2_048;
pub const SOFTWARE_BYTES_MAX: usize = 32;
pub const DETAIL_BYTES_MAX: usize = 200;

/// A clock reading further ahead of ours than this is not believed yet.
pub const AHEAD_MS_MAX: u64 = 600_000;
/// Offsets of clocks above this are told.
pub const CLOCK_OFFSET_MS_TOLD: i64 = 2_000;
