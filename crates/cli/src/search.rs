//! Looking for text in the files as they are now. What was there once is `find`'s.

use crate::failure::Failure;
use crate::output::{Output, Style, grouped, harmless};
use crate::session::{Session, Stay};
use codesync_api::{FileMatches, SearchMatch, SearchQuery};
use codesync_node::{MATCHES_MAX, search as search_files};
use serde_json::json;
use std::ops::ControlFlow;

pub fn search(query: &SearchQuery, out: &mut Output) -> Result<(), Failure> {
    let session = Session::open(Stay::Briefly)?;
    let (mut n_matches, mut n_files, mut n_too_large, mut failure) = (0, 0, 0, None);
    let searched = search_files(&|request| session.try_call(request), session.root(), query, &mut |heard| {
        n_matches += heard.files.iter().map(|file| file.matches.len()).sum::<usize>();
        (n_files, n_too_large) = (heard.n_files, heard.n_too_large);
        let printed = heard.files.iter().try_for_each(|file| print_file(file, out));
        match printed {
            Ok(()) => ControlFlow::Continue(()),
            Err(why) => {
                failure = Some(why);
                ControlFlow::Break(())
            }
        }
    });
    session.close();
    if let Some(why) = failure {
        return Err(why);
    }
    let is_cut = searched?;
    if out.json {
        return Ok(());
    }
    if n_matches == 0 {
        out.line(format!("“{}” is in none of {}.", harmless(&query.text), files(n_files)))?;
    }
    if is_cut {
        out.line(format!("There are more; these are the first {}.", grouped(MATCHES_MAX as u64)))?;
    }
    if n_too_large > 0 {
        out.line(format!("{} too large to edit, not searched.", files(n_too_large)))?;
    }
    Ok(())
}

fn files(n: u64) -> String {
    if n == 1 { "1 file".into() } else { format!("{} files", grouped(n)) }
}

fn print_file(file: &FileMatches, out: &mut Output) -> Result<(), Failure> {
    file.matches.iter().try_for_each(|one| print_match(&file.path, one, out))
}

fn print_match(path: &str, one: &SearchMatch, out: &mut Output) -> Result<(), Failure> {
    if out.json {
        return out.object(&[
            ("path", json!(path)),
            ("line", json!(one.line)),
            ("column", json!(one.column)),
            ("position", json!(one.position)),
            ("length", json!(one.length)),
            ("text", json!(one.preview)),
        ]);
    }
    let units: Vec<u16> = one.preview.encode_utf16().collect();
    let part = |from: usize, to: usize| harmless(&String::from_utf16_lossy(units.get(from..to).unwrap_or_default()));
    let (from, to) = (one.from as usize, one.to as usize);
    let place = out.paint(Style::Faint, &format!(":{}:{}:", one.line, one.column));
    let found = out.paint(Style::Heading, &part(from, to));
    out.line(format!("{}{place} {}{found}{}", harmless(path), part(0, from), part(to, units.len())))
}
