//! A lab's containers reach each other and nothing else, and may do no more than they need.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use crate::exec::shell;
use crate::support::{raise, two_peers};
use farcall_lab::LabOptions;
use std::net::Ipv4Addr;
use tokio::net::TcpListener;

/// Addresses of this host, by its own account.
fn host_addresses() -> Vec<Ipv4Addr> {
    nix::ifaddrs::getifaddrs()
        .unwrap()
        .filter_map(|interface| Some(interface.address?.as_sockaddr_in()?.ip()))
        .filter(|address| !address.is_loopback())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lab_reaches_itself_but_neither_host_nor_outside() {
    let raised = raise(&two_peers(), LabOptions::new()).await.unwrap();
    // The gateway is alice's neighbour; Docker's addresses still stand, as the stand-in sets none.
    let (_, own, _) = shell(&raised, "alice", "ip -4 -o address show dev eth0").await;
    assert!(own.contains(" 10."), "{own}");

    let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let addresses = host_addresses();
    assert!(!addresses.is_empty());
    for address in addresses {
        let connect = format!("timeout 1 bash -c 'echo > /dev/tcp/{address}/{port}'");
        let (status, _, error) = shell(&raised, "alice", &connect).await;
        assert_ne!(status, 0, "alice reached {address}: {error}");
    }
    // The same from the host itself works: the test can fail.
    assert!(
        tokio::net::TcpStream::connect(("127.0.0.1", port))
            .await
            .is_ok()
    );

    let (_, ipv6, _) = shell(&raised, "alice", "ip -6 -o address").await;
    assert_eq!(ipv6, "", "no IPv6 anywhere");
    raised.lab.remove().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_has_the_interfaces_and_capabilities_of_its_node() {
    let raised = raise(&two_peers(), LabOptions::new()).await.unwrap();
    let (_, links, _) = shell(&raised, "gateway", "ls /sys/class/net").await;
    assert_eq!(
        links.split_whitespace().collect::<Vec<_>>(),
        ["eth0", "eth1", "lo"]
    );
    let (_, links, _) = shell(&raised, "alice", "ls /sys/class/net").await;
    assert_eq!(links.split_whitespace().collect::<Vec<_>>(), ["eth0", "lo"]);

    // Containers have their programs from one file, which none of them can change.
    let inode = "stat -c %d:%i /usr/bin/bash";
    let (_, at_gateway, _) = shell(&raised, "gateway", inode).await;
    let (_, at_alice, _) = shell(&raised, "alice", inode).await;
    assert_eq!(at_gateway, at_alice);
    let (status, _, _) = shell(&raised, "alice", "touch /usr/bin/bash").await;
    assert_ne!(status, 0);

    let (_, status, _) = shell(
        &raised,
        "alice",
        "grep -E 'CapBnd|NoNewPrivs' /proc/1/status",
    )
    .await;
    // CAP_NET_ADMIN is capability 12.
    assert!(status.contains("CapBnd:\t0000000000001000"), "{status}");
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");

    let (_, forward, _) = shell(&raised, "gateway", "cat /proc/sys/net/ipv4/ip_forward").await;
    assert_eq!(forward, "1\n");
    let (_, name, _) = shell(&raised, "alice", "cat /etc/hostname").await;
    assert_eq!(name, "alice\n");

    let container = format!("farcall-{}-alice", raised.session);
    let found = raised
        .engine
        .docker
        .inspect_container(&container, None)
        .await
        .unwrap();
    let host = found.host_config.unwrap();
    assert_eq!(host.privileged, Some(false));
    assert_eq!(host.port_bindings.unwrap_or_default().len(), 0);
    raised.lab.remove().await.unwrap();
}
