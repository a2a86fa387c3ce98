//! Searches of a real workspace: what the folder has, what was typed and is not there yet, what is replaced.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::{Node, Options};
use codesync_api::{FileReplacement, Moment, ReplaceTarget, Replaced, SearchReply, SearchRequest, Splice, Stretch};
use std::cell::Cell;
use std::fs;
use std::time::{Duration, Instant};
use tempfile::TempDir;

struct Bench {
    folder: TempDir,
    node: Node,
    searches: Searches,
}

fn query(text: &str) -> SearchQuery {
    SearchQuery {
        text: text.into(),
        is_regex: false,
        match_case: true,
        whole_word: false,
        include: Vec::new(),
        exclude: Vec::new(),
        replacement: None,
    }
}

impl Bench {
    fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let options = Options { person: Some("Asha".into()), watch: false, create: true };
        let node = Node::open(folder.path(), options).unwrap();
        Self { folder, node, searches: Searches::default() }
    }

    fn answer(&self, request: SearchRequest) -> Result<SearchReply, ApiError> {
        self.searches.answer(&self.node, self.folder.path(), request)
    }

    /// `path:line:column` of everything, and whether there is more.
    fn find(&self, query: &SearchQuery) -> (Vec<String>, bool) {
        let SearchReply::Begun { id } = self.answer(SearchRequest::Begin { query: query.clone() }).unwrap() else {
            panic!("it did not begin");
        };
        let (start, mut files) = (Instant::now(), Vec::new());
        loop {
            let SearchReply::Found(news) = self.answer(SearchRequest::More { id }).unwrap() else { panic!("no news") };
            files.extend(news.files);
            if news.is_over {
                assert_eq!(news.trouble, None);
                return (places(&files), news.is_cut);
            }
            assert!(start.elapsed() < Duration::from_secs(60), "the search never ends");
        }
    }

    fn replace(&self, query: &SearchQuery, replacement: &str, targets: Vec<ReplaceTarget>) -> Replaced {
        let replacement = replacement.to_owned();
        let request = SearchRequest::Replace { query: query.clone(), replacement, targets, keeps_moment: true };
        match self.answer(request).unwrap() {
            SearchReply::Replaced(replaced) => replaced,
            other => panic!("{other:?}"),
        }
    }

    fn edit(&self, path: &str, at: u32, deleted: u32, text: &str) {
        edit(&self.node, path, at, deleted, text);
    }

    fn text(&self, path: &str) -> String {
        match self.node.call(Request::FileAt { path: path.into(), at: Moment::Now }).unwrap() {
            Reply::File(file) => file.text.unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

fn edit(node: &Node, path: &str, at: u32, deleted: u32, text: &str) {
    let edits = vec![Splice(at, deleted, text.into())];
    node.call(Request::EditFile { path: path.into(), edits }).unwrap();
}

fn places(files: &[FileMatches]) -> Vec<String> {
    let of_file = |file: &FileMatches| {
        let path = file.path.clone();
        file.matches.iter().map(move |one| format!("{path}:{}:{}", one.line, one.column)).collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}

fn all_of(path: &str) -> ReplaceTarget {
    ReplaceTarget { path: path.into(), only: None }
}

#[test]
fn the_workspace_is_searched_as_it_is_now() {
    let bench = Bench::new(&[
        ("src/b.rs", "one needle\n\tneedle needle"),
        ("a.txt", "needle"),
        ("z/big.log", "needle"),
        (".gitignore", "*.log\n"),
        ("logo.png", "needle\0"),
    ]);
    assert_eq!(bench.find(&query("needle")).0, ["src/b.rs:1:5", "src/b.rs:2:2", "src/b.rs:2:9", "a.txt:1:1"]);
    // Typed, and not in the folder yet; the last file is only here.
    bench.edit("a.txt", 0, 1, "N\n");
    bench.edit("new.txt", 0, 0, "a needle");
    let (found, _) = bench.find(&query("needle"));
    assert_eq!(found, ["src/b.rs:1:5", "src/b.rs:2:2", "src/b.rs:2:9", "new.txt:1:3"]);
    let inside = SearchQuery { include: vec!["*.txt".into()], match_case: false, ..query("NEEDLE") };
    assert_eq!(bench.find(&inside).0, ["new.txt:1:3"]);
    bench.node.call(Request::Flush).unwrap();
    bench.edit("src/b.rs", 4, 1, "N");
    let again = SearchRequest::Again { query: query("needle"), paths: vec!["src/b.rs".into(), "none".into()] };
    let SearchReply::Files { files } = bench.answer(again).unwrap() else { panic!("no files") };
    assert_eq!(places(&files), ["src/b.rs:2:2", "src/b.rs:2:9"]);
}

#[test]
fn what_cannot_be_asked_is_refused_and_ends_nothing() {
    let bench = Bench::new(&[("a.txt", "needle")]);
    let begin = |query: SearchQuery| bench.answer(SearchRequest::Begin { query });
    let SearchReply::Begun { id } = begin(query("needle")).unwrap() else { panic!("it did not begin") };
    let refused = begin(SearchQuery { is_regex: true, ..query("(") }).unwrap_err();
    assert_eq!(refused.message, "This expression can't be used: unclosed group.");
    let SearchReply::Found(news) = bench.answer(SearchRequest::More { id }).unwrap() else { panic!("no news") };
    assert_eq!(places(&news.files), ["a.txt:1:1"]);
    // Another takes its place.
    begin(query("x")).unwrap();
    let SearchReply::Found(news) = bench.answer(SearchRequest::More { id }).unwrap() else { panic!("no news") };
    assert!(news.is_over && news.files.is_empty());
}

#[test]
fn the_first_ten_thousand_are_told() {
    let many = "x\n".repeat(6_000);
    let bench = Bench::new(&[("a", &many), ("b", &many), ("c", "x")]);
    let (found, is_cut) = bench.find(&query("x"));
    assert_eq!((found.len(), is_cut, found.last().unwrap().as_str()), (MATCHES_MAX, true, "b:4000:1"));
    let exactly = Bench::new(&[("a", &"x\n".repeat(MATCHES_MAX)), ("b", "y")]);
    assert_eq!((exactly.find(&query("x")).0.len(), exactly.find(&query("x")).1), (MATCHES_MAX, false));
    let more = Bench::new(&[("a", &"x\n".repeat(MATCHES_MAX)), ("b", "x")]);
    assert!(more.find(&query("x")).1);
}

#[test]
fn all_that_is_replaced_is_one_act() {
    let files: Vec<(String, String)> = (0..40).map(|n| (format!("f{n:02}.txt"), format!("old {n} old"))).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let bench = Bench::new(&files);
    let targets: Vec<ReplaceTarget> = files.iter().map(|(path, _)| all_of(path)).chain([all_of("gone.txt")]).collect();
    let words = SearchQuery { is_regex: true, ..query("(o)ld( \\d+)?") };
    let done = bench.replace(&words, "$1$2!", targets);
    assert_eq!((done.n_replaced, done.paths.len(), done.n_missed, done.trouble), (80, 40, 1, None));
    assert_eq!((bench.text("f00.txt"), bench.text("f39.txt")), ("o 0! o!".into(), "o 39! o!".into()));
    let undone = bench.node.call(Request::UndoGroup { group_id: done.group_id.unwrap() }).unwrap();
    let Reply::Undone(undone) = undone else { panic!("{undone:?}") };
    assert_eq!(undone.paths.len(), 40);
    assert!(files.iter().all(|(path, text)| bench.text(path) == *text));
}

#[test]
fn only_what_was_meant_and_still_stands_there_is_replaced() {
    let bench = Bench::new(&[("a.txt", "x x x")]);
    let only = |places: &[(u32, u32)]| ReplaceTarget { path: "a.txt".into(), only: Some(places.to_vec()) };
    let done = bench.replace(&query("x"), "long", vec![only(&[(2, 1)])]);
    assert_eq!((done.n_replaced, bench.text("a.txt").as_str()), (1, "x long x"));
    // The last one is elsewhere by now.
    let done = bench.replace(&query("x"), "y", vec![only(&[(0, 1), (4, 1)])]);
    assert_eq!((done.n_replaced, done.n_missed, bench.text("a.txt").as_str()), (1, 1, "y long x"));
    let done = bench.replace(&query("none"), "y", vec![all_of("a.txt")]);
    assert_eq!((done.group_id, done.n_missed), (None, 1));
}

#[test]
fn whoever_types_meanwhile_loses_nothing() {
    let bench = Bench::new(&[("a.txt", "old"), ("b.txt", "old")]);
    let n_asked = Cell::new(0);
    // Between the decision and the replacement somebody types into one of the files.
    let ask = |request: Request| {
        if matches!(request, Request::ReplaceInFiles { .. }) && n_asked.replace(n_asked.get() + 1) == 0 {
            edit(&bench.node, "a.txt", 0, 0, "typed ");
        }
        bench.node.call(request)
    };
    let targets = [all_of("a.txt"), all_of("b.txt")];
    let done = replace::replace(&ask, &query("old"), "new", &targets, false).unwrap();
    assert_eq!((done.n_replaced, done.n_missed, n_asked.get()), (2, 0, 2));
    assert_eq!((bench.text("a.txt"), bench.text("b.txt")), ("typed new".into(), "new".into()));
    bench.node.call(Request::UndoGroup { group_id: done.group_id.unwrap() }).unwrap();
    assert_eq!((bench.text("a.txt"), bench.text("b.txt")), ("typed old".into(), "old".into()));
}

#[test]
fn what_is_refused_in_the_middle_is_said_with_what_was_done() {
    let bench = Bench::new(&[("a.txt", "old"), ("b.txt", "old")]);
    let n_asked = Cell::new(0);
    let full = || ApiError::new(ErrorCode::DiskFull, "This disk is full.");
    let ask = |request: Request| match request {
        Request::PresentText { path } if path == "b.txt" && n_asked.get() > 0 => Err(full()),
        Request::ReplaceInFiles { files, .. } => {
            n_asked.set(n_asked.get() + 1);
            // As if the second file had changed.
            let files = files.into_iter().filter(|file| file.path == "a.txt").collect();
            bench.node.call(Request::ReplaceInFiles { group_id: None, keeps_moment: false, files })
        }
        other => bench.node.call(other),
    };
    let targets = [all_of("a.txt"), all_of("b.txt")];
    let done = replace::replace(&ask, &query("old"), "new", &targets, false).unwrap();
    assert_eq!((done.n_replaced, done.trouble), (1, Some(full())));
    let refuse = |_: Request| Err(full());
    assert_eq!(replace::replace(&refuse, &query("old"), "new", &targets, false).unwrap_err(), full());
    // A stretch that nobody decided on by the text is none of the engine's.
    let stretches = vec![Stretch { position: 0, old: "old".into(), new: String::new() }];
    let files = vec![FileReplacement { path: "a.txt".into(), stretches }];
    let reply = bench.node.call(Request::ReplaceInFiles { group_id: None, keeps_moment: false, files }).unwrap();
    assert!(matches!(reply, Reply::InFilesReplaced { changed, .. } if changed.is_empty()));
}
