//! What a gateway does for its firewall, in words.

use crate::model::GatewayService;
use std::fmt::{Display, Formatter, Result};

impl Display for GatewayService {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        match self {
            Self::HttpProxy {
                listen,
                ports,
                allow,
                deny,
            } => {
                let ports: Vec<String> = ports.iter().map(ToString::to_string).collect();
                let ports = ports.join(", ");
                write!(
                    out,
                    "HTTP proxy at {listen}: connects to ports {ports} ({allow}), refuses others ({deny})"
                )
            }
            Self::TlsFilter {
                listen,
                server_names,
                pass,
                reset,
            } => {
                let names = server_names.join(", ");
                write!(
                    out,
                    "TLS filter at {listen}: passes handshakes for {names} ({pass}), resets others ({reset})"
                )
            }
            Self::TlsInterceptor {
                listen,
                issuer,
                intercept,
                reset,
            } => write!(
                out,
                "TLS interceptor at {listen}: re-terminates TLS with certificates of {issuer} ({intercept}), \
                 resets what is no TLS ({reset})"
            ),
            Self::CaptivePortal {
                http,
                tls,
                redirect,
                login,
            } => write!(
                out,
                "captive portal at {http} and, with TLS, {tls}: redirects to its login page ({redirect}) and lets \
                 in who answers that ({login})"
            ),
        }
    }
}
