//! The process that a lab belongs to, known again after its process id was given to another.

use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::{Pid, gethostname};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;

/// A process, told apart from every other that ever ran on any host of this Docker Engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The machine and the boot of it that the process runs on.
    pub place: Place,
    /// Its process id.
    pub pid: u32,
    /// When it started, in clock ticks since boot (`starttime` of proc_pid_stat(5)).
    pub started_ticks: u64,
}

/// Where process ids mean something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The host's name.
    pub host: String,
    /// The kernel's random id of this boot.
    pub boot: String,
    /// The inode of the process id namespace: in a container the same numbers are other processes.
    pub pid_namespace: u64,
}

/// What has become of an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnerState {
    /// It runs.
    Alive,
    /// It ended, or its host was booted since.
    Dead,
    /// It ran on another host or in another container that uses the same engine: nobody here can
    /// know.
    Elsewhere,
}

impl Owner {
    /// The owner that this process is.
    ///
    /// # Errors
    /// When the kernel's own files under `/proc` cannot be read.
    pub fn this_process() -> io::Result<Self> {
        let pid = std::process::id();
        Ok(Self {
            place: Place::here()?,
            pid,
            started_ticks: started_ticks(pid)?,
        })
    }

    /// What has become of it, as seen from this process.
    ///
    /// # Errors
    /// As [`Owner::this_process`].
    pub fn state(&self) -> io::Result<OwnerState> {
        Ok(self.judge(&Place::here()?, process_of))
    }

    fn judge(&self, here: &Place, process: impl Fn(u32) -> Process) -> OwnerState {
        if self.place.host != here.host {
            return OwnerState::Elsewhere;
        }
        if self.place.boot != here.boot {
            return OwnerState::Dead;
        }
        if self.place.pid_namespace != here.pid_namespace {
            return OwnerState::Elsewhere;
        }
        match process(self.pid) {
            Process::Hidden => OwnerState::Alive,
            Process::Started(ticks) if ticks == self.started_ticks => OwnerState::Alive,
            Process::Started(_) | Process::None => OwnerState::Dead,
        }
    }
}

impl Place {
    fn here() -> io::Result<Self> {
        Ok(Self {
            host: gethostname()?.to_string_lossy().into_owned(),
            boot: fs::read_to_string("/proc/sys/kernel/random/boot_id")?
                .trim()
                .to_owned(),
            pid_namespace: fs::metadata("/proc/self/ns/pid")?.ino(),
        })
    }
}

/// What is known of a process id.
enum Process {
    /// No process has it.
    None,
    /// A process has it, but this user may not see which.
    Hidden,
    /// A process has it that started then.
    Started(u64),
}

fn process_of(pid: u32) -> Process {
    if let Ok(ticks) = started_ticks(pid) {
        return Process::Started(ticks);
    }
    // With `hidepid` the processes of other users are not under /proc; a signal still finds them.
    let Ok(signed) = i32::try_from(pid) else {
        return Process::None;
    };
    match kill(Pid::from_raw(signed), None) {
        Ok(()) | Err(Errno::EPERM) => Process::Hidden,
        Err(_) => Process::None,
    }
}

fn started_ticks(pid: u32) -> io::Result<u64> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    start_time(&stat).ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::InvalidData,
            format!("/proc/{pid}/stat has no start time"),
        )
    })
}

/// Field 22 of proc_pid_stat(5). The command name, field 2, may itself have spaces and brackets, so
/// counting begins after its last bracket.
fn start_time(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_ascii_whitespace().nth(19)?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    fn owner() -> Owner {
        Owner {
            place: here(),
            pid: 42,
            started_ticks: 1000,
        }
    }

    fn here() -> Place {
        Place {
            host: "forge".into(),
            boot: "b1".into(),
            pid_namespace: 7,
        }
    }

    #[test]
    fn this_process_is_alive() {
        let this = Owner::this_process().unwrap();
        assert_eq!(this.state().unwrap(), OwnerState::Alive);
    }

    #[test]
    fn a_process_that_ended_is_dead() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let owner = Owner {
            pid: child.id(),
            started_ticks: started_ticks(child.id()).unwrap(),
            ..Owner::this_process().unwrap()
        };
        child.wait().unwrap();
        assert_eq!(owner.state().unwrap(), OwnerState::Dead);
    }

    #[test]
    fn a_process_id_that_was_given_anew_is_dead() {
        let judged = owner().judge(&here(), |_| Process::Started(2000));
        assert_eq!(judged, OwnerState::Dead);
    }

    #[test]
    fn a_process_of_another_user_is_alive() {
        let judged = owner().judge(&here(), |_| Process::Hidden);
        assert_eq!(judged, OwnerState::Alive);
    }

    #[test]
    fn an_earlier_boot_is_dead_and_another_place_is_not_known() {
        let running = |_| Process::Started(1000);
        let elsewhere = |change: fn(&mut Place)| {
            let mut place = here();
            change(&mut place);
            owner().judge(&place, running)
        };
        assert_eq!(elsewhere(|_| ()), OwnerState::Alive);
        assert_eq!(elsewhere(|p| p.boot = "b2".into()), OwnerState::Dead);
        assert_eq!(elsewhere(|p| p.host = "mill".into()), OwnerState::Elsewhere);
        assert_eq!(elsewhere(|p| p.pid_namespace = 8), OwnerState::Elsewhere);
    }

    #[test]
    fn the_start_time_is_found_behind_any_command_name() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(start_time(&format!("42 (a) b (c)) {rest}")), Some(4711));
        assert_eq!(start_time("42 (sh) S 1 2"), None);
        assert_eq!(start_time(""), None);
    }
}
