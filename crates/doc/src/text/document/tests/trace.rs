//! A real editing session, key by key: the paper of the Automerge authors. Prints how fast it went.

use super::*;
use crate::stopwatch::Stopwatch;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::PathBuf;

struct Trace {
    splices: Vec<Splice>,
    start: String,
    end: String,
}

fn read_json(name: &str) -> Option<serde_json::Value> {
    let folder = std::env::var_os("CODESYNC_TRACES")
        .map_or_else(|| PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/traces")), PathBuf::from);
    let file = std::fs::File::open(folder.join(name)).ok()?;
    let mut json = String::new();
    flate2::read::GzDecoder::new(file).read_to_string(&mut json).unwrap();
    Some(serde_json::from_str(&json).unwrap())
}

fn splice_of(patch: &serde_json::Value) -> Splice {
    let number = |value: &serde_json::Value| u32::try_from(value.as_u64().unwrap()).unwrap();
    Splice::new(number(&patch[0]), number(&patch[1]), patch[2].as_str().unwrap())
}

fn read_trace(name: &str) -> Option<Trace> {
    let json = read_json(name)?;
    let patches = json["txns"].as_array().unwrap().iter().flat_map(|txn| txn["patches"].as_array().unwrap());
    let text = |key: &str| json[key].as_str().unwrap().to_owned();
    Some(Trace { splices: patches.map(splice_of).collect(), start: text("startContent"), end: text("endContent") })
}

fn per_second(n: usize, since: &Stopwatch) -> String {
    format!("{:.2} M/s", n as f64 / since.elapsed().as_secs_f64() / 1e6)
}

#[test]
fn a_recorded_session_ends_as_recorded() {
    let Some(trace) = read_trace("automerge-paper.json.gz") else {
        println!("skipped: the editing traces are not here (set CODESYNC_TRACES)");
        return;
    };
    let (mut author, mut reader) = (TextDocument::new(), TextDocument::new());
    author.integrate_base(log_id(9), 1, &trace.start);
    reader.integrate_base(log_id(9), 1, &trace.start);
    let mut open = OpenDelta { log: log_id(1), seq: 0, logs: vec![] };
    let n = trace.splices.len();
    let start = Stopwatch::start();
    let steps: Vec<TextStep> = trace
        .splices
        .iter()
        .map(|splice| {
            open.seq += 1;
            author.edit(&mut open, splice).unwrap()
        })
        .collect();
    println!("edit: {n} at {}", per_second(n, &start));
    assert_eq!(author.to_string(), trace.end);

    let mut delta = delta(open.log, 0, open.logs);
    let start = Stopwatch::start();
    for step in &steps {
        delta.seq += 1;
        let did = reader.integrate(&delta, step, &NoBlobs).unwrap();
        assert_eq!(did.len(), 1);
    }
    println!("integrate: {n} at {}", per_second(n, &start));
    assert_eq!(reader.to_string(), trace.end);
    assert!(reader.order.is_none(), "sequential work never asks yrs");
    assert!(author.runs().eq(reader.runs()));
    println!(
        "kept: {} insertions, {} deletions, {} runs",
        reader.insertions.len(),
        reader.deletions.len(),
        reader.runs.iter().count()
    );
    let start = Stopwatch::start();
    assert_eq!(reader.check_against_yrs(), Ok(()));
    println!("yrs alone: {n} in {:?}", start.elapsed());
}

/// Two write at the two ends of a grown text without hearing of each other, then exchange.
#[test]
fn long_offline_work_merges_quickly() {
    let n_each = 2_000;
    let mut replicas: Vec<Replica> = (0..2).map(|i| Replica::new(i + 1, 2)).collect();
    let base = "line of text\n".repeat(2_000);
    let mut sent: Vec<Vec<(Delta, TextStep)>> = vec![];
    let mut random = Random::new(7);
    for (me, replica) in replicas.iter_mut().enumerate() {
        replica.document.integrate_base(log_id(99), 1, &base);
        let mut open = OpenDelta { log: replica.log, seq: 0, logs: vec![] };
        let steps = (0..n_each).map(|_| {
            open.seq += 1;
            let splice = Splice::new(random.below(1_000), random.below(2), "ab");
            let step = replica.document.edit(&mut open, &splice).unwrap();
            (delta(log_id(me as u8 + 1), open.seq, open.logs.clone()), step)
        });
        sent.push(steps.collect());
    }
    let start = Stopwatch::start();
    for (me, replica) in replicas.iter_mut().enumerate() {
        for (delta, step) in &sent[1 - me] {
            replica.document.integrate(delta, step, &NoBlobs).unwrap();
        }
    }
    println!("merge: {} steps in {:?}", 2 * n_each, start.elapsed());
    assert_eq!(replicas[0].document.to_string(), replicas[1].document.to_string());
    assert_eq!(replicas[0].document.check_against_yrs(), Ok(()));
}

/// Two people writing one text at once, with thousands of merges.
#[test]
fn a_recorded_session_of_two_converges() {
    let Some(json) = read_json("friendsforever.json.gz") else {
        println!("skipped: the editing traces are not here (set CODESYNC_TRACES)");
        return;
    };
    let mut replicas: Vec<Replica> = (0..2).map(|i| Replica::new(i + 1, 2)).collect();
    let mut sent: Vec<(usize, Vec<(Delta, TextStep)>)> = vec![];
    // For each replica, the transactions that it has.
    let mut seen: Vec<BTreeSet<usize>> = vec![BTreeSet::new(); 2];
    let start = Stopwatch::start();
    let txns = json["txns"].as_array().unwrap();
    for (idx, txn) in txns.iter().enumerate() {
        let me = txn["agent"].as_u64().unwrap() as usize;
        let mut wanted = vec![];
        let mut open: Vec<usize> = numbers(&txn["parents"]);
        while let Some(parent) = open.pop() {
            if seen[me].insert(parent) {
                wanted.push(parent);
                open.extend(numbers(&txns[parent]["parents"]));
            }
        }
        wanted.sort_unstable();
        for other in wanted {
            receive(&mut replicas[me].document, &sent[other].1);
        }
        let mut open = OpenDelta { log: replicas[me].log, seq: idx as u32 + 1, logs: vec![] };
        let mut edit = |patch| replicas[me].document.edit(&mut open, &splice_of(patch)).unwrap();
        let steps: Vec<TextStep> = txn["patches"].as_array().unwrap().iter().map(&mut edit).collect();
        let delta = delta(open.log, open.seq, open.logs);
        sent.push((me, steps.into_iter().map(|step| (delta.clone(), step)).collect()));
        seen[me].insert(idx);
    }
    for (me, replica) in replicas.iter_mut().enumerate() {
        let missing = sent.iter().enumerate().filter(|(idx, _)| !seen[me].contains(idx));
        missing.for_each(|(_, (_, steps))| receive(&mut replica.document, steps));
        assert_eq!(replica.document.check_against_yrs(), Ok(()));
    }
    println!("two people: {} transactions on both sides in {:?}", sent.len(), start.elapsed());
    assert_eq!(replicas[0].document.to_string(), replicas[1].document.to_string());
    println!("as recorded: {}", replicas[0].document.to_string() == json["endContent"].as_str().unwrap());
}

fn numbers(json: &serde_json::Value) -> Vec<usize> {
    json.as_array().unwrap().iter().map(|n| n.as_u64().unwrap() as usize).collect()
}

fn receive(document: &mut TextDocument, steps: &[(Delta, TextStep)]) {
    for (delta, step) in steps {
        document.integrate(delta, step, &NoBlobs).unwrap();
    }
}
