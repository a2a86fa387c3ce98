//! Decides, before the web view's toolkit starts, whether the graphics card is trusted with it.

use crate::marker::LastRun;
use std::path::Path;
use std::process::Command;

const DECIDED: &str = "CODESYNC_GRAPHICS_DECIDED";

/// Starts this program's image again with the environment that its web view needs, unless it has it
/// already. Returns when there is nothing to change.
pub fn decide(safe: bool, last_run: LastRun) {
    let wanted = environment(safe, last_run, &Machine::look());
    if cfg!(not(target_os = "linux")) || std::env::var_os(DECIDED).is_some() || wanted.is_empty() {
        return;
    }
    let missing: Vec<_> = wanted.iter().filter(|(name, _)| std::env::var_os(name).is_none()).collect();
    if !missing.is_empty() {
        restart(&missing);
    }
}

/// What of the machine matters here.
struct Machine {
    has_render_node: bool,
    has_nvidia_driver: bool,
}

impl Machine {
    fn look() -> Self {
        let has_render_node = std::fs::read_dir("/dev/dri")
            .is_ok_and(|nodes| nodes.flatten().any(|node| node.file_name().to_string_lossy().starts_with("renderD")));
        Self { has_render_node, has_nvidia_driver: Path::new("/proc/driver/nvidia/version").exists() }
    }
}

/// The DMA-BUF renderer shows empty or blurred windows with NVIDIA's driver, and costs start-up time
/// where there is no card at all. A run that never drew its window is tried again without any of it.
fn environment(safe: bool, last_run: LastRun, machine: &Machine) -> Vec<(&'static str, &'static str)> {
    let mut wanted = Vec::new();
    let careful = safe || last_run == LastRun::NeverDrawn;
    if careful || machine.has_nvidia_driver || !machine.has_render_node {
        wanted.push(("WEBKIT_DISABLE_DMABUF_RENDERER", "1"));
    }
    if careful {
        wanted.push(("WEBKIT_DISABLE_COMPOSITING_MODE", "1"));
        wanted.push(("LIBGL_ALWAYS_SOFTWARE", "1"));
    }
    wanted
}

/// The environment of a running process cannot be changed safely, so its image is replaced. The
/// process id stays.
#[cfg(unix)]
fn restart(environment: &[&(&str, &str)]) {
    use std::os::unix::process::CommandExt;
    let Ok(program) = std::env::current_exe() else {
        return;
    };
    let reason = Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(DECIDED, "1")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .exec();
    tracing::warn!(%reason, "could not start again with other graphics; going on with these");
}

#[cfg(not(unix))]
fn restart(_environment: &[&(&str, &str)]) {}

#[cfg(test)]
mod tests;
