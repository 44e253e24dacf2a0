//! From a scenario and an ICE configuration to everything a lab would be, by pure functions.
//!
//! [`plan`] decides; a [`Plan`] is printed with `Display`. Nothing here knows Docker or waits.

mod aspect;
mod call;
mod compute;
mod coturn;
mod datapath;
mod declarations;
mod describe;
mod dns;
mod error;
mod expectations;
mod faults;
mod ipv6;
mod layout;
mod matrix;
mod model;
mod nft;
mod nodes;
mod passage;
mod place;
mod routes;
mod servers;
mod services;
mod signalling;
mod topology;
mod unsupported;
mod validate;

pub use aspect::{DATAPATH_LOSSES, FROM_INSIDE, TO_INSIDE};
pub use compute::{plan, plan_each};
pub use coturn::{
    COTURN_CERTIFICATE, COTURN_DIRECTORY, COTURN_PID_FILE, COTURN_PRIVATE_KEY,
    COTURN_USER_DATABASE, WRONG_EXTERNAL_ADDRESS,
};
pub use datapath::seed_for;
pub use declarations::{LongRunLoss, long_run_loss};
pub use error::PlanError;
pub use matrix::{Cell, MatrixCall, MatrixPlan, plan_matrix};
pub use model::{
    Attachment, BlockingRule, COMPANY_AUTHORITY, CallPlan, CallServer, DATAPATH_DEVICES,
    DATAPATH_MARK, DELAYED_DNS_PORT, Datapath, Declaration, Elsewhere, Expectations, ExpectedFault,
    ExpectedOutcome, ExpectedSignalling, Fact, Fate, FaultAction, Gateway, GatewayAction,
    GatewayService, INTERMEDIATE_AUTHORITY, Interface, Ipv6Route, LOGGED_IN_SET, LeastDelay,
    Listener, NAT64_DEVICE, Nat64, Network, Node, NodeIpv6, PORTAL_DNS_PORT, PROBE_ADDRESSES,
    PROBE_PACKET_BYTES, PROBE_PORTS, PROBE_SERVER_NAME, Passage, Payload, Plan, PlannedFault,
    ProbeProtocol, Readdressing, RestAuthority, Role, Route, SignallingServer, Topology,
    TopologyPeer, TopologyRouter, TopologyServer, TopologySite, TurnAccount, TurnServer,
};
pub use unsupported::{Unsupported, unsupported};
