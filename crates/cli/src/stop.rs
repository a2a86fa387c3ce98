//! Ctrl+C and its kin: noted, so that a command can end cleanly. A second one ends at once.

use crate::failure::{Failure, reason};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

pub struct Stop {
    wanted: Arc<AtomicBool>,
}

impl Stop {
    pub fn on_signals() -> Result<Self, Failure> {
        let wanted = Arc::new(AtomicBool::new(false));
        register(&wanted)
            .map_err(|error| Failure::refused(format!("Signals cannot be heeded: {}.", reason(&error))))?;
        Ok(Self { wanted })
    }

    pub fn is_wanted(&self) -> bool {
        self.wanted.load(Ordering::SeqCst)
    }
}

fn register(wanted: &Arc<AtomicBool>) -> io::Result<()> {
    let signals = [
        SIGINT,
        SIGTERM,
        #[cfg(unix)]
        signal_hook::consts::SIGHUP,
    ];
    for signal in signals {
        // In this order: the first signal only sets the flag that the second one finds set.
        signal_hook::flag::register_conditional_shutdown(signal, 1, wanted.clone())?;
        signal_hook::flag::register(signal, wanted.clone())?;
    }
    Ok(())
}
