//! What the peer code holds: the servers of one peer connection.

use super::checks::{CheckedPair, Checks};
use super::connect::tls_connector;
use super::link::TlsConnectorHandle;
use super::nudge::Nudge;
use super::observer::Observer;
use super::runtime::{IceRuntime, Shared};
use super::server::{Server, TransportError, index_of_host};
use super::status::{Observation, ServerStatus};
use farcall_scenario::{IceConfiguration, IceTransportPolicy, IceUrl};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use webrtc::peer_connection::{
    PeerConnectionBuilder, PeerConnectionEventHandler, RTCConfiguration, RTCConfigurationBuilder,
    RTCIceTransportPolicy, SettingEngineBuilder,
};
use webrtc::runtime::Runtime;

/// After how many checks a pair is given up. rtc-ice 0.21.1 checks all pairs at once whenever a remote candidate arrives,
/// so its own seven are used up within 70 ms where a dozen are trickled, and the direct pair fails before the other
/// side's NAT is open. At its pace of one in 200 ms these last ten seconds beyond such a burst.
const MAX_CHECKS: u16 = 64;

/// The STUN and TURN servers of one peer connection.
///
/// Every URL of the configuration is used, over UDP, TCP and TLS, those that differ only in transport
/// and duplicates included. Each comes to exactly one outcome.
#[derive(Debug, Clone)]
pub struct ServerTransport {
    shared: Arc<Shared>,
    policy: IceTransportPolicy,
}

impl ServerTransport {
    /// Prepares the servers of a configuration. `policy` counts, not the configuration's own, and
    /// `turns:` certificates must lead to one of `ca_certificates_pem` (an empty bundle trusts none).
    /// TURN servers over TCP and TLS are reached through `proxy`, if there is one, by CONNECT (RFC 9110
    /// section 9.3.6). The receiver gets every [`Observation`] as it is made; it may be dropped.
    ///
    /// # Errors
    /// When a TURN URL has no credentials, or the bundle holds something else than certificates.
    pub fn new(
        configuration: &IceConfiguration,
        policy: IceTransportPolicy,
        ca_certificates_pem: &[u8],
        proxy: Option<SocketAddr>,
    ) -> Result<(Self, UnboundedReceiver<Observation>), TransportError> {
        let mut servers = Server::all(configuration)?;
        if policy == IceTransportPolicy::All {
            servers = Server::with_implied(servers);
        }
        let tls = TlsConnectorHandle(tls_connector(ca_certificates_pem)?);
        let (sender, observations) = unbounded_channel();
        let observer = Observer::new(&servers, sender, |server| {
            if server.is_stun() && policy == IceTransportPolicy::Relay {
                return Err("the ICE transport policy relay uses no STUN server".into());
            }
            Ok(())
        });
        let shared = Shared {
            servers,
            observer: Arc::new(observer),
            checks: Arc::new(Checks::default()),
            resolver: Arc::default(),
            tls,
            proxy,
            nudge: Nudge::default(),
        };
        let transport = Self {
            shared: Arc::new(shared),
            policy,
        };
        Ok((transport, observations))
    }

    /// A builder for the peer connection: this configuration and runtime, one ephemeral UDP port on
    /// each of the local addresses, no mDNS (which needs a default route). The caller adds its media
    /// engine and interceptors; `settings` are the caller's, such as ICE timeouts.
    pub fn peer_connection_builder(
        &self,
        local_ips: &[IpAddr],
        settings: SettingEngineBuilder,
        handler: Arc<dyn PeerConnectionEventHandler>,
    ) -> PeerConnectionBuilder<SocketAddr> {
        let settings = settings
            .with_multicast_dns_mode(rtc::ice::mdns::MulticastDnsMode::Disabled)
            .with_ice_connection_attempts(None, Some(MAX_CHECKS))
            .build();
        PeerConnectionBuilder::new()
            .with_configuration(self.rtc_configuration())
            .with_setting_engine(settings)
            .with_runtime(self.runtime())
            .with_handler(handler)
            .with_udp_addrs(local_ips.iter().map(|ip| (*ip, 0).into()).collect())
    }

    /// What webrtc-rs is told of the servers: every URL as a UDP URL with a made-up host name, and
    /// under the policy `all` each TURN server over UDP also as a STUN server.
    #[must_use]
    pub fn rtc_configuration(&self) -> RTCConfiguration {
        let policy = match self.policy {
            IceTransportPolicy::All => RTCIceTransportPolicy::All,
            IceTransportPolicy::Relay => RTCIceTransportPolicy::Relay,
        };
        let servers = self.shared.servers.iter().map(Server::rtc_ice_server);
        RTCConfigurationBuilder::new()
            .with_ice_servers(servers.collect())
            .with_ice_transport_policy(policy)
            .build()
    }

    /// The runtime that knows the made-up names. One peer connection only.
    #[must_use]
    pub fn runtime(&self) -> Arc<dyn Runtime> {
        Arc::new(IceRuntime {
            shared: Arc::clone(&self.shared),
        })
    }

    /// From now on nothing is relayed to the other peer through an address that it does not know by
    /// [`signalled`](Self::signalled): a check that outruns its candidate misleads rtc-ice 0.21.1.
    pub fn hold_relays(&self) {
        self.shared.observer.hold_relays();
    }

    /// The other peer knows this local candidate.
    pub fn signalled(&self, candidate: SocketAddr) {
        self.shared.observer.signalled(candidate);
    }

    /// Waits until every URL has come to its outcome, at most until `deadline` after gathering began
    /// (or after now, if it has not begun); then ends gathering as [`finish`](Self::finish) does.
    pub async fn gathered(&self, deadline: Duration) -> Vec<ServerStatus> {
        let observer = &self.shared.observer;
        let until = observer.began().unwrap_or_else(Instant::now) + deadline;
        // Elapsed or not: the rest is decided now.
        let _ = tokio::time::timeout_at(until.into(), observer.decided()).await;
        self.finish()
    }

    /// The gathering deadline: every URL without an outcome comes to one, mostly "no answer", and
    /// is given up. webrtc-rs notices at its next send there and then completes gathering, unless
    /// it has sent its last request already (6 s after the first). A STUN server that a TURN URL
    /// implies is given up if that URL is; otherwise it may still answer.
    pub fn finish(&self) -> Vec<ServerStatus> {
        self.shared.observer.finish(Instant::now());
        self.statuses()
    }

    /// Ends what goes on in the background. webrtc 0.21.1 keeps its runtime, and with it this, when a connection is closed
    /// (seen: one task more after each connection whose servers have names).
    pub fn release(&self) {
        self.shared.resolver.end();
    }

    /// What each URL has come to, in the order of the configuration, with all that has flowed by
    /// now. URLs without an outcome are missing.
    #[must_use]
    pub fn statuses(&self) -> Vec<ServerStatus> {
        self.shared.observer.statuses()
    }

    /// The pairs over which connectivity checks have passed, in the order of their first checks.
    pub(crate) fn checked_pairs(&self) -> Vec<CheckedPair> {
        let observer = &self.shared.observer;
        let relay_address = |of| observer.relay_address(of);
        self.shared.checks.pairs(Instant::now(), relay_address)
    }

    /// The configured URL behind the `url` that webrtc-rs gives a relay candidate.
    #[must_use]
    pub fn configured_url(&self, reported: &str) -> Option<&IceUrl> {
        let index = index_of_host(reported)?;
        self.shared.servers.get(index).map(|server| &server.url)
    }

    /// The configured URL from which a local candidate's address was obtained: a relay candidate's
    /// own address, or a server-reflexive one, which a TURN URL over UDP may have brought as well.
    /// webrtc-rs reports no `url` for the latter.
    #[must_use]
    pub fn url_of_address(&self, address: SocketAddr) -> Option<&IceUrl> {
        let index = self.shared.observer.server_of_address(address)?;
        self.shared.servers.get(index).map(|server| &server.url)
    }
}
