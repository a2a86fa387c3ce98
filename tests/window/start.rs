//! T-START: from the program's start to its first picture and to the first key that becomes text, with no flash of
//! another colour in between. Seen from outside only: the screen's pixels, keys as hardware sends them, the file.
//!
//! `CODESYNC_START_ROUNDS=10 CODESYNC_WINDOW_PROGRAM=target/release/codesync-desktop cargo test --test window start --
//! --nocapture` gives the exact figures and holds them against the bounds of the design.

use crate::harness::{Home, Screen, scenario, until};
use anyhow::{Context, Result, bail, ensure};
use serde_json::json;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::process::Child;
use std::time::{Duration, Instant};

const SIZE: (u32, u32) = (1280, 800);
/// Bounds of the design, for a release build on a quiet machine.
const PAINTED_MAX: Duration = Duration::from_secs(1);
const TYPING_MAX: Duration = Duration::from_secs(2);
/// Where a debug build shares its machine with a compiler, only what is broken fails.
const LOOSENED: u32 = 8;
/// A tenth of the way from black to white.
const TENTH: f64 = 25.5;
const BETWEEN_KEYS: Duration = Duration::from_millis(60);
/// Every key once, so that the first one in the file tells when it was pressed.
const KEYS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const NAME: &str = "notes.txt";

#[test]
fn starts_without_a_flash_and_takes_keys_soon() {
    let rounds = std::env::var("CODESYNC_START_ROUNDS").ok().and_then(|text| text.parse::<u32>().ok());
    for (theme, background) in [("dark", 0x1e as f64), ("light", 0xff as f64)] {
        scenario(SIZE, async |home, screen| {
            home.configure("settings.json", &json!({ "theme": theme }))?;
            home.write(NAME, &"a line of text\n".repeat(200))?;
            let mut starts = Vec::new();
            for _ in 0..rounds.unwrap_or(1) {
                starts.push(start(home, screen, background).await?);
            }
            judge(theme, &starts, if rounds.is_some() { 1 } else { LOOSENED })
        });
    }
}

/// Times since the start of the program.
struct Start {
    painted: Duration,
    typing: Duration,
}

fn judge(theme: &str, starts: &[Start], loosened: u32) -> Result<()> {
    let late = |time: fn(&Start) -> Duration| {
        let mut times: Vec<Duration> = starts.iter().map(time).collect();
        times.sort();
        // Of ten the ninth and tenth are above p95 or at it; the worst is the honest choice.
        times.last().copied().unwrap_or_default()
    };
    let (painted, typing) = (late(|start| start.painted), late(|start| start.typing));
    let (painted_ms, typing_ms) = (painted.as_millis(), typing.as_millis());
    println!("T-START {theme}: {} starts, painted ≤ {painted_ms} ms, typing ≤ {typing_ms} ms", starts.len());
    ensure!(painted <= PAINTED_MAX * loosened, "the window was painted after {painted:?}");
    ensure!(typing <= TYPING_MAX * loosened, "the first key became text after {typing:?}");
    Ok(())
}

async fn start(home: &Home, screen: &Screen, background: f64) -> Result<Start> {
    let before = home.read(NAME)?;
    let frames = Frames::of(screen)?;
    let empty = [0.0; 3];
    until("the screen is empty", async || Ok(frames.mean()? == empty)).await?;
    let begun = Instant::now();
    let window = home.start_alone(screen, &[&home.project().join(NAME)])?;
    let (mut painted, mut pressed) = (None, Vec::new());
    let (mut last, mut press): (_, Option<Child>) = (empty, None);
    while pressed.len() < KEYS.len() {
        ensure!(begun.elapsed() < Duration::from_secs(60), "nothing was ever painted");
        let now = frames.mean()?;
        // A picture that is being drawn is read half old, half new; one that stays is read twice.
        if now == last && now != empty {
            let off = now.iter().map(|channel| (channel - background).abs()).fold(0.0, f64::max);
            ensure!(off <= TENTH, "a frame of the colour {now:.0?} was shown after {:.0?}", begun.elapsed());
            painted.get_or_insert_with(|| begun.elapsed());
        }
        last = now;
        let is_time = painted.is_some_and(|at| begun.elapsed() >= at + BETWEEN_KEYS * pressed.len() as u32);
        if is_time && press.as_mut().is_none_or(|press| matches!(press.try_wait(), Ok(Some(_)))) {
            let key = KEYS.chars().nth(pressed.len()).context("invariant: there are keys left")?;
            pressed.push((key, begun.elapsed()));
            press = Some(screen.press(&key.to_string())?);
        }
        tokio::time::sleep(Duration::from_millis(3)).await;
    }
    let last_key = KEYS.chars().last().context("invariant: there are keys")?;
    until("the last key is in the file", async || Ok(typed_between(&before, &home.read(NAME)?)?.contains(last_key)))
        .await?;
    let typed = typed_between(&before, &home.read(NAME)?)?;
    drop((window, press.map(|mut press| press.wait())));
    let first = pressed.iter().find(|(key, _)| typed.starts_with(*key)).context("nothing that was typed is there")?;
    let missing: String = KEYS.chars().skip_while(|key| *key != first.0).filter(|key| !typed.contains(*key)).collect();
    ensure!(missing.is_empty(), "after the first key that was taken, {missing:?} got lost: {typed:?}");
    Ok(Start { painted: painted.unwrap_or_default(), typing: first.1 })
}

/// What one insertion added.
fn typed_between(before: &str, after: &str) -> Result<String> {
    let same = before.bytes().zip(after.bytes()).take_while(|(old, new)| old == new).count();
    let Some(added) = after.len().checked_sub(before.len()) else { bail!("the file became shorter") };
    Ok(after[same..same + added].to_owned())
}

/// The screen's pixels, read from the file in which the X server keeps them (format XWD).
struct Frames {
    file: File,
    pixels_from: u64,
    bytes_per_line: usize,
}

impl Frames {
    fn of(screen: &Screen) -> Result<Self> {
        let file = File::open(screen.picture()).context("the X server keeps no picture")?;
        let mut head = [0; 100];
        file.read_exact_at(&mut head, 0)?;
        let word = |index: usize| u32::from_be_bytes([0, 1, 2, 3].map(|byte| head[4 * index + byte]));
        let (head_bytes, bytes_per_line, n_colors) = (word(0), word(12), word(19));
        Ok(Self {
            file,
            pixels_from: u64::from(head_bytes) + 12 * u64::from(n_colors),
            bytes_per_line: bytes_per_line as usize,
        })
    }

    /// Mean red, green and blue of a grid over the whole screen.
    fn mean(&self) -> Result<[f64; 3]> {
        const EVERY: usize = 8;
        let mut line = vec![0; self.bytes_per_line];
        let (mut sums, mut n_pixels) = ([0_u64; 3], 0_u64);
        for y in (0..SIZE.1 as usize).step_by(EVERY) {
            self.file.read_exact_at(&mut line, self.pixels_from + (y * self.bytes_per_line) as u64)?;
            for pixel in line.chunks_exact(4).take(SIZE.0 as usize).step_by(EVERY) {
                for (sum, channel) in sums.iter_mut().zip([pixel[2], pixel[1], pixel[0]]) {
                    *sum += u64::from(channel);
                }
                n_pixels += 1;
            }
        }
        Ok(sums.map(|sum| sum as f64 / n_pixels.max(1) as f64))
    }
}
