//! Templates that other people published: known traps are found, and nothing that cannot be defended.

use super::*;

const PUBLISHED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/corpus/templates/published");

/// Codes with how often each is found in a published template; `None` where there are none.
#[allow(clippy::disallowed_methods)] // a test may read the disk
fn published(name: &str) -> Option<BTreeMap<String, usize>> {
    if !std::path::Path::new(PUBLISHED).exists() {
        assert!(std::env::var_os("CI").is_none(), "../shared/corpus/templates is not here");
        eprintln!("skipped: ../shared/corpus/templates is not here");
        return None;
    }
    let text = std::fs::read_to_string(format!("{PUBLISHED}/{name}.json")).expect("a template");
    let mut counts = BTreeMap::new();
    for problem in lint(&text) {
        assert!(problem.span.is_some_and(|span| text.get(span.start..span.end).is_some()), "{problem}");
        *counts.entry(problem.code.to_string()).or_default() += 1;
    }
    Some(counts)
}

#[test]
fn published_templates_have_the_traps_that_they_are_known_for() {
    let expected: [(&str, &[(&str, usize)]); 5] = [
        // traps 1, 4, 8, 9, 10, 15, 18, and the caller's key
        (
            "seed-a-quickstart",
            &[
                ("AL0831", 1),
                ("AL0839", 1),
                ("AL0840", 1),
                ("AL0841", 2),
                ("AL0843", 1),
                ("AL0844", 1),
                ("AL0845", 2),
                ("AL0848", 2),
            ],
        ),
        // the counter that turns twice, traps 18, 20, 27, 28
        (
            "seed-c-round-robin",
            &[
                ("AL0820", 1),
                ("AL0822", 1),
                ("AL0823", 1),
                ("AL0824", 1),
                ("AL0825", 1),
                ("AL0831", 1),
                ("AL0832", 1),
                ("AL0839", 1),
            ],
        ),
        // the cast, 51 attempts, Retry-After, a server with a variable, traps 15, 27
        (
            "openai-apim-lb",
            &[
                ("AL0821", 1),
                ("AL0824", 1),
                ("AL0828", 1),
                ("AL0829", 1),
                ("AL0830", 1),
                ("AL0831", 1),
                ("AL0832", 1),
                ("AL0848", 1),
                ("AL0849", 1),
            ],
        ),
        (
            "ai-gateway-advanced-load-balancing",
            &[
                ("AL0822", 1),
                ("AL0824", 1),
                ("AL0828", 1),
                ("AL0829", 1),
                ("AL0830", 1),
                ("AL0831", 1),
                ("AL0832", 1),
                ("AL0839", 1),
                ("AL0843", 1),
                ("AL0845", 1),
                ("AL0848", 1),
            ],
        ),
        // a diagnostic for language models with an api-version before it
        ("apim-samples-load-balancing", &[("AL0841", 1)]),
    ];
    for (name, codes) in expected {
        let Some(found) = published(name) else { return };
        let codes: BTreeMap<String, usize> = codes.iter().map(|(code, n)| ((*code).to_owned(), *n)).collect();
        assert_eq!(found, codes, "{name}");
    }
}

#[test]
#[allow(clippy::disallowed_methods)] // a test may read the disk
fn verified_modules_have_no_finding() {
    let folder = format!("{PUBLISHED}/../avm");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        assert!(std::env::var_os("CI").is_none(), "../shared/corpus/templates is not here");
        eprintln!("skipped: ../shared/corpus/templates is not here");
        return;
    };
    for entry in entries {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a template");
        assert_eq!(lint(&text), [], "{}", path.display());
    }
}
