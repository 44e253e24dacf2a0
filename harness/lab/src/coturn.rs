//! A coturn for tests of any project, as an image type of the `testcontainers` crate.

use std::borrow::Cow;
use std::fmt;
use testcontainers::core::{
    CmdWaitFor, ContainerPort, ContainerState, CopyToContainer, ExecCommand, WaitFor,
};
use testcontainers::{CopyTargetOptions, Image, TestcontainersError};

/// The port of STUN and TURN over UDP and TCP (RFC 8656 section 3.1).
pub const PORT: u16 = 3478;

/// The port of TURN over TLS (RFC 8656 section 3.1).
pub const TLS_PORT: u16 = 5349;

const CONFIGURATION: &str = "/etc/farcall-coturn.conf";
const ACCOUNTS: &str = "/etc/farcall-coturn.accounts";
const CERTIFICATE: &str = "/etc/farcall-coturn.crt";
const PRIVATE_KEY: &str = "/etc/farcall-coturn.key";

/// Accounts go into the database: in the configuration file a user name could have no colon, which
/// those of the TURN REST API do. And they do so first: the server creates the database too, and the
/// two would get into each other's way.
const START: &str = r#"
while IFS= read -r name && IFS= read -r password; do
    turnadmin -a -u "$name" -r "$0" -p "$password"
done </etc/farcall-coturn.accounts
exec turnserver -c /etc/farcall-coturn.conf
"#;

/// How long its listeners may take to answer, in seconds.
const READY_WITHIN_S: &str = "20";

/// Only root of the container reads what has secrets in it.
const PRIVATE: u32 = 0o600;

/// A coturn in the base image, listening for UDP and TCP on [`PORT`] unless told otherwise.
///
/// Ask the running container for the ports of this host that it was given:
/// `container.get_host_port_ipv4(ContainerPort::Udp(coturn::PORT))`. Relayed transport addresses are
/// the container's own, which its host can reach.
#[derive(Clone)]
pub struct Coturn {
    name: String,
    tag: String,
    realm: String,
    users: Vec<(String, String)>,
    udp: bool,
    tcp: bool,
    /// Chain and key, as PEM.
    certificate: Option<(String, String)>,
    // What follows from the above, because `Image` lends it out.
    ports: Vec<ContainerPort>,
    files: Vec<CopyToContainer>,
}

impl fmt::Debug for Coturn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let users: Vec<&str> = self.users.iter().map(|(name, _)| name.as_str()).collect();
        formatter
            .debug_struct("Coturn")
            .field("image", &format_args!("{}:{}", self.name, self.tag))
            .field("realm", &self.realm)
            .field("users", &users)
            .field("ports", &self.ports)
            .finish_non_exhaustive()
    }
}

impl Image for Coturn {
    fn name(&self) -> &str {
        &self.name
    }

    fn tag(&self) -> &str {
        &self.tag
    }

    fn ready_conditions(&self) -> Vec<WaitFor> {
        // No line of its log says that all listeners are open: `exec_before_ready` asks them.
        Vec::new()
    }

    fn cmd(&self) -> impl IntoIterator<Item = impl Into<Cow<'_, str>>> {
        ["sh", "-ec", START, &self.realm]
    }

    fn copy_to_sources(&self) -> impl IntoIterator<Item = &CopyToContainer> {
        &self.files
    }

    fn expose_ports(&self) -> &[ContainerPort] {
        &self.ports
    }

    /// Waits for every listener, in one go: the crate looks only twice a second whether it is done.
    fn exec_before_ready(
        &self,
        _: ContainerState,
    ) -> Result<Vec<ExecCommand>, TestcontainersError> {
        let asked = self.ports.iter().map(|port| {
            let question = match port {
                ContainerPort::Udp(port) => {
                    format!("timeout 0.2 turnutils_stunclient -p {port} 127.0.0.1")
                }
                port => format!("true > /dev/tcp/127.0.0.1/{}", port.as_u16()),
            };
            format!("until {question}; do sleep 0.02; done\n")
        });
        let asked: String = asked.collect();
        let wait = ExecCommand::new(["timeout", READY_WITHIN_S, "bash", "-c", &asked]);
        Ok(vec![
            wait.with_cmd_ready_condition(CmdWaitFor::exit_code(0)),
        ])
    }
}

impl Coturn {
    /// A coturn in an image that has one, by name and tag: that of
    /// [`base_image`](crate::images::base_image).
    #[must_use]
    pub fn new(base_reference: &str) -> Self {
        let (name, tag) = split(base_reference);
        let coturn = Self {
            name: name.to_owned(),
            tag: tag.to_owned(),
            realm: "farcall.test".to_owned(),
            users: Vec::new(),
            udp: true,
            tcp: true,
            certificate: None,
            ports: Vec::new(),
            files: Vec::new(),
        };
        coturn.configured()
    }

    /// Adds an account of the long-term credential mechanism (RFC 8489 section 9.2). Without any,
    /// the server answers STUN only.
    #[must_use]
    pub fn with_user(mut self, name: impl Into<String>, password: impl Into<String>) -> Self {
        self.users.push((name.into(), password.into()));
        self.configured()
    }

    /// Sets the realm; `farcall.test` unless told otherwise.
    #[must_use]
    pub fn with_realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = realm.into();
        self.configured()
    }

    /// Listens for TLS on [`TLS_PORT`], with a certificate chain and key as PEM. coturn tells TLS
    /// and plain TURN apart by the first bytes and takes either on both of its TCP ports.
    #[must_use]
    pub fn with_tls(mut self, chain_pem: impl Into<String>, key_pem: impl Into<String>) -> Self {
        self.certificate = Some((chain_pem.into(), key_pem.into()));
        self.configured()
    }

    /// Does not listen for UDP.
    #[must_use]
    pub fn without_udp(mut self) -> Self {
        self.udp = false;
        self.configured()
    }

    /// Does not listen for plain TCP.
    #[must_use]
    pub fn without_tcp(mut self) -> Self {
        self.tcp = false;
        self.configured()
    }

    /// Brings ports and files in line with what was chosen.
    fn configured(mut self) -> Self {
        let ports = [
            (self.udp, ContainerPort::Udp(PORT)),
            (self.tcp, ContainerPort::Tcp(PORT)),
            (self.certificate.is_some(), ContainerPort::Tcp(TLS_PORT)),
        ];
        self.ports = ports
            .into_iter()
            .filter_map(|(listens, port)| listens.then_some(port))
            .collect();
        let accounts = self.users.iter();
        let accounts = accounts.map(|(name, password)| format!("{name}\n{password}\n"));
        let mut files = vec![
            (CONFIGURATION, self.configuration()),
            (ACCOUNTS, accounts.collect()),
        ];
        if let Some((chain, key)) = &self.certificate {
            files.push((CERTIFICATE, chain.clone()));
            files.push((PRIVATE_KEY, key.clone()));
        }
        self.files = files
            .into_iter()
            .map(|(path, text)| {
                let target = CopyTargetOptions::new(path).with_mode(PRIVATE);
                CopyToContainer::new(text.into_bytes(), target)
            })
            .collect();
        self
    }

    fn configuration(&self) -> String {
        let mut lines = vec![
            format!("listening-port={PORT}"),
            format!("tls-listening-port={TLS_PORT}"),
            format!("realm={}", self.realm),
        ];
        for (listens, off) in [
            (self.udp, "no-udp"),
            (self.tcp, "no-tcp"),
            (self.certificate.is_some(), "no-tls"),
        ] {
            if !listens {
                lines.push(off.to_owned());
            }
        }
        if self.certificate.is_some() {
            lines.push(format!("cert={CERTIFICATE}"));
            lines.push(format!("pkey={PRIVATE_KEY}"));
        }
        let access = if self.users.is_empty() {
            "stun-only"
        } else {
            "lt-cred-mech"
        };
        let always = [
            "no-dtls",
            "no-cli",
            "fingerprint",
            "log-file=stdout",
            access,
        ];
        lines.extend(always.map(str::to_owned));
        lines.join("\n") + "\n"
    }
}

/// Name and tag of an image; a colon before the last slash belongs to a registry's port.
fn split(reference: &str) -> (&str, &str) {
    match reference.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => (name, tag),
        _ => (reference, "latest"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn image_references_are_split_at_the_tag() {
        assert_eq!(split("farcall-base:1a"), ("farcall-base", "1a"));
        assert_eq!(split("host:5000/base:1a"), ("host:5000/base", "1a"));
        assert_eq!(split("host:5000/base"), ("host:5000/base", "latest"));
    }

    #[test]
    fn listeners_that_were_not_asked_for_are_off() {
        let coturn = Coturn::new("b:1").with_tls("c", "k").without_udp();
        let configuration = coturn.configuration();
        assert!(configuration.contains("no-udp\n") && !configuration.contains("no-tls"));
        assert!(configuration.contains("stun-only\n"));
        let ports = [ContainerPort::Tcp(PORT), ContainerPort::Tcp(TLS_PORT)];
        assert_eq!(coturn.expose_ports(), ports);
    }

    #[test]
    fn passwords_are_not_shown() {
        let coturn = Coturn::new("b:1").with_user("1:alice", "hunter2");
        let shown = format!("{coturn:?}");
        assert!(shown.contains("1:alice") && !shown.contains("hunter2"));
        assert!(!coturn.configuration().contains("hunter2"));
        assert!(coturn.configuration().contains("lt-cred-mech\n"));
    }
}
