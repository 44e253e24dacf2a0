//! From the text of a file to the configurations in it.

use crate::configuration::Configuration;
use crate::mask::Mask;
use crate::place::Lines;
use farcall_literal::{Document, SyntaxError};

/// What stands in a file.
pub(crate) struct Reading {
    pub configurations: Vec<Configuration>,
    /// What of the text may not be shown.
    pub mask: Mask,
}

/// Why a text cannot be examined. Nothing of the text is repeated in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, miette::Diagnostic)]
pub enum ReadError {
    /// The text is not in the language that the file's name promises.
    #[error("failed to read {file} at line {line}, column {column}: {source}")]
    #[diagnostic(help("{hint}"))]
    Syntax {
        /// The file, as it was named.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What the parser says.
        source: SyntaxError,
        /// What to do.
        hint: &'static str,
    },
    /// There is no ICE configuration in it.
    #[error("failed to find an ICE configuration in {file}")]
    #[diagnostic(help("{hint}"))]
    NoConfiguration {
        /// The file, as it was named.
        file: String,
        /// What was looked for.
        hint: String,
    },
}

/// The configurations in a file, of which there is at least one. The file's name says its language.
pub(crate) fn read(file: &str, text: &str) -> Result<Reading, ReadError> {
    let document =
        farcall_literal::read(file, text).map_err(|source| syntax(file, text, source))?;
    if document.configurations.is_empty() {
        return Err(ReadError::NoConfiguration {
            file: file.to_owned(),
            hint: looked_for(text, &document),
        });
    }
    let written = document.configurations.iter();
    let configurations: Vec<Configuration> = written.map(Configuration::read).collect();
    let mut mask = Mask::new(document.literals);
    for configuration in &configurations {
        mask.show(configuration);
    }
    Ok(Reading {
        configurations,
        mask,
    })
}

/// What was looked for in vain, and what was found that cannot be read.
fn looked_for(text: &str, document: &Document) -> String {
    let Some(first) = document.computed.first() else {
        return document.language.looked_for();
    };
    let line = Lines::new(text).place(first).line;
    format!(
        "`iceServers` in line {line} is computed when the program runs, and only what is written in the file can be \
         examined: name the file in which its entries are written, or save what it comes to as JSON"
    )
}

fn syntax(file: &str, text: &str, source: SyntaxError) -> ReadError {
    let (line, column) = Lines::new(text).line_and_column(source.span.start);
    ReadError::Syntax {
        file: file.to_owned(),
        line,
        column,
        source,
        hint: "the text is not shown here, for it may hold credentials",
    }
}
