//! What a measurement was made on.

use std::fs;

use serde::{Deserialize, Serialize};

/// The machine in words that say nothing about whose it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Machine {
    /// The processor as it names itself.
    pub(super) cpu: String,
    /// How many threads run at once.
    pub(super) cores: usize,
    /// Memory in MiB.
    pub(super) memory_mib: u64,
    /// The kernel's release.
    pub(super) kernel: String,
}

impl Machine {
    /// Reads the description from the kernel; what it does not tell is `unknown`.
    pub(super) fn here() -> Self {
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let unknown = || "unknown".to_owned();
        let value = |text: String, name| field(&text, name).map(str::to_owned);
        let kibibytes = value(read("/proc/meminfo"), "MemTotal")
            .and_then(|size| size.split(' ').next()?.parse::<u64>().ok());
        let kernel = read("/proc/sys/kernel/osrelease");
        Self {
            cpu: value(read("/proc/cpuinfo"), "model name").unwrap_or_else(unknown),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_mib: kibibytes.unwrap_or_default() / 1024,
            kernel: if kernel.is_empty() {
                unknown()
            } else {
                kernel.trim().to_owned()
            },
        }
    }
}

/// How many programs wanted to run in the last minute, in the mean.
pub(super) fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ')
        .next()
        .and_then(|load| load.parse().ok())
        .unwrap_or_default()
}

/// The value of the first line `name : value`.
fn field<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        (found.trim() == name).then(|| value.trim())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_by_its_whole_name() {
        let text = "MemTotalish: 1\nMemTotal:       24689664 kB\nMemTotal: 2\n";
        assert_eq!(field(text, "MemTotal"), Some("24689664 kB"));
        assert_eq!(field(text, "MemFree"), None);
    }
}
