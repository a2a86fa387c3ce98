//! Real editing sessions, piped into `codesync edit`: the end text and a sample of all moments.

use crate::world::{Naive, World, lines_of};
use serde_json::Value;
use std::io::Read;
use std::path::PathBuf;

struct Trace {
    edits: Vec<(u32, u32, String)>,
    end: String,
}

/// None, with a word about it, when the traces are not on this machine.
fn read_trace(name: &str) -> Option<Trace> {
    let folder = match std::env::var_os("CODESYNC_TRACES") {
        Some(folder) => PathBuf::from(folder),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/traces"),
    };
    let file = folder.join(format!("{name}.json.gz"));
    let Ok(packed) = std::fs::File::open(&file) else {
        println!("SKIPPED {name}: there is no {} (set CODESYNC_TRACES)", file.display());
        return None;
    };
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let trace: Value = serde_json::from_str(&text).unwrap();
    let mut edits = Vec::new();
    let start = trace["startContent"].as_str().unwrap();
    if !start.is_empty() {
        edits.push((0, 0, start.to_owned()));
    }
    for patch in trace["txns"].as_array().unwrap().iter().flat_map(|txn| txn["patches"].as_array().unwrap()) {
        edits.push((
            patch[0].as_u64().unwrap() as u32,
            patch[1].as_u64().unwrap() as u32,
            patch[2].as_str().unwrap().to_owned(),
        ));
    }
    Some(Trace { edits, end: trace["endContent"].as_str().unwrap().to_owned() })
}

fn replay(name: &str) {
    let Some(trace) = read_trace(name) else { return };
    let world = World::with_workspace();
    let input =
        lines_of(trace.edits.iter().map(|(position, deleted, inserted)| (*position, *deleted, inserted.as_str())));
    let run = world.run_with(["edit", "paper.txt", "--json"], &input).expect_ok();
    assert_eq!(run.stdout, format!("{{\"path\":\"paper.txt\",\"applied\":{}}}\n", trace.edits.len()));
    assert!(world.ok(["show", "paper.txt"]) == trace.end, "the end text");
    assert!(world.read("paper.txt") == trace.end.as_bytes(), "the file in the folder");

    // Odd stretches, so that keyframes and their neighbours are among them.
    let n = trace.edits.len();
    let mut sample: Vec<usize> = (0..12)
        .map(|i| i * n / 12 + 7 * i)
        .chain([1, 2, 1_023, 1_024, 1_025, n - 1, n])
        .filter(|at| *at <= n)
        .collect();
    sample.sort_unstable();
    sample.dedup();
    let watch = world.watch();
    let mut naive = Naive::default();
    let mut done = 0;
    for at in sample {
        for (position, deleted, inserted) in &trace.edits[done..at] {
            naive.apply(*position, *deleted, inserted);
        }
        done = at;
        assert!(world.ok(["show", "paper.txt", "--at", &format!("@{at}")]) == naive.text(), "{name} @{at}");
    }
    assert!(naive.text() == trace.end);
    watch.stop();
    println!("{name}: {n} edits");
}

#[test]
fn sveltecomponent() {
    replay("sveltecomponent");
}

#[test]
fn json_crdt_patch() {
    replay("json-crdt-patch");
}

#[test]
fn json_crdt_blog_post() {
    replay("json-crdt-blog-post");
}

fn replay_if_slow(name: &str) {
    match std::env::var_os("CODESYNC_SLOW_TESTS") {
        Some(_) => replay(name),
        None => println!("SKIPPED {name}: it runs when CODESYNC_SLOW_TESTS is set"),
    }
}

#[test]
fn seph_blog1() {
    replay_if_slow("seph-blog1");
}

#[test]
fn automerge_paper() {
    replay_if_slow("automerge-paper");
}
