//! Tries the doors: `codesync-fuzz [--door D] [--minutes M] [--seconds S] [--seed N]`, each for so long. The first input
//! that breaks a rule is shown, and ends it.

use codesync_fuzz::{DOORS, try_door};
use std::process::ExitCode;
use std::time::Duration;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let said = |name: &str| {
        let at = words.iter().position(|word| word == name)?;
        words.get(at + 1)
    };
    let number = |name: &str| said(name).and_then(|text| text.parse::<u64>().ok());
    let seconds = number("--seconds").or(number("--minutes").map(|minutes| 60 * minutes)).unwrap_or(10);
    let seed = number("--seed").unwrap_or(1);
    // What panics says so in the end, once.
    std::panic::set_hook(Box::new(|_| {}));
    println!("{:10} {:>12} {:>12} {:>14} {:>12}", "door", "inputs", "taken", "most bytes", "longest ms");
    let mut is_good = true;
    for door in DOORS.iter().filter(|door| said("--door").is_none_or(|name| name == door.name)) {
        match try_door(door, seed, Duration::from_secs(seconds)) {
            Ok(tally) => println!(
                "{:10} {:>12} {:>12} {:>14} {:>12.1}",
                door.name,
                tally.n_inputs,
                tally.n_taken,
                tally.most_bytes,
                tally.longest.as_secs_f64() * 1e3
            ),
            Err(why) => {
                is_good = false;
                println!("{why}");
            }
        }
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
