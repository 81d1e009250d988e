//! "Did you mean": the closest of the words that are known.

/// The known word that `word` was probably meant to be.
///
/// Terraform and Bicep write `resource_group_name` and `api-version` for what is `resourceGroup` and `apiVersion` here.
pub fn closest<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Option<&'a str> {
    let long = word.chars().count();
    if long > 100 {
        return None;
    }
    let joined = joined(word);
    let bare = ["name", "id"].iter().find_map(|ending| joined.strip_suffix(ending)).unwrap_or(&joined);
    let same = |candidate: &&str| [joined.as_str(), bare].contains(&candidate.to_lowercase().as_str());
    if let Some(same) = known.clone().into_iter().find(|candidate| joined.len() > 1 && same(candidate)) {
        return Some(same);
    }
    let lower = word.to_lowercase();
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

/// In lower case, without what joins words.
fn joined(word: &str) -> String {
    word.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).collect::<String>().to_lowercase()
}

/// `a`, `b`, ...: the words, at most sixteen.
pub fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.len() {
        0 => "none".into(),
        1..=16 => words.join(", "),
        more => format!("{} and {} more", words[..14].join(", "), more - 14),
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
            ("-", None),
        ] {
            assert_eq!(closest(word, keys), meant, "{word}");
        }
    }

    #[test]
    fn words_of_other_tools_find_theirs() {
        let keys = ["resourceGroup", "subscription", "location", "tripDuration", "name"];
        for (word, meant) in [
            ("resource_group_name", Some("resourceGroup")),
            ("resource-group", Some("resourceGroup")),
            ("subscriptionId", Some("subscription")),
            ("trip_duration", Some("tripDuration")),
            ("Name", Some("name")),
            ("apim_name", None),
        ] {
            assert_eq!(closest(word, keys), meant, "{word}");
        }
    }
}
