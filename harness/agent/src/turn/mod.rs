//! A TURN server: coturn, its accounts and what it says of allocations.

mod client;
mod sessions;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use farcall_plan::{COTURN_CERTIFICATE, COTURN_PRIVATE_KEY, COTURN_USER_DATABASE};
use farcall_protocol::{CertificatePem, PlainAccount, Setup};
use farcall_scenario::CertificateFlaw;
use farcall_timeline::{Event, IceTransport, Level};
use futures::future::{join_all, try_join_all};
use nix::sys::signal::Signal;
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::sync::watch;

use crate::Outlet;
use crate::probe::listener_answers;
use crate::service::{Service, ServiceError};
use crate::setup::{self, SetupError};
use crate::tool;
use client::{Allocation, Answer, Challenged, allocate, challenge};
use sessions::{Open, Sessions};

/// How long coturn may take until all listeners answer. It takes about 100 ms.
const READY_WITHIN: Duration = Duration::from_secs(15);

/// How long coturn may take to end.
const END_WITHIN: Duration = Duration::from_secs(3);

/// How long coturn may take to close what a client has released; it looks once a second, later on a busy machine.
const CLOSE_WITHIN: Duration = Duration::from_secs(6);

/// How long a release may take that a client has sent: half the longest round trip of a link and half a second. coturn
/// closes a connection's allocation with it, and tells of it when it next looks, once a second.
const RELEASED_WITHIN: Duration = Duration::from_secs(2);

/// How many allocations others may take before it is no quota that ends it, where none is set.
const MOST_OCCUPIED: usize = 64;

/// 486 (Allocation Quota Reached) and 508 (Insufficient Capacity), RFC 8656 section 19.
const QUOTA: u16 = 486;
const NO_CAPACITY: u16 = 508;

/// 401 (RFC 8489 section 14.8).
const UNAUTHORIZED: u16 = 401;

/// For how long a server that stands still must leave a request unanswered. On an idle machine an answer takes a
/// millisecond.
const SILENCE: Duration = Duration::from_millis(250);

/// How long coturn may take to show another certificate.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// A coturn, running unless it was stopped.
pub(crate) struct TurnServer {
    launch: Launch,
    service: tokio::sync::Mutex<Service>,
    sessions: Arc<Mutex<Sessions>>,
    open: Arc<watch::Sender<Open>>,
    outlet: Outlet,
    realm: String,
    accounts: Vec<PlainAccount>,
    /// Its certificate, and those that it gets in its place.
    certificate: Option<CertificatePem>,
    replacements: Vec<(CertificateFlaw, CertificatePem)>,
    /// What others have taken.
    occupied: Mutex<Vec<Allocation>>,
}

/// Connections for each account of a server that has asked for it, to take allocations on.
pub(crate) struct Queue<'a>(Vec<(&'a PlainAccount, Vec<Challenged>)>);

/// What coturn needs to be started, again if need be.
struct Launch {
    server: farcall_plan::TurnServer,
    address: Ipv4Addr,
    configuration_path: String,
    ca_pem: String,
}

impl TurnServer {
    /// Starts coturn and waits until every listener answers.
    pub(crate) async fn start(
        server: &farcall_plan::TurnServer,
        setup: &Setup,
        outlet: &Outlet,
    ) -> Result<Self, SetupError> {
        let missing = |missing| SetupError::Missing {
            node: setup.node.name.clone(),
            missing,
        };
        let configuration = &server.configuration;
        let realm = setting(configuration, "realm")
            .ok_or_else(|| missing("coturn's configuration has no realm"))?;
        let address = setting(configuration, "listening-ip")
            .and_then(|address| address.parse::<Ipv4Addr>().ok())
            .ok_or_else(|| missing("coturn's configuration has no listening-ip"))?;
        if let Some(certificate) = &setup.certificate {
            write_certificate(certificate)?;
        } else if server.certificate.is_some() {
            return Err(missing("it listens for TLS and was sent no certificate"));
        }
        let configuration_path = format!("{}/turn.conf", setup::DIRECTORY);
        setup::write(&configuration_path, configuration)?;
        add_accounts(&setup.accounts, realm).await?;
        if let Some(secret) = &setup.secret {
            add_secret(&secret.0, realm).await?;
        }

        let launch = Launch {
            server: server.clone(),
            address,
            configuration_path,
            ca_pem: setup.ca_pem.clone(),
        };
        let sessions = Arc::default();
        let open = Arc::new(watch::Sender::new(Open::Nothing));
        let service = launch.launch(&sessions, &open, outlet)?;
        launch.ready(&service, outlet).await?;
        let server = Self {
            launch,
            service: tokio::sync::Mutex::new(service),
            sessions,
            open,
            outlet: outlet.clone(),
            realm: realm.to_owned(),
            accounts: setup.accounts.clone(),
            certificate: setup.certificate.clone(),
            replacements: setup.replacements.clone(),
            occupied: Mutex::default(),
        };
        if server.launch.server.is_occupied {
            server.occupy(server.queue().await?).await?;
        }
        Ok(server)
    }

    /// Releases what [`occupy`](Self::occupy) took.
    pub(crate) fn vacate(&self) {
        locked(&self.occupied).clear();
    }

    /// Gives every account another password, or its own again.
    pub(crate) async fn change_credentials(&self, own: bool) -> Result<(), SetupError> {
        let accounts = self.accounts.iter().map(|account| PlainAccount {
            username: account.username.clone(),
            password: match own {
                true => account.password.clone(),
                false => format!("not {}", account.password),
            },
        });
        add_accounts(&accounts.collect::<Vec<_>>(), &self.realm).await
    }

    /// Sees that the server takes every account's own password, or that it does not.
    pub(crate) async fn takes_credentials(&self, own: bool) -> Result<(), SetupError> {
        for account in &self.accounts {
            let found = match allocate(self.any_port(), account).await {
                Ok(Answer::Allocated(_)) if own => continue,
                Ok(Answer::Refused(UNAUTHORIZED)) if !own => continue,
                Ok(answer) => format!("{answer:?}"),
                Err(error) => error.to_string(),
            };
            return Err(self.not_in_effect("the account's password", found));
        }
        Ok(())
    }

    /// Sees that the server, which stands still, leaves a request unanswered.
    pub(crate) async fn is_silent(&self) -> Result<(), SetupError> {
        let server = &self.launch.server;
        let all = server.listeners.iter().map(async |listener| {
            let at = SocketAddr::from((self.launch.address, listener.port));
            let ca_pem = &self.launch.ca_pem;
            let asked = listener_answers(&server.host, at, listener.transport, ca_pem);
            match tokio::time::timeout(SILENCE, asked).await {
                Ok(Ok(_)) => {
                    let found = format!("it answers at {at} over {}", listener.transport);
                    Err(self.not_in_effect("its silence", found))
                }
                _ => Ok(()),
            }
        });
        try_join_all(all).await.map(drop)
    }

    /// Gives coturn a certificate with this flaw, or its own again.
    pub(crate) async fn replace_certificate(
        &self,
        flaw: Option<CertificateFlaw>,
    ) -> Result<(), SetupError> {
        let certificate = match flaw {
            None => self.certificate.as_ref(),
            Some(flaw) => {
                let mut replacements = self.replacements.iter();
                replacements.find_map(|(of, certificate)| (*of == flaw).then_some(certificate))
            }
        };
        write_certificate(certificate.ok_or_else(|| self.without_tls())?)?;
        self.signal(Signal::SIGUSR2).await;
        Ok(())
    }

    /// Sees that coturn shows a certificate that is flawed, or its own.
    pub(crate) async fn shows_certificate(&self, is_flawed: bool) -> Result<(), SetupError> {
        let mut listeners = self.launch.server.listeners.iter();
        let tls = listeners.find(|listener| listener.transport == IceTransport::Tls);
        let port = tls.ok_or_else(|| self.without_tls())?.port;
        let (host, ca_pem) = (&self.launch.server.host, &self.launch.ca_pem);
        let at = SocketAddr::from((self.launch.address, port));
        let shown = async {
            while listener_answers(host, at, IceTransport::Tls, ca_pem)
                .await
                .is_ok()
                == is_flawed
            {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        let late = |_| self.not_in_effect("the certificate", "coturn shows the one before");
        tokio::time::timeout(SHOWN_WITHIN, shown)
            .await
            .map_err(late)
    }

    fn without_tls(&self) -> SetupError {
        self.not_in_effect("the certificate", "it does not listen for TLS")
    }

    /// A port at which the server can be asked over TCP from its own node.
    fn any_port(&self) -> SocketAddr {
        let port = self
            .launch
            .server
            .listeners
            .first()
            .map_or(0, |listener| listener.port);
        SocketAddr::from((self.launch.address, port))
    }

    fn not_in_effect(&self, what: &'static str, found: impl Into<String>) -> SetupError {
        SetupError::NotInEffect {
            node: self.launch.server.host.clone(),
            what,
            found: found.into(),
        }
    }

    /// Opens connections for each account on which the server asks for it: one more than it may have allocations.
    pub(crate) async fn queue(&self) -> Result<Queue<'_>, SetupError> {
        let quota = setting(&self.launch.server.configuration, "user-quota");
        let quota = quota.and_then(|quota| quota.parse().ok());
        let length = quota.map_or(MOST_OCCUPIED, |quota: usize| quota + 1);
        let all = self.accounts.iter().map(async |account| {
            let queue = try_join_all((0..length).map(|_| challenge(self.any_port()))).await?;
            Ok((account, queue))
        });
        let all: io::Result<_> = try_join_all(all).await;
        let failed = |error: io::Error| self.not_in_effect("its allocations", error.to_string());
        Ok(Queue(all.map_err(failed)?))
    }

    /// Takes an allocation on each of these connections at once, and sees that the server gives each account no more.
    pub(crate) async fn occupy(&self, queue: Queue<'_>) -> Result<(), SetupError> {
        let failed = |found: String| self.not_in_effect("its allocations", found);
        if queue.0.is_empty() {
            return Err(failed("it has no account to take them with".to_owned()));
        }
        let all = queue.0.into_iter().map(async |(account, queue)| {
            let answers = queue.into_iter().map(|one| one.allocate(account));
            try_join_all(answers).await
        });
        let all = try_join_all(all).await;
        for answers in all.map_err(|error| failed(error.to_string()))? {
            let asked = answers.len();
            let mut taken = Vec::new();
            for answer in answers {
                match answer {
                    Answer::Allocated(allocation) => taken.push(allocation),
                    Answer::Refused(QUOTA | NO_CAPACITY) => {}
                    Answer::Refused(code) => {
                        return Err(failed(format!("it refuses with {code}")));
                    }
                }
            }
            if taken.len() == asked {
                return Err(failed(format!("after {asked} allocations it gives more")));
            }
            locked(&self.occupied).append(&mut taken);
        }
        Ok(())
    }

    /// Kills coturn; its allocations go with it, and nobody is told.
    pub(crate) async fn kill(&self) -> Result<(), ServiceError> {
        let service = self.service.lock().await;
        service.end(Signal::SIGKILL, END_WITHIN).await
    }

    /// Starts coturn again after it was killed; it takes some time until it is [`ready`](Self::ready).
    pub(crate) async fn start_again(&self) -> Result<(), ServiceError> {
        let mut service = self.service.lock().await;
        let launch = &self.launch;
        *service = launch.launch(&self.sessions, &self.open, &self.outlet)?;
        Ok(())
    }

    /// Waits until coturn answers at each of its listeners.
    pub(crate) async fn ready(&self) -> Result<(), ServiceError> {
        let service = self.service.lock().await;
        self.launch.ready(&service, &self.outlet).await
    }

    /// Waits until coturn has told of the allocations that are released, and tells of those that are not: a release
    /// may be under way for [`RELEASED_WITHIN`].
    pub(crate) async fn tell_sessions(&self) {
        let mut open = self.open.subscribe();
        let all_closed = open.wait_for(|open| *open == Open::Nothing);
        if tokio::time::timeout(RELEASED_WITHIN, all_closed)
            .await
            .is_err()
        {
            let closed = open.wait_for(|open| *open != Open::Closing);
            if tokio::time::timeout(CLOSE_WITHIN, closed).await.is_err() {
                tracing::warn!("coturn did not close a released allocation in time");
            }
        }
        let mut sessions = locked(&self.sessions);
        for open in sessions.take_open() {
            self.outlet.event(Event::TurnSession(open));
        }
        self.open.send_replace(sessions.state());
    }

    /// Sends coturn a signal that does not end it.
    pub(crate) async fn signal(&self, signal: Signal) {
        self.service.lock().await.signal(signal);
    }

    /// Ends coturn.
    pub(crate) async fn end(&self) -> Result<(), ServiceError> {
        let service = self.service.lock().await;
        service.end(Signal::SIGTERM, END_WITHIN).await
    }
}

impl Launch {
    /// Whether a listener is there. One whose certificate nobody takes takes connections.
    async fn answers(&self, at: SocketAddr, transport: IceTransport) -> bool {
        let Self { server, ca_pem, .. } = self;
        if transport == IceTransport::Tls && server.certificate_flaw.is_some() {
            return TcpStream::connect(at).await.is_ok();
        }
        let answers = listener_answers(&server.host, at, transport, ca_pem);
        answers.await.is_ok()
    }

    fn launch(
        &self,
        sessions: &Arc<Mutex<Sessions>>,
        open: &Arc<watch::Sender<Open>>,
        outlet: &Outlet,
    ) -> Result<Service, ServiceError> {
        let (kept, told, open) = (sessions.clone(), outlet.clone(), open.clone());
        let mut command = Command::new("turnserver");
        command.args(["-c", &self.configuration_path]);
        Service::start("turnserver", &mut command, outlet, move |line| {
            let mut sessions = locked(&kept);
            if let Some(event) = sessions.take(line) {
                told.event(event);
            }
            open.send_replace(sessions.state());
            level(line)
        })
    }

    /// Waits until each listener answers. From then on the host is told if coturn ends by itself.
    async fn ready(&self, service: &Service, outlet: &Outlet) -> Result<(), ServiceError> {
        let checks = self.server.listeners.iter().map(|listener| async {
            let at = SocketAddr::from((self.address, listener.port));
            while !self.answers(at, listener.transport).await {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        });
        let every = async { drop(join_all(checks).await) };
        let awaited = format!("an answer from each of its listeners at {}", self.address);
        service.ready(&awaited, READY_WITHIN, every).await?;
        service.guard(outlet);
        Ok(())
    }
}

fn write_certificate(certificate: &CertificatePem) -> Result<(), SetupError> {
    setup::write(COTURN_CERTIFICATE, &certificate.chain)?;
    setup::write(COTURN_PRIVATE_KEY, &certificate.key)
}

async fn add_secret(secret: &str, realm: &str) -> Result<(), SetupError> {
    let command = [
        "turnadmin",
        "--set-secret",
        secret,
        "--userdb",
        COTURN_USER_DATABASE,
        "--realm",
        realm,
    ];
    tool::run_shown("turnadmin --set-secret", &command, "").await?;
    Ok(())
}

/// Passwords are on the command line of a tool that runs where nobody else is.
async fn add_accounts(accounts: &[PlainAccount], realm: &str) -> Result<(), SetupError> {
    for account in accounts {
        let (username, password) = (&account.username, &account.password);
        let command = [
            "turnadmin",
            "--add",
            "--userdb",
            COTURN_USER_DATABASE,
            "--realm",
            realm,
            "--user",
            username,
            "--password",
            password,
        ];
        let shown = format!("turnadmin --add --user {username}");
        tool::run_shown(&shown, &command, "").await?;
    }
    Ok(())
}

/// The value of a setting in coturn's configuration.
fn setting<'a>(configuration: &'a str, name: &str) -> Option<&'a str> {
    let mut settings = configuration
        .lines()
        .filter_map(|line| line.split_once('='));
    settings.find_map(|(key, value)| (key.trim() == name).then_some(value.trim()))
}

fn level(line: &str) -> Level {
    if line.contains(": ERROR: ") {
        Level::Error
    } else if line.contains("WARNING: ") {
        Level::Warn
    } else if line.contains(" session ") {
        Level::Info
    } else {
        Level::Debug
    }
}

fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_coturn_reads_them() {
        let configuration = "no-tls\nlistening-ip=203.0.113.100\nrealm = turn.example\n";
        assert_eq!(setting(configuration, "realm"), Some("turn.example"));
        assert_eq!(
            setting(configuration, "listening-ip"),
            Some("203.0.113.100")
        );
        assert_eq!(setting(configuration, "no-tls"), None);
        assert_eq!(setting(configuration, "ip"), None);
    }

    #[test]
    fn lines_are_as_severe_as_coturn_says() {
        assert_eq!(
            level("4: : ERROR: check_stun_auth: user ann credentials are incorrect"),
            Level::Error
        );
        assert_eq!(level("0: : WARNING: I cannot support it"), Level::Warn);
        assert_eq!(
            level("0: : session 1: new, realm=<r>, username=<u>, lifetime=600"),
            Level::Info
        );
        assert_eq!(level("0: : Total General servers: 2"), Level::Debug);
    }
}
