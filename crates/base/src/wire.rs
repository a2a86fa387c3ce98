//! Bytes of a delta, and the one guarded door through which such bytes come back in.
//!
//! Format 1: the version byte, then the postcard encoding of [`Delta`]. The encoding is canonical: what
//! decodes must encode to the same bytes, or a delta would have two names.

use crate::{AccessStep, Change, Chat, Delta, DeltaHash, limits};

/// First byte of an encoded delta. Old versions stay readable.
pub const FORMAT_VERSION: u8 = 1;

/// Why bytes are no delta.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("a delta of {n_bytes} bytes is over the limit")]
    TooLarge { n_bytes: usize },
    #[error("format {version} is not known")]
    Version { version: u8 },
    #[error("the bytes are no delta")]
    Malformed,
    #[error("the delta is not in canonical form")]
    NotCanonical,
    #[error("a limit is broken: {what}")]
    Limit { what: &'static str },
}

/// Encodes a delta and names it.
pub fn encode_delta(delta: &Delta) -> (Vec<u8>, DeltaHash) {
    // Most deltas are one keystroke: room for it at once.
    let mut bytes = Vec::with_capacity(256);
    bytes.push(FORMAT_VERSION);
    let bytes = postcard::to_extend(delta, bytes).expect("invariant: writing to memory cannot fail");
    let hash = DeltaHash(*blake3::hash(&bytes).as_bytes());
    (bytes, hash)
}

/// Decodes bytes from disk or a peer. Never panics, never reserves more than the bytes justify.
pub fn decode_delta(bytes: &[u8]) -> Result<(Delta, DeltaHash), DecodeError> {
    if bytes.len() > limits::DELTA_BYTES_MAX {
        return Err(DecodeError::TooLarge { n_bytes: bytes.len() });
    }
    let (&version, body) = bytes.split_first().ok_or(DecodeError::Malformed)?;
    if version != FORMAT_VERSION {
        return Err(DecodeError::Version { version });
    }
    let (delta, rest): (Delta, &[u8]) = postcard::take_from_bytes(body).map_err(|_| DecodeError::Malformed)?;
    if !rest.is_empty() {
        return Err(DecodeError::Malformed);
    }
    check_limits(&delta)?;
    let (again, hash) = encode_delta(&delta);
    if again != bytes {
        return Err(DecodeError::NotCanonical);
    }
    Ok((delta, hash))
}

fn check_limits(delta: &Delta) -> Result<(), DecodeError> {
    let limit = |what| Err(DecodeError::Limit { what });
    if delta.seq == 0 || delta.group == 0 || delta.group > delta.seq {
        return limit("sequence numbers");
    }
    if delta.steps.len() > limits::DELTA_STEPS_MAX || delta.steps.is_empty() {
        return limit("number of steps");
    }
    if delta.deps.len() > limits::DELTA_DEPS_MAX {
        return limit("number of dependencies");
    }
    for step in &delta.steps {
        let is_mark = matches!(
            step.change,
            Change::Moment { .. } | Change::Session { .. } | Change::Access(_) | Change::Chat(_) | Change::Color { .. }
        );
        if !is_mark && delta.file_of(step).is_none() {
            return limit("file index");
        }
        if matches!(step.change, Change::Color { color: Some(color) } if color >= limits::AUTHOR_COLORS) {
            return limit("number of a colour");
        }
        if let Change::Text(text) = &step.change {
            let items = text.delete.iter().map(|range| range.first);
            let ends = text.insert.iter().flat_map(|insert| [insert.left, insert.right]).flatten();
            if items.chain(ends).any(|item| delta.log_of(&item).is_none()) {
                return limit("log index");
            }
        }
        if let Change::Access(access) = &step.change {
            check_access(delta, access)?;
        }
        if let Change::Chat(chat) = &step.change {
            check_chat(delta, chat)?;
        }
    }
    Ok(())
}

fn check_access(delta: &Delta, access: &AccessStep) -> Result<(), DecodeError> {
    let limit = |what| Err(DecodeError::Limit { what });
    if delta.steps.len() > 1 {
        return limit("steps beside a change of rights");
    }
    if matches!(access, AccessStep::Grant { person, .. } if person.len() > limits::PERSON_NAME_BYTES_MAX) {
        return limit("name of a person");
    }
    let accepted = access.accepted();
    if accepted.len() > limits::ACCEPTED_HEADS_MAX {
        return limit("number of accepted heads");
    }
    let is_sorted = accepted.is_sorted_by(|a, b| a.log < b.log);
    if !is_sorted || accepted.iter().any(|head| head.log.device != access.device() || head.seq == 0) {
        return limit("accepted heads");
    }
    Ok(())
}

fn check_chat(delta: &Delta, chat: &Chat) -> Result<(), DecodeError> {
    let limit = |what| Err(DecodeError::Limit { what });
    if delta.steps.len() > 1 {
        return limit("steps beside a message");
    }
    if chat.text.is_empty() || chat.text.len() > limits::CHAT_BYTES_MAX {
        return limit("length of a message");
    }
    Ok(())
}

#[cfg(test)]
mod tests;
