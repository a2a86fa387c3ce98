//! What only the system knows of the network: the one place that differs from system to system. Linux tells of its
//! interfaces in files. Of macOS (MSG-NET-3: no leave for the local network) and Windows (MSG-NET-4: a public network)
//! nothing is known here yet, and nothing is made up: the wording stands in the window's messages.

use std::fs;
use std::path::Path;

/// A folder for each interface; not there on other systems.
pub(super) const INTERFACES: &str = "/sys/class/net";
/// How interfaces are called that are a VPN's, mostly.
const VPN_NAMES: [&str; 8] = ["tun", "tap", "wg", "ppp", "utun", "tailscale", "zt", "nordlynx"];
/// Kinds of interfaces that have no hardware at all, or a line to one other computer (`ARPHRD_NONE`, `ARPHRD_PPP`).
const VPN_KINDS: [&str; 2] = ["65534", "512"];

/// Interfaces that are up and look like a VPN's, sorted.
pub(super) fn vpns(interfaces: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(interfaces) else { return Vec::new() };
    let said = |name: &str, what: &str| {
        let text = fs::read_to_string(interfaces.join(name).join(what)).unwrap_or_default();
        text.trim().to_owned()
    };
    let is_vpn = |name: &str| {
        VPN_NAMES.iter().any(|begin| name.starts_with(begin)) || VPN_KINDS.contains(&said(name, "type").as_str())
    };
    // A tunnel has no cable: most of them say “unknown” while they work.
    let is_up = |name: &str| {
        let flags = said(name, "flags");
        let flags = flags.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
        said(name, "operstate") != "down" && flags.is_none_or(|flags| flags & 1 == 1)
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let mut names: Vec<String> = names.filter(|name| is_vpn(name) && is_up(name)).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn interfaces_of_a_vpn_are_named_while_they_are_up() {
        let folder = tempfile::tempdir().unwrap();
        for (name, state, flags, kind) in [
            ("tun0", "unknown\n", "0x1091\n", "65534\n"),
            ("wg0", "down\n", "0x1091\n", "65534\n"),
            ("wg1", "unknown\n", "0x90\n", "65534\n"),
            ("corporate", "unknown\n", "0x10d1\n", "65534\n"),
            ("eth0", "up\n", "0x1003\n", "1\n"),
            ("lo", "unknown\n", "0x9\n", "772\n"),
        ] {
            let interface = folder.path().join(name);
            fs::create_dir(&interface).unwrap();
            for (what, said) in [("operstate", state), ("flags", flags), ("type", kind)] {
                fs::write(interface.join(what), said).unwrap();
            }
        }
        // Nothing but a name and a state, as on an older system.
        fs::create_dir(folder.path().join("ppp0")).unwrap();
        assert_eq!(vpns(folder.path()), ["corporate", "ppp0", "tun0"]);
        assert!(vpns(Path::new("/nowhere")).is_empty());
    }
}
