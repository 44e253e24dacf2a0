//! Allocations as coturn 4.6 writes them to its log with `verbose`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use farcall_timeline::{Event, TurnSession};
use regex::Regex;

/// What there is of allocations that coturn has not closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Open {
    /// None.
    Nothing,
    /// Some, and no client has given one up.
    Allocated,
    /// Some that their clients have given up; coturn closes them when it next looks.
    Closing,
}

/// What is known of each session.
#[derive(Debug, Default)]
pub(super) struct Sessions(BTreeMap<String, Known>);

#[derive(Debug)]
struct Known {
    session: TurnSession,
    /// Set by a successful Allocate. A session without it is somebody who only asked.
    allocated: bool,
    /// The client has refreshed it to a lifetime of zero; coturn closes it within a second.
    released: bool,
}

// A regular expression that does not compile matches nothing; the tests would show it.
static LINE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"session (?<session>\d+): (?<what>.*)$").ok());

static LIFETIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^(?<what>new|refreshed), realm=<.*>, username=<(?<user>.*)>, lifetime=(?<s>\d+)(?:, cipher=.*)?$")
        .ok()
});

static USAGE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^(?:peer )?usage: realm=<.*>, username=<.*>, rp=(?<rp>\d+), rb=(?<rb>\d+), sp=(?<sp>\d+), sb=(?<sb>\d+)$",
    )
    .ok()
});

static CLOSED: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^closed .*, remote (?<client>\S+), reason: ").ok());

impl Sessions {
    /// Takes a line of the log, and gives what it says of an allocation, if it says that it is made or closed.
    pub(super) fn take(&mut self, line: &str) -> Option<Event> {
        let captures = LINE.as_ref()?.captures(line)?;
        let (id, what) = (&captures["session"], &captures["what"]);
        if let Some(lifetime) = LIFETIME.as_ref()?.captures(what) {
            let known = self.known(id);
            known.session.username = Some(lifetime["user"].to_owned());
            known.released = &lifetime["s"] == "0";
            if &lifetime["what"] == "new" {
                known.allocated = true;
                return Some(Event::TurnAllocated {
                    session: id.to_owned(),
                });
            }
        } else if let Some(usage) = USAGE.as_ref()?.captures(what) {
            // Each line has what was counted since the one before it: one every 4096 packets, and one
            // at the end.
            let number = |name: &str| usage[name].parse::<u64>().unwrap_or(0);
            let session = &mut self.known(id).session;
            session.packets_received += number("rp");
            session.bytes_received += number("rb");
            session.packets_sent += number("sp");
            session.bytes_sent += number("sb");
        } else if let Some(closed) = CLOSED.as_ref()?.captures(what) {
            let mut known = self.0.remove(id)?;
            known.session.client = Some(closed["client"].to_owned());
            known.session.complete = true;
            return known.allocated.then_some(Event::TurnSession(known.session));
        }
        None
    }

    /// What there is of allocations.
    pub(super) fn state(&self) -> Open {
        let mut state = Open::Nothing;
        for known in self.0.values().filter(|known| known.allocated) {
            if known.released {
                return Open::Closing;
            }
            state = Open::Allocated;
        }
        state
    }

    /// Allocations that have not been closed, as far as they are known: not complete, since coturn
    /// tells of the last packets and of the client's address only when it closes them.
    pub(super) fn take_open(&mut self) -> Vec<TurnSession> {
        let known = std::mem::take(&mut self.0).into_values();
        known
            .filter(|known| known.allocated)
            .map(|known| known.session)
            .collect()
    }

    fn known(&mut self, id: &str) -> &mut Known {
        self.0.entry(id.to_owned()).or_insert_with(|| Known {
            session: TurnSession {
                session: id.to_owned(),
                client: None,
                username: None,
                bytes_received: 0,
                bytes_sent: 0,
                packets_received: 0,
                packets_sent: 0,
                complete: false,
            },
            allocated: false,
            released: false,
        })
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    /// What coturn 4.6.1 wrote for a client over UDP that sent many packets and released its
    /// allocation.
    const UDP: &str = "\
0: : session 001000000000000001: realm <farcall.test> user <>: incoming packet message processed, error 401: Unauthorized
0: : IPv4. Local relay addr: 127.0.0.1:51692
0: : session 001000000000000001: new, realm=<farcall.test>, username=<17:ann>, lifetime=777
0: : session 001000000000000001: realm <farcall.test> user <17:ann>: incoming packet ALLOCATE processed, success
0: : session 001000000000000001: refreshed, realm=<farcall.test>, username=<17:ann>, lifetime=600
4: : session 001000000000000001: usage: realm=<farcall.test>, username=<17:ann>, rp=2048, rb=212976, sp=7, sb=612
4: : session 001000000000000001: peer usage: realm=<farcall.test>, username=<17:ann>, rp=0, rb=0, sp=2041, sb=204100
12: : session 001000000000000001: refreshed, realm=<farcall.test>, username=<17:ann>, lifetime=0
";

    const UDP_END: &str = "\
13: : session 001000000000000001: usage: realm=<farcall.test>, username=<17:ann>, rp=1, rb=104, sp=10, sb=1000
13: : session 001000000000000001: peer usage: realm=<farcall.test>, username=<17:ann>, rp=10, rb=960, sp=0, sb=0
13: : session 001000000000000001: closed (2nd stage), user <17:ann> realm <farcall.test> origin <>, local 127.0.0.1:3478, remote 127.0.0.1:47230, reason: allocation timeout
";

    /// And for one over TCP with a wrong password.
    const UNAUTHORIZED: &str = "\
4: : IPv4. tcp or tls connected to: 127.0.0.1:45712
4: : session 001000000000000002: realm <farcall.test> user <>: incoming packet message processed, error 401: Unauthorized
4: : ERROR: check_stun_auth: user ann credentials are incorrect
4: : session 001000000000000002: TCP socket closed remotely 127.0.0.1:45712
4: : session 001000000000000002: usage: realm=<farcall.test>, username=<ann>, rp=32, rb=3772, sp=32, sb=3456
4: : session 001000000000000002: peer usage: realm=<farcall.test>, username=<ann>, rp=0, rb=0, sp=0, sb=0
4: : session 001000000000000002: closed (2nd stage), user <ann> realm <farcall.test> origin <>, local 127.0.0.1:3478, remote 127.0.0.1:45712, reason: TCP connection closed by client (callback)
";

    /// The sessions that these lines close.
    fn take(sessions: &mut Sessions, text: &str) -> Vec<TurnSession> {
        text.lines()
            .filter_map(|line| match sessions.take(line)? {
                Event::TurnSession(session) => Some(session),
                _ => None,
            })
            .collect()
    }

    #[test]
    fn an_allocation_is_told_when_it_is_made_and_open_until_it_is_closed() {
        let mut sessions = Sessions::default();
        let told: Vec<Event> = UDP.lines().filter_map(|line| sessions.take(line)).collect();
        let session = "001000000000000001".to_owned();
        assert_eq!(told, [Event::TurnAllocated { session }]);
        assert_eq!(sessions.state(), Open::Closing);
        take(&mut sessions, UDP_END);
        assert_eq!(sessions.state(), Open::Nothing);
        take(&mut sessions, &UDP.replace("lifetime=0", "lifetime=600"));
        assert_eq!(sessions.state(), Open::Allocated);
    }

    #[test]
    fn usage_is_added_up_and_told_when_the_session_closes() {
        let mut sessions = Sessions::default();
        assert!(take(&mut sessions, UDP).is_empty());
        let closed = take(&mut sessions, UDP_END);
        assert_eq!(
            closed,
            [TurnSession {
                session: "001000000000000001".to_owned(),
                client: Some("127.0.0.1:47230".to_owned()),
                username: Some("17:ann".to_owned()),
                bytes_received: 212_976 + 104 + 960,
                bytes_sent: 612 + 204_100 + 1000,
                packets_received: 2048 + 1 + 10,
                packets_sent: 7 + 2041 + 10,
                complete: true,
            }]
        );
        assert!(sessions.take_open().is_empty());
    }

    #[test]
    fn who_was_not_let_in_has_no_allocation() {
        let mut sessions = Sessions::default();
        assert!(take(&mut sessions, UNAUTHORIZED).is_empty());
        assert!(sessions.take_open().is_empty());
    }

    #[test]
    fn an_open_session_is_told_as_far_as_it_is_known() {
        let mut sessions = Sessions::default();
        take(&mut sessions, UDP);
        let open = sessions.take_open();
        assert_eq!(open.len(), 1);
        assert_eq!(open[0].client, None);
        assert!(!open[0].complete);
        assert_eq!(open[0].bytes_received, 212_976);
    }

    #[test]
    fn the_words_are_there() {
        for expression in [&LINE, &LIFETIME, &USAGE, &CLOSED] {
            assert!(expression.as_ref().is_some());
        }
        let _ = Sessions::default().take("").is_none();
        let line = "1: : session 7: new, realm=<r>, username=<u>, lifetime=600";
        let mut sessions = Sessions::default();
        sessions.take(line);
        assert_eq!(
            sessions.take_open().pop().unwrap().username.as_deref(),
            Some("u")
        );
    }

    #[test]
    fn an_allocation_over_tls_is_known_too() {
        let log = "\
1: : session 000000000000000005: new, realm=<turn.example.net>, username=<farcall>, lifetime=600, cipher=ECDHE-ECDSA-AES256-GCM-SHA384, method=TLSv1.2
6: : session 000000000000000005: refreshed, realm=<turn.example.net>, username=<farcall>, lifetime=0, cipher=ECDHE-ECDSA-AES256-GCM-SHA384, method=TLSv1.2
6: : session 000000000000000005: usage: realm=<turn.example.net>, username=<farcall>, rp=413, rb=138135, sp=391, sb=135416
6: : session 000000000000000005: closed (2nd stage), user <farcall> realm <turn.example.net> origin <>, local 203.0.113.100:443, remote 203.0.113.10:33117, reason: TLS/TCP connection closed by client (callback)";
        let mut sessions = Sessions::default();
        let closed = take(&mut sessions, log);
        assert_eq!(closed.len(), 1, "{closed:?}");
        assert_eq!(closed[0].username.as_deref(), Some("farcall"));
        assert_eq!(closed[0].bytes_received, 138_135);
    }
}
