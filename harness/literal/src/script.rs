//! JavaScript and TypeScript: the literals that a program builds its configuration of.

mod collect;
mod resolve;

use crate::Span;
use crate::read::{Broken, Document, Language, Written};
use collect::{Candidate, Collected};
use oxc_allocator::Allocator;
use oxc_ast::ast::Program;
use oxc_parser::{Parser, ParserReturn};
use oxc_span::SourceType;
use resolve::Resolver;
use std::collections::BTreeSet;

/// The parser, and whoever walks what it gives, recurse as deep as the text is nested: at the worst once
/// for each of its bytes. Measured at 1 MiB of the costliest nesting there is.
const STACK_BYTES_FOR_EACH: usize = 4 * 1024;

/// What the rest of reading needs.
const STACK_BYTES: usize = 4 * 1024 * 1024;

/// What a snippet of a class is put into, so that it can be read by itself.
const CLASS: (&str, &str) = ("class C {", "}");

/// What a file must hold, where nothing in it is computed.
pub(crate) const LOOKED_FOR: &str =
    "looked for `iceServers: [...]`, and for lists of objects with `urls`";

pub(crate) fn read(text: &str, source_type: SourceType) -> Result<Document, Broken> {
    let stack_bytes = STACK_BYTES + text.len() * STACK_BYTES_FOR_EACH;
    let builder = std::thread::Builder::new().stack_size(stack_bytes);
    std::thread::scope(|scope| {
        let thread = builder.spawn_scoped(scope, || read_here(text, source_type));
        let read = thread.map(|thread| thread.join());
        read.map_err(|error| format!("no thread could be started to read it: {error}"))
            .and_then(|read| read.map_err(|_| "the parser gave up".to_owned()))
            .unwrap_or_else(|message| {
                Err(Broken {
                    message,
                    span: 0..0,
                })
            })
    })
}

fn read_here(text: &str, source_type: SourceType) -> Result<Document, Broken> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, source_type).parse();
    if parsed.errors.is_empty() && !parsed.panicked {
        return Ok(examine(&parsed.program, 0));
    }
    // A method by itself, as documentation shows it, is no program.
    let wrapped = format!("{}{text}{}", CLASS.0, CLASS.1);
    let of_class = Parser::new(&allocator, &wrapped, source_type).parse();
    if of_class.errors.is_empty() && !of_class.panicked {
        return Ok(examine(&of_class.program, CLASS.0.len()));
    }
    Err(broken(&parsed))
}

fn broken(parsed: &ParserReturn<'_>) -> Broken {
    let error = parsed.errors.first();
    let labels = error.and_then(|error| error.labels.as_ref());
    let label = labels.and_then(|labels| labels.first());
    Broken {
        message: error.map_or_else(
            || "the parser gave up".to_owned(),
            |error| error.message.to_string(),
        ),
        span: label.map_or(0..0, |label| label.offset()..label.offset() + label.len()),
    }
}

/// The configurations in a program. `shift` bytes stand before the text.
fn examine(program: &Program<'_>, shift: usize) -> Document {
    let mut collected = Collected::of(program, shift);
    let literals = std::mem::take(&mut collected.hidden);
    let mut resolver = Resolver::new(&collected);
    let mut seen = BTreeSet::new();
    let mut computed = Vec::new();
    let mut configurations = Vec::new();
    for candidate in &collected.candidates {
        let Some(servers) = resolver.list(candidate) else {
            computed.push(candidate.span.clone());
            continue;
        };
        let Candidate { name, span, .. } = candidate;
        let object = candidate.object.map(|object| resolver.object(object));
        let written = Written {
            name: name.clone(),
            span: span.clone(),
            servers,
            object,
            decided: resolver.take_decided(),
        };
        let policy = written.policy().map(|policy| policy.span.start);
        if seen.insert((written.servers.span.start, policy)) {
            configurations.push(written);
        }
    }
    configurations.sort_by_key(|written| written.span.start);
    Document {
        language: Language::Script,
        root: None,
        configurations,
        computed,
        literals,
    }
}

/// A span of the parser's.
fn span(span: oxc_span::Span, shift: usize) -> Span {
    let place = |at: u32| {
        usize::try_from(at)
            .unwrap_or_default()
            .saturating_sub(shift)
    };
    place(span.start)..place(span.end)
}
