//! The images, made and used on the Docker of this machine.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType};
use bollard::query_parameters::{
    CreateContainerOptions, ListContainersOptionsBuilder, LogsOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveImageOptions, RemoveVolumeOptions, StartContainerOptions,
    WaitContainerOptions,
};
use farcall_lab::doctor::{Status, examine};
use farcall_lab::engine::Engine;
use farcall_lab::images::{Progress, SharedFiles, agent_image, base_image, base_reference};
use futures::StreamExt;

/// Whoever makes an agent's image removes old ones, among them what another test has just made.
static AGENT_IMAGES: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

async fn engine() -> Engine {
    match Engine::connect().await {
        Ok(engine) => engine,
        Err(error) => panic!("this test needs Docker:\n{error}"),
    }
}

/// Runs `command` in a container of `image` without any network; its status and its output.
async fn run(engine: &Engine, image: &str, command: &[&str]) -> (i64, String) {
    run_with(engine, image, Vec::new(), command).await
}

/// As [`run`], with these volumes.
async fn run_with(
    engine: &Engine,
    image: &str,
    mounts: Vec<Mount>,
    command: &[&str],
) -> (i64, String) {
    let docker = &engine.docker;
    let config = ContainerCreateBody {
        image: Some(image.to_owned()),
        cmd: Some(command.iter().map(|&word| word.to_owned()).collect()),
        labels: Some(HashMap::from([("farcall".to_owned(), "test".to_owned())])),
        host_config: Some(HostConfig {
            network_mode: Some("none".to_owned()),
            mounts: Some(mounts),
            ..HostConfig::default()
        }),
        ..ContainerCreateBody::default()
    };
    let created = docker
        .create_container(None::<CreateContainerOptions>, config)
        .await
        .unwrap();
    let started = docker
        .start_container(&created.id, None::<StartContainerOptions>)
        .await;
    let ended = docker
        .wait_container(&created.id, None::<WaitContainerOptions>)
        .next()
        .await;
    let status = match ended {
        Some(Ok(ended)) => ended.status_code,
        Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => code,
        other => panic!("{command:?}: {other:?} after {started:?}"),
    };
    let options = LogsOptionsBuilder::default().stdout(true).stderr(true);
    let logs = docker.logs(&created.id, Some(options.build()));
    let output = logs
        .map(|chunk| chunk.unwrap().to_string())
        .collect::<String>()
        .await;
    let options = RemoveContainerOptionsBuilder::default().force(true).build();
    docker
        .remove_container(&created.id, Some(options))
        .await
        .unwrap();
    (status, output)
}

#[tokio::test]
async fn every_tool_of_the_base_image_runs() {
    let engine = engine().await;
    let image = base_image(&engine, &|_| {}).await.unwrap();
    assert_eq!(image.reference, base_reference());
    for (command, says) in [
        ("turnserver --version", "4."),
        ("turnadmin -h", "Usage: turnadmin"),
        ("nft --version", "nftables v1"),
        ("ip -V", "iproute2"),
        ("conntrack --version", "conntrack-tools"),
        ("tcpdump --version", "libpcap"),
        ("dnsmasq --version", "Dnsmasq version"),
        ("tc -V", "tc utility"),
        (
            "sh -c [ ! -e /usr/share/doc/coturn/changelog.Debian.gz ]",
            "",
        ),
    ] {
        let words: Vec<_> = command.splitn(3, ' ').collect();
        let (_, output) = run(&engine, &image.reference, &words).await;
        assert!(output.contains(says), "{command}: {output}");
    }
}

#[tokio::test]
async fn builders_at_the_same_time_get_the_same_agent() {
    let _alone = AGENT_IMAGES.lock().await;
    let engine = engine().await;
    // Every executable serves; this one says what it was given.
    let executable = Path::new("/bin/echo");
    let steps = Mutex::new(Vec::new());
    let note = |progress| {
        if let Progress::Step(step) = progress {
            steps.lock().unwrap().push(step);
        }
    };
    let (first, second) = tokio::join!(
        agent_image(&engine, executable, &note),
        agent_image(&engine, executable, &note),
    );
    let image = first.unwrap();
    assert_eq!(image, second.unwrap());
    assert!(image.reference.starts_with("farcall-agent:"));

    let command: Vec<_> = image.command.iter().map(String::as_str).collect();
    let (status, output) = run(&engine, &image.reference, &command).await;
    assert_eq!((status, output.as_str()), (0, "agent\n"));

    // The tools of the base image are there too.
    let (status, _) = run(&engine, &image.reference, &["nft", "--version"]).await;
    assert_eq!(status, 0);

    // What is there is not made again.
    steps.lock().unwrap().clear();
    agent_image(&engine, executable, &note).await.unwrap();
    assert!(steps.lock().unwrap().is_empty());
}

/// What is shared, as a container of this test has it: writable.
fn mounts(shared: &[SharedFiles]) -> Vec<Mount> {
    let mount = |files: &SharedFiles| Mount {
        typ: Some(MountType::VOLUME),
        source: Some(files.volume.clone()),
        target: Some(files.directory.clone()),
        ..Mount::default()
    };
    shared.iter().map(mount).collect()
}

#[tokio::test]
async fn what_containers_share_is_whole_whatever_became_of_it() {
    let _alone = AGENT_IMAGES.lock().await;
    let engine = engine().await;
    let executable = Path::new("/bin/true");
    let image = agent_image(&engine, executable, &|_| {}).await.unwrap();
    let directories: Vec<_> = image.shared.iter().map(|one| &one.directory).collect();
    assert_eq!(directories, ["/usr", "/farcall"]);
    let inode = ["stat", "-c", "%d:%i", "/farcall/bin/farcall"];
    let (_, of_one) = run_with(&engine, &image.reference, mounts(&image.shared), &inode).await;
    let (_, of_other) = run_with(&engine, &image.reference, mounts(&image.shared), &inode).await;
    assert_eq!(of_one, of_other);

    // A volume that was filled by half, when the engine stopped, is not known to be whole.
    let volume = &image.shared[1].volume;
    let remove = ["rm", "/farcall/bin/farcall"];
    run_with(&engine, &image.reference, mounts(&image.shared), &remove).await;
    let whole = format!("{volume}-whole");
    let unmark = engine
        .docker
        .remove_volume(&whole, None::<RemoveVolumeOptions>);
    unmark.await.unwrap();
    let (first, second) = tokio::join!(
        agent_image(&engine, executable, &|_| {}),
        agent_image(&engine, executable, &|_| {}),
    );
    assert_eq!(
        (first.unwrap(), second.unwrap()),
        (image.clone(), image.clone())
    );
    let command: Vec<_> = image.command.iter().map(String::as_str).collect();
    let ran = run_with(&engine, &image.reference, mounts(&image.shared), &command).await;
    assert_eq!(ran, (0, String::new()));

    // Somebody tidies up, and leaves the mark.
    let removed = engine
        .docker
        .remove_volume(volume, None::<RemoveVolumeOptions>);
    removed.await.unwrap();
    let again = agent_image(&engine, executable, &|_| {}).await.unwrap();
    let ran = run_with(&engine, &again.reference, mounts(&again.shared), &command).await;
    assert_eq!(ran, (0, String::new()));

    // An image that was removed by force leaves its volume behind, until the next is built.
    let remove = async |image: &str| {
        let force = RemoveImageOptions {
            force: true,
            ..RemoveImageOptions::default()
        };
        engine
            .docker
            .remove_image(image, Some(force), None)
            .await
            .unwrap();
    };
    remove(&image.reference).await;
    assert!(engine.docker.inspect_volume(volume).await.is_ok());
    let anew = agent_image(&engine, executable, &|_| {}).await.unwrap();
    assert_ne!(anew.shared[1].volume, *volume);
    assert!(engine.docker.inspect_volume(volume).await.is_err());
    assert!(engine.docker.inspect_volume(&whole).await.is_err());
    remove(&anew.reference).await;
    let containers = ListContainersOptionsBuilder::default().all(true).build();
    let containers = engine.docker.list_containers(Some(containers)).await;
    let names = containers.unwrap().into_iter().flat_map(|one| one.names);
    assert!(!names.flatten().any(|name| name.contains(volume)));
}

#[tokio::test]
async fn the_doctor_finds_this_machine_fit() {
    let engine = engine().await;
    base_image(&engine, &|_| {}).await.unwrap();
    let findings = examine(None).await;
    let names: Vec<_> = findings.iter().map(|finding| finding.name).collect();
    assert_eq!(
        names,
        [
            "docker",
            "platform",
            "disk",
            "image source",
            "base image",
            "kernel",
            "tun"
        ]
    );
    for finding in findings {
        assert_ne!(finding.status, Status::Problem, "{finding:?}");
    }
}
