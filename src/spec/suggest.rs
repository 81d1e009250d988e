//! "Did you mean": the closest of the words that are known.

/// The known word that `word` was probably meant to be.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    let long = word.chars().count();
    if long > 100 {
        return None;
    }
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, candidate)| {
            let long = long.max(candidate.chars().count());
            *distance <= long.div_ceil(4) && *distance * 2 <= long
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `a`, `b`, ...: the words, at most twelve.
pub fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.len() {
        0 => "none".into(),
        1..=14 => words.join(", "),
        more => format!("{} and {} more", words[..12].join(", "), more - 12),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_find_their_word_and_strangers_do_not() {
        let keys = ["weight", "priority", "backend", "eastus2", "b"];
        for (word, meant) in [
            ("wieght", Some("weight")),
            ("Weight", Some("weight")),
            ("eastus", Some("eastus2")),
            ("backends", Some("backend")),
            ("colour", None),
            ("x", None),
            ("a", None),
        ] {
            assert_eq!(closest(word, keys), meant, "{word}");
        }
    }
}
