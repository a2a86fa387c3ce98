//! What a line may be, and what a batch is.
#![allow(clippy::unwrap_used)]

use super::*;

fn lines_of(input: &[u8]) -> Vec<(u64, Result<Splice, String>)> {
    let (sender, lines) = sync_channel(100);
    read_lines(&mut io::BufReader::with_capacity(3, input), &sender);
    drop(sender);
    lines.iter().map(|line| (line.number, line.edit)).collect()
}

#[test]
fn lines_are_read_up_to_the_first_bad_one() {
    let input = "[0,0,\"a\"]\r\n\n  [ 1 , 2 , \"\\ud83d\\ude00é\" ]\n[1,1]\n[0,0,\"never\"]\n";
    let lines = lines_of(input.as_bytes());
    assert_eq!(lines[0], (1, Ok(Splice(0, 0, "a".into()))));
    assert_eq!(lines[1], (3, Ok(Splice(1, 2, "😀é".into()))));
    assert_eq!(lines[2].0, 4);
    assert!(lines[2].1.as_ref().unwrap_err().starts_with("Line 4 was refused"));
    assert_eq!(lines.len(), 3);
    assert_eq!(lines_of(b"[0,0,\"no line end\"]").len(), 1);
}

#[test]
fn bad_lines_are_bad() {
    let bad: [&[u8]; 14] = [
        b"{}",
        b"[]",
        b"[0,0]",
        b"[0,0,\"a\",1]",
        b"[-1,0,\"a\"]",
        b"[0,-1,\"a\"]",
        b"[0.5,0,\"a\"]",
        b"[4294967296,0,\"a\"]",
        b"[\"0\",0,\"a\"]",
        b"[0,0,null]",
        b"[0,0,\"\\ud83d\"]",
        b"[0,0,\"\xff\"]",
        b"[0,0,\"a\"]]",
        b"hello",
    ];
    for line in bad {
        let lines = lines_of(line);
        assert!(lines.len() == 1 && lines[0].1.is_err(), "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn a_bad_line_is_the_last_of_its_batch() {
    let (sender, lines) = sync_channel(10);
    let stop = Stop::on_signals().unwrap();
    let line = |number, edit| Line { number, edit, n_bytes: 10 };
    sender.send(line(1, Ok(Splice(0, 0, "a".into())))).unwrap();
    sender.send(line(2, Err("bad".into()))).unwrap();
    sender.send(line(3, Ok(Splice(0, 0, "b".into())))).unwrap();
    drop(sender);
    let sizes: Vec<usize> = std::iter::from_fn(|| next_batch(&lines, &stop)).map(|batch| batch.len()).collect();
    assert_eq!(sizes, [2, 1]);
}
