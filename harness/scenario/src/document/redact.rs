//! Hiding credentials in text that is shown in error messages. Every byte that is hidden becomes a
//! `*`, so that all places stay where they are.

use super::{Kind, Span, Value};

/// Whether what stands under a key may be shown: the key, and the value if it is text.
pub(crate) type MayShow = fn(&str, &str) -> bool;

/// The text with all values hidden that stand, at any depth, under a key for which `may_show` does
/// not hold. The whole document stands under the key `""`.
pub(crate) fn mask_values(text: &str, document: &Value, may_show: MayShow) -> String {
    let mut hidden = Vec::new();
    collect(document, "", false, may_show, &mut hidden);
    mask(text, hidden)
}

/// The text with everything hidden that follows a `#` and, by `sounds_secret`, may be a credential.
pub(crate) fn mask_comments(text: &str, sounds_secret: fn(&str) -> bool) -> String {
    let mut hidden = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        if let Some((before, comment)) = line.split_once('#')
            && sounds_secret(comment)
        {
            hidden.push(start + before.len() + 1..start + line.len());
        }
        start += line.len();
    }
    mask(text, hidden)
}

/// The text with all literals hidden but those in values that may be shown. Numbers and texts that stand, at any depth, under
/// a key for which `may_show` does not hold are hidden; so is whatever is in no value.
pub(crate) fn mask_literals(
    text: &str,
    literals: &[Span],
    document: Option<&Value>,
    may_show: MayShow,
) -> String {
    let mut shown = Vec::new();
    if let Some(document) = document {
        collect_shown(document, "", may_show, &mut shown);
    }
    shown.sort_by_key(|span| span.start);
    let may_show = |literal: &&Span| {
        let after = shown.partition_point(|span| span.start <= literal.start);
        let around = shown[..after].last();
        around.is_some_and(|span| literal.end <= span.end)
    };
    let hidden = literals.iter().filter(|literal| !may_show(literal));
    mask(text, hidden.cloned().collect())
}

fn collect_shown(value: &Value, key: &str, may_show: MayShow, shown: &mut Vec<Span>) {
    match &value.kind {
        Kind::List(values) => {
            for value in values {
                collect_shown(value, key, may_show, shown);
            }
        }
        Kind::Table(entries) => {
            let entries = entries.iter().filter(|entry| may_show(&entry.key, ""));
            for entry in entries {
                collect_shown(&entry.value, &entry.key, may_show, shown);
            }
        }
        Kind::Text(text) if may_show(key, text) => shown.push(value.span.clone()),
        Kind::Integer(_) | Kind::Fraction(_) if may_show(key, "") => {
            shown.push(value.span.clone());
        }
        _ => {}
    }
}

fn collect(value: &Value, key: &str, hide: bool, may_show: MayShow, hidden: &mut Vec<Span>) {
    match &value.kind {
        Kind::List(values) => {
            for value in values {
                collect(value, key, hide, may_show, hidden);
            }
        }
        Kind::Table(entries) => {
            for entry in entries {
                let hide = hide || !may_show(&entry.key, "");
                collect(&entry.value, &entry.key, hide, may_show, hidden);
            }
        }
        Kind::Text(text) if hide || !may_show(key, text) => {
            hidden.push(value.span.start + 1..value.span.end - 1);
        }
        Kind::Integer(_) | Kind::Fraction(_) | Kind::Bool(_) | Kind::Other(_)
            if hide || !may_show(key, "") =>
        {
            hidden.push(value.span.clone());
        }
        Kind::Text(_) | Kind::Integer(_) | Kind::Fraction(_) | Kind::Bool(_) | Kind::Other(_) => {}
    }
}

fn mask(text: &str, mut hidden: Vec<Span>) -> String {
    hidden.sort_by_key(|span| span.start);
    let mut spans = hidden.into_iter().peekable();
    let mut hidden_until = 0;
    let mut masked = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        while let Some(span) = spans.next_if(|span| span.start <= at) {
            hidden_until = hidden_until.max(span.end);
        }
        if at < hidden_until && !matches!(character, '\n' | '\r') {
            masked.extend(std::iter::repeat_n('*', character.len_utf8()));
        } else {
            masked.push(character);
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

    use super::*;
    use crate::document::parse_toml;

    #[test]
    fn values_that_may_not_be_shown_are_hidden_in_place() {
        let toml = "a = \"ü\"\nb = [\"é\", { a = 12 }]\nc = [{ a = \"shown\" }]\n";
        let document = parse_toml(toml).ok().unwrap();
        let masked = mask_values(toml, &document, |key, _| key != "b");
        assert_eq!(
            masked,
            "a = \"ü\"\nb = [\"**\", { a = ** }]\nc = [{ a = \"shown\" }]\n"
        );
        assert_eq!(masked.len(), toml.len());
    }

    #[test]
    fn literals_are_hidden_but_for_values_that_may_be_shown() {
        let toml = "a = \"ü\" # é\nb = [\"é\", { a = 12 }]\nc = [{ a = \"shown\" }]\n";
        let document = parse_toml(toml).ok().unwrap();
        let literal =
            |text: &'static str| toml.match_indices(text).map(|(at, _)| at..at + text.len());
        let literals: Vec<Span> = ["ü", "é", "12", "shown"]
            .into_iter()
            .flat_map(literal)
            .collect();
        let masked = mask_literals(toml, &literals, Some(&document), |key, _| key != "b");
        assert_eq!(
            masked,
            "a = \"ü\" # **\nb = [\"**\", { a = ** }]\nc = [{ a = \"shown\" }]\n"
        );
    }

    #[test]
    fn tables_with_their_own_header_are_hidden_too() {
        let toml = "[secret]\na = \"x\"\nb = \"\"\"\nx\"x\n\"\"\"\n";
        let document = parse_toml(toml).ok().unwrap();
        let masked = mask_values(toml, &document, |key, _| key != "secret");
        assert!(!masked.contains('x'), "{masked}");
        assert_eq!(masked.lines().count(), toml.lines().count());
    }

    #[test]
    fn comments_are_hidden_where_they_sound_secret() {
        let toml = "a = 1 # shown\nb = 2 # pass: hunter2\n# pass\n";
        let masked = mask_comments(toml, |comment| comment.contains("pass"));
        assert_eq!(masked, "a = 1 # shown\nb = 2 #**************\n#*****\n");
    }
}
