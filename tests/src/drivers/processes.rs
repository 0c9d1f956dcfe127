//! Processes of this machine, as `/proc` shows them.

use std::collections::BTreeSet;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// Its arguments.
    pub arguments: Vec<String>,
}

/// Every process that runs in `root` or has a file open in it, but this one.
pub fn of(root: &Path) -> Vec<Process> {
    pids()
        .filter(|&pid| pid != std::process::id() && uses(pid, root))
        .map(|pid| Process {
            pid,
            arguments: arguments(pid),
        })
        .collect()
}

/// The ids of all processes that can be seen.
pub fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// Arguments of a process; none when it is gone.
pub fn arguments(pid: u32) -> Vec<String> {
    words(pid, "cmdline")
}

/// Environment of a process; none when it is gone or cannot be read.
pub fn environment(pid: u32) -> Vec<String> {
    words(pid, "environ")
}

fn words(pid: u32, file: &str) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let words = bytes
        .split(|&byte| byte == 0)
        .filter(|word| !word.is_empty());
    words
        .map(|word| String::from_utf8_lossy(word).into_owned())
        .collect()
}

/// Whether a process is there and has not ended.
pub fn lives(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.trim_start().chars().next());
    state.is_some_and(|state| !"ZX".contains(state))
}

/// What a process holds of its machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// Its memory, in kilobytes.
    pub memory: u64,
    /// Its threads.
    pub threads: u64,
    /// Its open files and sockets.
    pub descriptors: u64,
}

/// What a process holds now.
///
/// # Panics
/// When it is gone.
pub fn held(pid: u32) -> Held {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let number = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let word = line.unwrap().split_whitespace().next();
        word.unwrap().parse().unwrap()
    };
    Held {
        memory: number("VmRSS:"),
        threads: number("Threads:"),
        descriptors: fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count() as u64,
    }
}

/// How large a picture of its memory a process may leave when it crashes, as the kernel says it.
///
/// # Panics
/// When it is gone.
pub fn largest_core(pid: u32) -> String {
    let limits = fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
    let core = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max core file size"));
    let most = core.and_then(|core| core.split_whitespace().nth(1));
    most.unwrap().to_owned()
}

/// Whether a signal was sent to a process that it has not taken yet.
pub fn awaits(pid: u32, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let pending = status
        .lines()
        .find_map(|line| line.strip_prefix("ShdPnd:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    pending.is_some_and(|mask| mask & (1 << (signal.as_raw() - 1)) != 0)
}

/// The sockets of this machine that lie in a folder.
pub fn sockets(root: &Path) -> Vec<PathBuf> {
    let table = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    let paths = table.lines().skip(1).filter_map(|line| {
        let path = line.split_whitespace().nth(7)?;
        Some(PathBuf::from(path))
    });
    paths.filter(|path| path.starts_with(root)).collect()
}

/// The addresses on which a process listens.
pub fn listens(pid: u32) -> Vec<(IpAddr, u16)> {
    let sockets: BTreeSet<String> = links(pid)
        .iter()
        .filter_map(|link| {
            let link = link.to_str()?.strip_prefix("socket:[")?;
            Some(link.strip_suffix(']')?.to_owned())
        })
        .collect();
    ["tcp", "tcp6"]
        .iter()
        .flat_map(|table| {
            let text = fs::read_to_string(format!("/proc/net/{table}")).unwrap_or_default();
            text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
        })
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (address, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
            (*state == "0A" && sockets.contains(*inode)).then(|| socket_address(address))
        })
        .collect()
}

/// Sends a signal to one process.
pub fn signal(pid: u32, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Ends every process of `root`, by its id.
pub fn end(root: &Path) {
    let until = Instant::now() + Duration::from_secs(10);
    while Instant::now() < until {
        let left = of(root);
        if left.is_empty() {
            return;
        }
        for process in left {
            if let Some(pid) = i32::try_from(process.pid).ok().and_then(Pid::from_raw) {
                let _gone = kill_process(pid, Signal::KILL);
            }
        }
        std::thread::yield_now();
    }
    eprintln!("processes are left: {:?}", of(root));
}

fn uses(pid: u32, root: &Path) -> bool {
    let cwd = fs::read_link(format!("/proc/{pid}/cwd"));
    lives(pid)
        && (cwd.is_ok_and(|cwd| cwd.starts_with(root))
            || links(pid).iter().any(|link| link.starts_with(root)))
}

/// What the descriptors of a process stand for.
fn links(pid: u32) -> Vec<PathBuf> {
    let entries = fs::read_dir(format!("/proc/{pid}/fd"))
        .into_iter()
        .flatten()
        .flatten();
    entries
        .filter_map(|entry| fs::read_link(entry.path()).ok())
        .collect()
}

/// An address as `/proc/net/tcp` and `tcp6` write it: words of the machine's own byte order.
fn socket_address(text: &str) -> (IpAddr, u16) {
    let (address, port) = text.split_once(':').unwrap();
    let words: Vec<[u8; 4]> = address
        .as_bytes()
        .chunks(8)
        .map(|word| {
            let word = std::str::from_utf8(word).unwrap();
            u32::from_str_radix(word, 16).unwrap().to_ne_bytes()
        })
        .collect();
    let bytes = words.concat();
    let address = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => IpAddr::V4(Ipv4Addr::from(four)),
        Err(_) => {
            let sixteen = <[u8; 16]>::try_from(bytes.as_slice()).unwrap();
            Ipv6Addr::from(sixteen).to_canonical()
        }
    };
    (address, u16::from_str_radix(port, 16).unwrap())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read() {
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert_eq!(socket_address("0100007F:3E7F"), (loopback, 15_999));
        let mapped = "0000000000000000FFFF00000100007F:3E7F";
        assert_eq!(socket_address(mapped), (loopback, 15_999));
        assert_eq!(
            socket_address("00000000:0050").0,
            IpAddr::V4(Ipv4Addr::UNSPECIFIED)
        );
    }

    #[test]
    fn a_listener_of_this_process_is_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let here = (IpAddr::V4(Ipv4Addr::LOCALHOST), port);
        assert!(listens(std::process::id()).contains(&here));
    }
}
