//! How much is done at the same time unless the user says.

use std::thread::available_parallelism;

/// Labs for each processor: a call mostly waits. Four labs side by side take 1.86 times as long as one on two
/// processors.
const LABS_PER_PROCESSOR: usize = 2;

/// Calls of a matrix for each processor: its lab stands already, so they cost less than a lab each.
const CALLS_PER_PROCESSOR: usize = 4;

/// What a lab may need, with room to spare.
const LAB_BYTES: u64 = 200 << 20;

/// How many labs are up at the same time.
pub(crate) fn labs() -> usize {
    let meminfo = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    labs_for(processors(), available_bytes(&meminfo))
}

/// How many calls of a matrix are placed at the same time.
pub(crate) fn calls() -> usize {
    processors() * CALLS_PER_PROCESSOR
}

fn processors() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// At least one; without a figure for the memory it does not count.
fn labs_for(processors: usize, available_bytes: Option<u64>) -> usize {
    let by_processors = processors * LABS_PER_PROCESSOR;
    let by_memory = available_bytes.map(|bytes| bytes / LAB_BYTES);
    let by_memory = by_memory.and_then(|labs| usize::try_from(labs).ok());
    by_memory
        .map_or(by_processors, |labs| labs.min(by_processors))
        .max(1)
}

/// The memory that can be had without swapping, of `/proc/meminfo` (proc(5)).
fn available_bytes(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labs_are_as_many_as_processors_and_memory_allow() {
        assert_eq!(labs_for(2, Some(64 << 30)), 4);
        assert_eq!(labs_for(16, Some(1 << 30)), 5);
        assert_eq!(labs_for(8, Some(1 << 20)), 1);
        assert_eq!(labs_for(8, None), 16);
    }

    #[test]
    fn available_memory_is_what_the_kernel_says() {
        let meminfo = "MemTotal:       24684084 kB\nMemAvailable:   1024 kB\nSwapTotal: 0 kB\n";
        assert_eq!(available_bytes(meminfo), Some(1 << 20));
        assert_eq!(available_bytes(""), None);
    }
}
