//! The keys of a matrix file.

use super::{CellSource, ExpectedCell, ExpectedPath, Matrix, Network};
use crate::model::{Call, Expect};
use crate::read::{Node, Read};

impl Read for Matrix {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            name: String::new(),
            description: table.required("description", "description = \"Office against home\""),
            cells: table.optional("cells").unwrap_or_default(),
            networks: table.required("networks", "[[networks]]"),
        })
    }
}

impl Read for Network {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            name: table.required("name", "name = \"home\""),
            description: table.required("description", "description = \"A home router\""),
            site: table.required("site", "[networks.site]"),
            uses_proxy: table.optional("uses_proxy").unwrap_or_default(),
            logs_in: table.optional("logs_in").unwrap_or_default(),
            on_request: table.optional("on_request").unwrap_or_default(),
            connects: table.optional("connects").unwrap_or(true),
            media: table.optional("media").unwrap_or_default(),
            within_ms: table.optional_with("within_ms", |node| node.number(&Expect::WITHIN_MS)),
            gathering_timeout_ms: table.optional_with("gathering_timeout_ms", |node| {
                node.number(&Call::GATHERING_TIMEOUT_MS)
            }),
            media_ms: table.optional_with("media_ms", |node| node.number(&Call::MEDIA_MS)),
        })
    }
}

impl Read for ExpectedCell {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            offerer: table.required("offerer", "offerer = \"home\""),
            answerer: table.required("answerer", "answerer = \"office\""),
            path: table.required(
                "path",
                "path = { local = \"host\", remote = \"srflx\", protocol = \"udp\" }",
            ),
            source: table.required("source", "source = \"reasoned\""),
            here: table.optional("here"),
            because: table.optional("because"),
        })
    }
}

impl Read for ExpectedPath {
    fn read(node: Node<'_>) -> Self {
        node.table(|table| Self {
            local: table.required("local", "local = \"host\""),
            remote: table.required("remote", "remote = \"srflx\""),
            protocol: table.required("protocol", "protocol = \"udp\""),
        })
    }
}

impl Read for CellSource {
    fn read(node: Node<'_>) -> Self {
        node.word("source of an expectation")
            .unwrap_or(Self::Reasoned)
    }
}
