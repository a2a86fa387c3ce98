//! Changes good bytes: a little anywhere, or where formats hurt: lengths, counts, tags, halves of two inputs.

use codesync_sim::Random;

/// Inputs never grow beyond this.
const INPUT_BYTES_MAX: usize = 512 << 10;

/// Numbers at which something begins or ends, as postcard writes them (7 bits a byte, lowest first) and as bytes.
const HARD: &[&[u8]] = &[
    &[0],
    &[1],
    &[0x7f],
    &[0x80, 0x01],
    &[0xff, 0x01],
    &[0xff, 0x7f],
    &[0x80, 0x80, 0x01],
    &[0xff, 0xff, 0x03],
    &[0xff, 0xff, 0xff, 0xff, 0x07],
    &[0xff, 0xff, 0xff, 0xff, 0x0f],
    &[0x80, 0x80, 0x80, 0x80, 0x10],
    &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
    &[0x80, 0x00],
    &[0xff; 4],
    &[0; 16],
    "../".as_bytes(),
    ".git/".as_bytes(),
    "\u{202e}".as_bytes(),
    "😀".as_bytes(),
    &[0xed, 0xa0, 0x80],
];

/// One of the inputs, changed; now and then as it is, now and then nothing but chance.
pub fn change(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = match random.index(64) {
        0 => (0..random.index(2_000)).map(|_| random.draw() as u8).collect(),
        _ => seeds.get(random.index(seeds.len())).cloned().unwrap_or_default(),
    };
    for _ in 0..random.index(5) {
        change_once(&mut bytes, seeds, random);
    }
    bytes.truncate(INPUT_BYTES_MAX);
    bytes
}

fn change_once(bytes: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    let at = random.index(bytes.len() + 1);
    // Mostly near the beginning, where headers and counts are.
    let at = if random.index(2) == 0 { at.min(random.index(40)) } else { at };
    let end = (at + 1 + random.index(12)).min(bytes.len());
    match random.index(9) {
        0 => flip(bytes, at, random),
        1 => bytes.truncate(at),
        2 => drop(bytes.drain(at.min(end)..end)),
        3 => {
            let hard = HARD[random.index(HARD.len())];
            let end = if random.index(2) == 0 { (at + hard.len()).min(bytes.len()) } else { at };
            bytes.splice(at..end, hard.iter().copied());
        }
        4 => {
            let part: Vec<u8> = bytes[at.min(end)..end].to_vec();
            let n_times = 1 << random.index(12);
            let again: Vec<u8> = part.iter().copied().cycle().take(part.len() * n_times).collect();
            bytes.splice(at..at, again);
        }
        5 => {
            let Some(other) = seeds.get(random.index(seeds.len())).filter(|other| !other.is_empty()) else { return };
            let from = random.index(other.len());
            bytes.truncate(at);
            bytes.extend_from_slice(&other[from..]);
        }
        6 => bytes.extend((0..1 + random.index(40)).map(|_| random.draw() as u8)),
        7 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte = byte.wrapping_add([1, 2, 0xff, 0x80][random.index(4)]);
            }
        }
        _ => (0..random.index(6)).for_each(|_| {
            let at = random.index(bytes.len());
            flip(bytes, at, random);
        }),
    }
}

fn flip(bytes: &mut [u8], at: usize, random: &mut Random) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.index(8);
    }
}
