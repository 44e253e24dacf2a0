//! All captures of stored runs as one file.

use crate::{ReportError, StoredRun};
use pcap_file::PcapError;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::pcapng::blocks::section_header::{SectionHeaderBlock, SectionHeaderOption};
use pcap_file::pcapng::{Block, PcapNgReader, PcapNgWriter};
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

/// Writes what was captured in all networks, in the order of time, with an interface for each capture point and a
/// comment that names it.
///
/// # Errors
/// When there is no capture, as of runs that passed; or one cannot be read.
pub(crate) fn pcapng(runs: &[&StoredRun], out: &mut dyn Write) -> Result<(), ReportError> {
    let mut all = Captured::default();
    let mut files = 0_usize;
    for run in runs {
        let of = match runs {
            [_] => String::new(),
            _ => format!(
                " ({} with {})",
                run.result.scenario, run.result.ice_configuration
            ),
        };
        for file in captures(run) {
            let path = run.directory.join(&file);
            let network = path.file_stem().unwrap_or_default().to_string_lossy();
            let read = all.read(&path, &format!("{network}{of}"));
            read.map_err(|source| ReportError::Captured {
                path: path.clone(),
                source,
            })?;
            files += 1;
        }
    }
    if files == 0 {
        let directories: Vec<String> = runs
            .iter()
            .map(|run| run.directory.display().to_string())
            .collect();
        return Err(ReportError::NoCapture {
            directories: directories.join(", "),
        });
    }
    write(runs, all, out).map_err(|source| ReportError::Render {
        format: "pcapng",
        source: std::io::Error::other(source),
    })
}

fn captures(run: &StoredRun) -> Vec<PathBuf> {
    let files = run.result.files.iter().map(Path::new);
    let captured = files.filter(|file| {
        file.starts_with("captures") && file.extension().is_some_and(|end| end == "pcapng")
    });
    captured.map(Path::to_owned).collect()
}

fn write(runs: &[&StoredRun], captured: Captured, out: &mut dyn Write) -> Result<(), PcapError> {
    let names = runs.iter().map(|run| {
        let result = &run.result;
        format!(
            "{} {} with {}, seed {}, session {}",
            result.verdict, result.scenario, result.ice_configuration, result.seed, result.session
        )
    });
    let names: Vec<String> = names.collect();
    let section = SectionHeaderBlock {
        options: vec![
            SectionHeaderOption::Comment(names.join("\n").into()),
            SectionHeaderOption::UserApplication(
                concat!("farcall ", env!("CARGO_PKG_VERSION")).into(),
            ),
        ],
        ..SectionHeaderBlock::default()
    };
    let mut writer = PcapNgWriter::with_section_header(out, section)?;
    for interface in captured.interfaces {
        writer.write_pcapng_block(interface)?;
    }
    for packet in captured.packets {
        writer.write_pcapng_block(packet)?;
    }
    Ok(())
}

/// Everything that was captured: some megabytes.
#[derive(Default)]
struct Captured {
    interfaces: Vec<InterfaceDescriptionBlock<'static>>,
    packets: Vec<EnhancedPacketBlock<'static>>,
}

impl Captured {
    /// Reads a file, and keeps all packets in the order of time: captures themselves are not always.
    fn read(&mut self, path: &Path, network: &str) -> Result<(), PcapError> {
        let file = File::open(path).map_err(PcapError::IoError)?;
        let mut reader = PcapNgReader::new(BufReader::new(file))?;
        let interfaces_before = u32::try_from(self.interfaces.len()).unwrap_or(u32::MAX);
        while let Some(block) = reader.next_block() {
            if let Block::EnhancedPacket(packet) = block? {
                self.packets.push(EnhancedPacketBlock {
                    interface_id: packet.interface_id + interfaces_before,
                    ..packet.into_owned()
                });
            }
        }
        let interfaces = reader.interfaces().iter();
        self.interfaces
            .extend(interfaces.map(|at| named(at, network)));
        self.packets.sort_by_key(|packet| packet.timestamp);
        Ok(())
    }
}

/// An interface with a comment that says where it is.
fn named(
    interface: &InterfaceDescriptionBlock<'static>,
    network: &str,
) -> InterfaceDescriptionBlock<'static> {
    let (mut node, mut name) = ("", "");
    for option in &interface.options {
        match option {
            InterfaceDescriptionOption::IfDescription(text) => node = text,
            InterfaceDescriptionOption::IfName(text) => name = text,
            _ => {}
        }
    }
    let comment = format!("captured at interface {name} of {node}, in network {network}");
    let shown = format!("{node}/{name}");
    let kept = interface.options.iter().filter(|option| {
        !matches!(
            option,
            InterfaceDescriptionOption::IfName(_) | InterfaceDescriptionOption::Comment(_)
        )
    });
    let added = [
        InterfaceDescriptionOption::Comment(comment.into()),
        InterfaceDescriptionOption::IfName(shown.into()),
    ];
    InterfaceDescriptionBlock {
        options: added.into_iter().chain(kept.cloned()).collect(),
        ..interface.clone()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::RunDirectory;
    use crate::capture::tests::captured;
    use crate::stored::tests::{about, stored};
    use farcall_verdict::sample::Sample;

    fn run_with_captures(out: &tempfile::TempDir) -> StoredRun {
        let run = stored(out, &about(), &Sample::not_connected());
        let directory = RunDirectory::at(&run.directory);
        let office = vec![
            captured("alice", "lan", &[5, 1]),
            captured("office-gateway", "lan", &[2, 6]),
        ];
        directory.write_capture("office-lan", office).unwrap();
        let internet = vec![captured("office-gateway", "wan", &[3, 4, 7])];
        directory.write_capture("internet", internet).unwrap();
        StoredRun::load(&run.directory).unwrap()
    }

    #[test]
    fn packets_of_all_networks_are_in_the_order_of_time_and_keep_their_place() {
        let out = tempfile::tempdir().unwrap();
        let run = run_with_captures(&out);
        let mut bytes = Vec::new();
        pcapng(&[&run], &mut bytes).unwrap();
        let mut reader = PcapNgReader::new(bytes.as_slice()).unwrap();
        let mut packets = Vec::new();
        while let Some(block) = reader.next_block() {
            if let Block::EnhancedPacket(packet) = block.unwrap() {
                packets.push((packet.timestamp.as_millis(), packet.interface_id));
            }
        }
        let expected = [(1, 1), (2, 2), (3, 0), (4, 0), (5, 1), (6, 2), (7, 0)];
        assert_eq!(packets, expected);
        let comments: Vec<String> = reader
            .interfaces()
            .iter()
            .flat_map(|interface| &interface.options)
            .filter_map(|option| match option {
                InterfaceDescriptionOption::Comment(text) => Some(text.to_string()),
                _ => None,
            })
            .collect();
        assert_eq!(
            comments,
            [
                "captured at interface wan of office-gateway, in network internet",
                "captured at interface lan of alice, in network office-lan",
                "captured at interface lan of office-gateway, in network office-lan",
            ]
        );
    }

    #[test]
    fn a_run_without_captures_says_so() {
        let out = tempfile::tempdir().unwrap();
        let run = stored(&out, &about(), &Sample::good());
        let error = pcapng(&[&run], &mut Vec::new()).unwrap_err().to_string();
        assert!(error.contains("did not pass"), "{error}");
    }
}
