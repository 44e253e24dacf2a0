//! The names of a lab's containers and networks, as Docker has them.

use super::SessionId;

/// The longest host name that Linux takes (`HOST_NAME_MAX` is 64; one label of DNS is 63).
const LONGEST_HOST_NAME: usize = 63;

/// The container of a node.
pub(crate) fn container_name(session: &SessionId, node: &str) -> String {
    format!("farcall-{session}-{}", docker_safe(node))
}

/// The Docker network of a network of the plan.
pub(crate) fn network_name(session: &SessionId, network: &str) -> String {
    format!("farcall-{session}-{}", docker_safe(network))
}

/// The host name inside a node's container: one label of DNS.
pub(crate) fn host_name(node: &str) -> String {
    let label: String = node
        .chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' => character.to_ascii_lowercase(),
            _ => '-',
        })
        .take(LONGEST_HOST_NAME)
        .collect();
    let label = label.trim_matches('-');
    if label.is_empty() {
        "node".to_owned()
    } else {
        label.to_owned()
    }
}

/// Docker's names match `[a-zA-Z0-9][a-zA-Z0-9_.-]*`; the prefix sees to the first character.
fn docker_safe(name: &str) -> String {
    name.chars()
        .map(|character| match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '.' | '-' => character,
            _ => '-',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;

    #[test]
    fn docker_names_carry_the_session() {
        let session: SessionId = "0123abcd".parse().unwrap();
        assert_eq!(
            container_name(&session, "office-gateway"),
            "farcall-0123abcd-office-gateway"
        );
        assert_eq!(network_name(&session, "a b/c"), "farcall-0123abcd-a-b-c");
    }

    #[test]
    fn host_names_are_one_label() {
        assert_eq!(host_name("turn.example.org"), "turn-example-org");
        assert_eq!(host_name("Alice_1"), "alice-1");
        assert_eq!(host_name("[::1]"), "1");
        assert_eq!(host_name("::"), "node");
        assert_eq!(host_name(&"x".repeat(80)).len(), LONGEST_HOST_NAME);
    }
}
