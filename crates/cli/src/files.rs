//! Files: show, tree, rename, delete.

use crate::failure::Failure;
use crate::output::{Output, harmless};
use crate::session::{Session, Stay};
use crate::unexpected;
use base64::Engine as _;
use codesync_api::{Reply, Request};
use serde_json::json;

/// Prints a file exactly: its text, or for binaries its bytes.
pub fn show(path: &str, at: Option<&str>, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let path = session.file_path(path)?;
    let at = session.moment_or_now(at)?;
    let reply = session.call(Request::FileAt { path, at });
    session.close();
    let Reply::File(file) = reply? else { return Err(Failure::refused("No file came.")) };
    if out.json {
        let bytes = file.text.is_none().then_some(file.bytes_base64).flatten();
        return out.object(&[("path", json!(file.path)), ("text", json!(file.text)), ("bytes_base64", json!(bytes))]);
    }
    match (file.text, file.bytes_base64) {
        (Some(text), _) => out.bytes(text.as_bytes()),
        (None, Some(encoded)) => {
            let bytes = base64::engine::general_purpose::STANDARD.decode(encoded);
            out.bytes(&bytes.map_err(|_| Failure::refused("The bytes of this file came damaged."))?)
        }
        (None, None) => Ok(()),
    }
}

pub fn tree(at: Option<&str>, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let at = at.map(|at| session.moment(at)).transpose()?;
    let reply = session.call(Request::ListFiles { at });
    session.close();
    let paths = match reply? {
        Reply::Files { paths } => paths,
        other => return Err(unexpected(&other).into()),
    };
    paths.iter().try_for_each(|path| out.say(&harmless(path), &[("path", json!(path))]))
}

pub fn rename(from: &str, to: &str, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let (from, to) = (session.file_path(from)?, session.file_path(to)?);
    let done = session.call(Request::Rename { from: from.clone(), to: to.clone() }).and_then(|_| session.flush());
    session.close();
    done?;
    let sentence = format!("Renamed {} to {}.", harmless(&from), harmless(&to));
    out.say(&sentence, &[("from", json!(from)), ("to", json!(to))])
}

pub fn delete(path: &str, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let path = session.file_path(path)?;
    let reply = session.call(Request::Delete { path: path.clone() }).and_then(|reply| session.flush().map(|()| reply));
    session.close();
    let group_id = match reply? {
        Reply::Restored(done) => done.group_id,
        _ => None,
    };
    let sentence = format!("Deleted {}. “codesync undo” brings it back.", harmless(&path));
    out.say(&sentence, &[("path", json!(path)), ("group_id", json!(group_id))])
}
