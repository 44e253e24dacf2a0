//! A Markdown document in the making. Whatever it is given is text, never markup.

use pulldown_cmark::{Alignment, CowStr, Event, HeadingLevel, Options, Tag, TagEnd};

/// The parts so far.
#[derive(Debug, Default)]
pub(crate) struct Document {
    events: Vec<Event<'static>>,
}

impl Document {
    /// A heading; level 1 to 3.
    pub(crate) fn heading(&mut self, level: u8, text: &str) {
        let level = match level {
            1 => HeadingLevel::H1,
            2 => HeadingLevel::H2,
            _ => HeadingLevel::H3,
        };
        let start = Tag::Heading {
            level,
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        };
        self.within(start, TagEnd::Heading(level), text);
    }

    pub(crate) fn paragraph(&mut self, text: &str) {
        self.within(Tag::Paragraph, TagEnd::Paragraph, text);
    }

    /// A paragraph in bold.
    pub(crate) fn strong(&mut self, text: &str) {
        self.events.push(Event::Start(Tag::Paragraph));
        self.within(Tag::Strong, TagEnd::Strong, text);
        self.events.push(Event::End(TagEnd::Paragraph));
    }

    /// A list; nothing where it is empty.
    pub(crate) fn list(&mut self, items: &[String]) {
        if items.is_empty() {
            return;
        }
        self.events.push(Event::Start(Tag::List(None)));
        for item in items {
            self.within(Tag::Item, TagEnd::Item, item);
        }
        self.events.push(Event::End(TagEnd::List(false)));
    }

    pub(crate) fn table(&mut self, heads: &[&str], rows: impl IntoIterator<Item = Vec<String>>) {
        let alignments = vec![Alignment::None; heads.len()];
        self.events.push(Event::Start(Tag::Table(alignments)));
        self.events.push(Event::Start(Tag::TableHead));
        for head in heads {
            self.within(Tag::TableCell, TagEnd::TableCell, head);
        }
        self.events.push(Event::End(TagEnd::TableHead));
        for row in rows {
            self.events.push(Event::Start(Tag::TableRow));
            for cell in &row {
                self.within(Tag::TableCell, TagEnd::TableCell, cell);
            }
            self.events.push(Event::End(TagEnd::TableRow));
        }
        self.events.push(Event::End(TagEnd::Table));
    }

    /// The document.
    pub(crate) fn text(&self) -> std::io::Result<String> {
        let mut text = String::new();
        pulldown_cmark_to_cmark::cmark(self.events.iter(), &mut text, Options::ENABLE_TABLES)
            .map_err(std::io::Error::other)?;
        text.push('\n');
        Ok(text)
    }

    fn within(&mut self, start: Tag<'static>, end: TagEnd, text: &str) {
        // A line break would end what it stands in.
        let words: Vec<&str> = text.split_whitespace().collect();
        let text = Event::Text(CowStr::from(words.join(" ")));
        self.events
            .extend([Event::Start(start), text, Event::End(end)]);
    }
}
