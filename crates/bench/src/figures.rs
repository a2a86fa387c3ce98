//! Figures, and how they are shown: a table with units and ratios, or JSON lines. It measures nothing itself but
//! what the system says of this process and machine.

use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// One number with its unit.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Figure {
    /// What was measured on: the name of a trace, a folder.
    pub subject: String,
    pub what: String,
    pub value: f64,
    pub unit: String,
    /// The figure of the same subject that this one is to be compared with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<String>,
    /// How many times this one the other is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
}

/// Figures of one subject, as they are gathered.
pub struct Gathered {
    subject: String,
    pub figures: Vec<Figure>,
}

impl Gathered {
    pub fn of(subject: impl Into<String>) -> Self {
        Self { subject: subject.into(), figures: Vec::new() }
    }

    pub fn add(&mut self, what: impl Into<String>, value: f64, unit: &str) -> &mut Self {
        let figure = Figure {
            subject: self.subject.clone(),
            what: what.into(),
            value,
            unit: unit.into(),
            against: None,
            ratio: None,
        };
        self.figures.push(figure);
        self
    }

    /// Names what the figure just added is to be compared with.
    pub fn against(&mut self, what: &str) {
        if let Some(figure) = self.figures.last_mut() {
            figure.against = Some(what.into());
        }
    }

    /// Median and 99th percentile of how long something took.
    pub fn add_times(&mut self, what: &str, times: &mut [Duration]) {
        times.sort_unstable();
        for (name, part) in [("p50", 0.5), ("p99", 0.99)] {
            if let Some(time) = times.get(((times.len().saturating_sub(1)) as f64 * part) as usize) {
                self.add(format!("{what}, {name}"), time.as_nanos() as f64 / 1e3, "us");
            }
        }
    }

    /// Peak memory of this process so far.
    pub fn add_memory(&mut self, what: &str) {
        if let Some(kib) = status_kib("VmHWM:") {
            self.add(format!("peak memory, {what}"), kib as f64 / 1024.0, "MiB");
        }
    }
}

/// How long something took.
pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    let result = work();
    (result, start.elapsed())
}

/// All figures of a run.
#[derive(Default)]
pub struct Sheet {
    figures: Vec<Figure>,
}

impl Sheet {
    /// Takes in the figures of one part; with `json`, says each at once.
    pub fn add(&mut self, figures: Vec<Figure>, json: bool) {
        for mut figure in figures {
            figure.ratio = figure.against.as_ref().and_then(|against| {
                let same = |known: &&Figure| known.subject == figure.subject && known.what == *against;
                self.figures.iter().find(same).map(|known| known.value / figure.value)
            });
            if json {
                match serde_json::to_string(&figure) {
                    Ok(line) => println!("{line}"),
                    Err(error) => eprintln!("bench: a figure has no JSON form: {error}"),
                }
            }
            self.figures.push(figure);
        }
    }

    /// The figures by subject, aligned.
    pub fn table(&self) -> String {
        let widest = self.figures.iter().map(|figure| figure.what.chars().count()).max().unwrap_or(0);
        let mut table = String::new();
        let mut subject = "";
        for figure in &self.figures {
            if figure.subject != subject {
                subject = &figure.subject;
                writeln!(table, "\n{subject}").expect("invariant: a String can be written to");
            }
            let ratio = match (figure.ratio, &figure.against) {
                (Some(ratio), Some(against)) => format!("  {against}: {ratio:.2} x"),
                _ => String::new(),
            };
            let line = format!("  {:<widest$}  {:>12} {:<8}{ratio}", figure.what, shown(figure.value), figure.unit);
            writeln!(table, "{}", line.trim_end()).expect("invariant: a String can be written to");
        }
        table
    }
}

/// Three digits or so, thousands apart.
fn shown(value: f64) -> String {
    let n_decimals = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 0.1 => 2,
        _ => 4,
    };
    let text = format!("{value:.n_decimals$}");
    let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(whole, rest)| (whole, rest));
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 && digit.is_ascii_digit() && !grouped.ends_with('-') {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if rest.is_empty() { grouped } else { format!("{grouped}.{rest}") }
}

/// What this machine is, and which disk is measured.
pub fn machine(folder: &Path) -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let after_colon = |text: &str, key: &str| {
        let line = text.lines().find(|line| line.starts_with(key)).unwrap_or_default().to_owned();
        line.split_once(':').map_or("unknown".to_owned(), |(_, value)| value.trim().to_owned())
    };
    let n_cores = std::thread::available_parallelism().map_or(0, usize::from);
    let mounts = read("/proc/mounts");
    let disk = mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(1).zip(line.split(' ').nth(2)))
        .filter(|(place, _)| folder.starts_with(place))
        .max_by_key(|(place, _)| place.len())
        .map_or("an unknown file system", |(_, kind)| kind);
    format!(
        "{} x {}, {} of memory, Linux {}; files in {} ({disk})",
        n_cores,
        after_colon(&read("/proc/cpuinfo"), "model name"),
        after_colon(&read("/proc/meminfo"), "MemTotal"),
        read("/proc/sys/kernel/osrelease").trim(),
        folder.display()
    )
}

/// A figure of `/proc/self/status`, where there is one.
pub fn status_kib(key: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with(key))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
