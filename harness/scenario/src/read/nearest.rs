//! The word that was probably meant.

/// How far, of 1, a word may be from another to be taken for it.
const LIKENESS: f64 = 0.75;

/// How like two words are, whatever their case, of 1.
pub(crate) fn likeness(word: &str, other: &str) -> f64 {
    strsim::jaro_winkler(&word.to_lowercase(), other)
}

/// The known word that is most like this one, if any is like it.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (likeness(word, candidate), candidate))
        .filter(|(likeness, _)| *likeness >= LIKENESS)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, candidate)| candidate)
}

/// A hint with the word that was probably meant, and all that there are.
pub(crate) fn did_you_mean<'a>(
    word: &str,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    let all = known.clone().into_iter();
    let all: Vec<_> = all.map(|word| format!("`{word}`")).collect();
    let all = all.join(", ");
    match nearest(word, known) {
        Some(meant) => format!("did you mean `{meant}`? There are: {all}"),
        None => format!("there are: {all}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_finger_is_recognised() {
        let known = ["open", "corporate", "tls-only"];
        assert_eq!(nearest("coporate", known), Some("corporate"));
        assert_eq!(nearest("TLS_only", known), Some("tls-only"));
        assert_eq!(nearest("blue", known), None);
    }

    #[test]
    fn what_is_like_nothing_gets_the_list() {
        assert_eq!(did_you_mean("xyz", ["a", "b"]), "there are: `a`, `b`");
    }
}
