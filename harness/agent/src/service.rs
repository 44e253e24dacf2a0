//! Programs that run as long as the node: dnsmasq, coturn, tcpdump.

use std::collections::VecDeque;
use std::future::Future;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use farcall_timeline::{Event, Level};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::Outlet;
use crate::reaper;

/// How many of a service's last lines an error message quotes.
const KEPT_LINES: usize = 12;

/// A service is not there, or not as it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ServiceError {
    /// It could not be started.
    #[error("failed to start {name}: {source}; is it in the image?")]
    Start {
        /// The program.
        name: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// It ended by itself.
    #[error("failed: {name} ended by itself ({status}); its last lines:\n{tail}")]
    Ended {
        /// The program.
        name: &'static str,
        /// Its exit status or signal.
        status: String,
        /// Its last lines.
        tail: String,
    },
    /// It did not get ready, or did not end, in time.
    #[error("failed to wait {seconds} s for {name}: {awaited}; its last lines:\n{tail}")]
    Deadline {
        /// The program.
        name: &'static str,
        /// What it was to do.
        awaited: String,
        /// How long it had.
        seconds: f64,
        /// Its last lines.
        tail: String,
    },
}

/// A running program whose lines go to the host's log.
pub(crate) struct Service {
    name: &'static str,
    process: Option<Pid>,
    tail: Tail,
    status: watch::Receiver<Option<String>>,
    ending: Arc<AtomicBool>,
}

#[derive(Clone, Default)]
struct Tail(Arc<Mutex<VecDeque<String>>>);

impl Service {
    /// Starts a program. Each line that it writes is judged by `level`, on standard output and error
    /// alike.
    pub(crate) fn start(
        name: &'static str,
        command: &mut Command,
        outlet: &Outlet,
        level: impl FnMut(&str) -> Level + Send + 'static,
    ) -> Result<Self, ServiceError> {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        let (child, own) =
            reaper::spawn(command).map_err(|source| ServiceError::Start { name, source })?;
        let process = child
            .id()
            .and_then(|id| i32::try_from(id).ok())
            .map(Pid::from_raw);
        let (ended, status) = watch::channel(None);
        let tail = Tail::default();
        let lines = Lines {
            name,
            outlet: outlet.clone(),
            tail: tail.clone(),
            level: Mutex::new(level),
        };
        tokio::spawn(async move {
            let status = attend(child, &lines).await;
            drop(own);
            ended.send_replace(Some(status));
        });
        Ok(Self {
            name,
            process,
            tail,
            status,
            ending: Arc::default(),
        })
    }

    /// Waits for what shows that the service is ready; fails if it ends before or does not get there
    /// in time.
    pub(crate) async fn ready(
        &self,
        awaited: &str,
        within: Duration,
        sign: impl Future<Output = ()>,
    ) -> Result<(), ServiceError> {
        tokio::select! {
            () = sign => Ok(()),
            status = self.ended() => Err(self.ended_by_itself(status)),
            () = tokio::time::sleep(within) => Err(self.late(awaited, within)),
        }
    }

    /// From now on the host is told if the service ends by itself.
    pub(crate) fn guard(&self, outlet: &Outlet) {
        let (mut watched, outlet) = (self.status.clone(), outlet.clone());
        let (name, tail, ending) = (self.name, self.tail.clone(), self.ending.clone());
        tokio::spawn(async move {
            let status = status_in(&mut watched).await;
            if !ending.load(Ordering::Acquire) {
                let error = ServiceError::Ended {
                    name,
                    status,
                    tail: tail.text(),
                };
                outlet.event(Event::HarnessFault {
                    message: error.to_string(),
                });
            }
        });
    }

    /// Sends the program a signal that does not end it.
    pub(crate) fn signal(&self, signal: Signal) {
        if let Some(process) = self.process
            && self.status.borrow().is_none()
        {
            // One that ends in between is told of by its guard.
            let _ = kill(process, signal);
        }
    }

    /// Ends the service and waits until it has written its last line.
    pub(crate) async fn end(&self, signal: Signal, within: Duration) -> Result<(), ServiceError> {
        self.ending.store(true, Ordering::Release);
        if let Some(process) = self.process
            && self.status.borrow().is_none()
        {
            // It may have ended in between; the wait below tells.
            let _ = kill(process, signal);
        }
        tokio::time::timeout(within, self.ended())
            .await
            .map(drop)
            .map_err(|_| self.late(&format!("its end after {signal}"), within))
    }

    async fn ended(&self) -> String {
        status_in(&mut self.status.clone()).await
    }

    fn ended_by_itself(&self, status: String) -> ServiceError {
        ServiceError::Ended {
            name: self.name,
            status,
            tail: self.tail.text(),
        }
    }

    fn late(&self, awaited: &str, within: Duration) -> ServiceError {
        ServiceError::Deadline {
            name: self.name,
            awaited: awaited.to_owned(),
            seconds: within.as_secs_f64(),
            tail: self.tail.text(),
        }
    }
}

async fn status_in(status: &mut watch::Receiver<Option<String>>) -> String {
    match status.wait_for(Option::is_some).await {
        Ok(status) => status.clone().unwrap_or_default(),
        Err(_) => "nobody saw its status".to_owned(),
    }
}

/// Where a program's lines go.
struct Lines<L> {
    name: &'static str,
    outlet: Outlet,
    tail: Tail,
    level: Mutex<L>,
}

impl<L: FnMut(&str) -> Level> Lines<L> {
    fn take(&self, line: &str) {
        let line = line.trim_end();
        if line.is_empty() {
            return;
        }
        self.tail.push(line);
        let level = {
            let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
            (*level)(line)
        };
        self.outlet.log(level, self.name, line);
    }

    async fn read(&self, source: Option<impl AsyncRead + Unpin>) {
        let Some(source) = source else { return };
        let mut source = BufReader::new(source);
        let mut line = Vec::new();
        // A broken pipe is the end of the program, and its status tells more.
        while let Ok(1..) = source.read_until(b'\n', &mut line).await {
            self.take(&String::from_utf8_lossy(&line));
            line.clear();
        }
    }
}

async fn attend<L: FnMut(&str) -> Level>(mut child: Child, lines: &Lines<L>) -> String {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    tokio::join!(lines.read(stdout), lines.read(stderr));
    let status: std::io::Result<ExitStatus> = child.wait().await;
    status.map_or_else(|error| error.to_string(), |status| status.to_string())
}

impl Tail {
    fn push(&self, line: &str) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(line.to_owned());
    }

    fn text(&self) -> String {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.is_empty() {
            return "  (it wrote nothing)".to_owned();
        }
        let lines = lines.iter().map(|line| format!("  {line}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use farcall_protocol::Message;

    const SOON: Duration = Duration::from_secs(5);

    fn shell(script: &str, outlet: &Outlet) -> Service {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Service::start("shell", &mut command, outlet, |_| Level::Info).unwrap()
    }

    #[tokio::test]
    async fn a_service_that_dies_tells_its_last_lines() {
        let (outlet, mut said) = Outlet::new();
        let service = shell("echo cannot bind >&2; exit 4", &outlet);
        let error = service
            .ready("an answer", SOON, std::future::pending())
            .await
            .unwrap_err()
            .to_string();
        assert!(error.contains("exit status: 4"), "{error}");
        assert!(error.contains("cannot bind"), "{error}");
        let logged = format!("{:?}", said.so_far());
        assert!(logged.contains("cannot bind"), "{logged}");
    }

    #[tokio::test]
    async fn a_service_that_is_not_ready_in_time_says_what_was_awaited() {
        let (outlet, _said) = Outlet::new();
        let service = shell("exec sleep 60", &outlet);
        let late = service.ready(
            "an answer to a query",
            Duration::from_millis(5),
            std::future::pending(),
        );
        let error = late.await.unwrap_err().to_string();
        assert!(error.contains("an answer to a query"), "{error}");
    }

    #[tokio::test]
    async fn a_service_that_is_ended_is_no_fault_and_one_that_dies_is() {
        let (outlet, mut said) = Outlet::new();
        let ended = shell("exec sleep 60", &outlet);
        ended.guard(&outlet);
        ended.end(Signal::SIGTERM, SOON).await.unwrap();
        tokio::task::yield_now().await;
        assert!(said.so_far().is_empty());

        let dead = shell("exit 0", &outlet);
        dead.guard(&outlet);
        let message = tokio::time::timeout(SOON, said.next()).await.unwrap();
        assert!(
            matches!(
                &message,
                Some(Message::Event { event: Event::HarnessFault { message }, .. })
                    if message.contains("shell ended by itself")
            ),
            "{message:?}"
        );
    }
}
