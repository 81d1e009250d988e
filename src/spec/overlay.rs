//! What changes the tree before it is checked: `--env`, `--set`, `${VAR}`.
//!
//! Order: the environment's merge patch, then what the command line sets, then variables, and only in what the file
//! says: what the command line sets stands as it is. So a variable that is overridden need not exist.

use super::suggest;
use super::yaml::{Entry, Node, Value, item, join, plain};
use crate::diagnostic::{Diagnostic, Span, code};

/// Takes `environments` out and merges the chosen one. Of the others only the form is checked.
pub fn environment(root: &mut Node, chosen: Option<&str>, out: &mut Vec<Diagnostic>) {
    let nothing = Entry { key: String::new(), key_span: None, node: Node { value: Value::Null, span: None } };
    let Entry { key_span, node, .. } = root.take("environments").unwrap_or(nothing);
    let mut report = |why: String, path: &str, span: Option<Span>, help: String| {
        out.push(Diagnostic { span, ..Diagnostic::new(code::BAD_ENVIRONMENT, why).at(path).help(help) });
    };
    let environments = match node.value {
        Value::Map(entries) => entries,
        Value::Null => Vec::new(),
        _ => {
            let help = "write a mapping: a name, and under it the keys that differ";
            return report("`environments` is no mapping".into(), "environments", key_span, help.into());
        }
    };
    for Entry { key, key_span, node } in &environments {
        let path = join("environments", key);
        if key.len() > 40 || !key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            let why = format!("{} is no name of an environment", super::check::shown(key));
            report(why, &path, *key_span, "use up to 40 letters, digits and hyphens".into());
        } else if node.entry("environments").is_some() {
            let help = "write each environment beside the others";
            report(format!("the environment `{key}` holds environments"), &path, *key_span, help.into());
        } else if !matches!(node.value, Value::Map(_) | Value::Null) {
            let help = "write the keys that differ, as they stand at the top of the spec";
            report(format!("the environment `{key}` is no mapping"), &path, *key_span, help.into());
        } else if Some(key.as_str()) == chosen {
            merge(root, node);
        }
    }
    let known = || environments.iter().map(|entry| entry.key.as_str());
    if let Some(name) = chosen.filter(|name| !known().any(|known| known == *name)) {
        let help = match suggest::closest(name, known()) {
            Some(meant) => format!("use `--env {meant}`"),
            None if environments.is_empty() => format!("define it: `environments: {{ {name}: {{ ... }} }}`"),
            None => format!("use one of {}, or define it under `environments`", suggest::list(known())),
        };
        report(format!("the spec has no environment `{name}`"), "environments", key_span, help);
    }
}

/// JSON merge patch (RFC 7396): mappings are merged, null removes, all else replaces.
fn merge(target: &mut Node, patch: &Node) {
    let (Value::Map(entries), Value::Map(changes)) = (&mut target.value, &patch.value) else {
        if patch.value != Value::Null {
            *target = stripped(patch);
        }
        return;
    };
    for change in changes {
        match entries.iter().position(|entry| entry.key == change.key) {
            Some(at) if change.node.value == Value::Null => {
                entries.remove(at);
            }
            Some(at) => {
                let both = matches!((&entries[at].node.value, &change.node.value), (Value::Map(_), Value::Map(_)));
                if both {
                    merge(&mut entries[at].node, &change.node);
                } else {
                    entries[at] = Entry { node: stripped(&change.node), ..change.clone() };
                }
            }
            None if change.node.value == Value::Null => {}
            None => entries.push(Entry { node: stripped(&change.node), ..change.clone() }),
        }
    }
}

/// A patch that replaces loses its nulls, as RFC 7396 says.
fn stripped(patch: &Node) -> Node {
    let value = match &patch.value {
        Value::Map(entries) => Value::Map(
            entries
                .iter()
                .filter(|entry| entry.node.value != Value::Null)
                .map(|entry| Entry { node: stripped(&entry.node), ..entry.clone() })
                .collect(),
        ),
        other => other.clone(),
    };
    Node { value, span: patch.span }
}

/// Sets one value: `path` as diagnostics name keys, `text` a plain scalar.
pub fn set(root: &mut Node, path: &str, text: &str) -> Result<(), Diagnostic> {
    let wrong = |why: String| {
        Diagnostic::new(code::BAD_SET, format!("`--set {path}=...`: {why}")).help(
            "name the key as messages do, as `pools.gpt-4.1.members[0].weight`; quote a word with dots: a.\"b.c\"",
        )
    };
    let mut node = root;
    let mut rest = path;
    let mut done = String::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('[') {
            let Some((index, after)) = after.split_once(']') else { return Err(wrong("a `[` is never closed".into())) };
            let Value::Seq(items) = &mut node.value else { return Err(wrong(format!("`{done}` is no list"))) };
            let long = items.len();
            let index: usize = index.parse().map_err(|_| wrong(format!("`{index}` is no index")))?;
            let Some(found) = items.get_mut(index) else { return Err(wrong(format!("`{done}` has {long} items"))) };
            (node, done) = (found, item(&done, index));
            rest = after.strip_prefix('.').unwrap_or(after);
            continue;
        }
        if matches!(node.value, Value::Null | Value::Hole) {
            *node = Node { value: Value::Map(Vec::new()), span: None };
        }
        let Value::Map(entries) = &mut node.value else { return Err(wrong(format!("`{done}` is no mapping"))) };
        let keys: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
        let Some((key, after)) = word(rest, &keys) else { return Err(wrong("a word is missing".into())) };
        let (key, after) = (key.to_string(), after);
        done = join(&done, &key);
        let at = entries.iter().position(|entry| entry.key == key).unwrap_or_else(|| {
            entries.push(Entry { key, key_span: None, node: Node { value: Value::Null, span: None } });
            entries.len() - 1
        });
        node = &mut entries[at].node;
        rest = after;
    }
    if done.is_empty() {
        return Err(wrong("no key is named".into()));
    }
    if matches!(node.value, Value::Map(_) | Value::Seq(_)) {
        return Err(wrong(format!("`{done}` holds more than one value")));
    }
    *node = Node { value: plain(text), span: None };
    Ok(())
}

/// The first word of a path, and what follows. Words may hold dots: the longest known key wins.
fn word<'a>(path: &'a str, known: &[&str]) -> Option<(&'a str, &'a str)> {
    let ends = |after: &str| after.is_empty() || after.starts_with(['.', '[']);
    let (word, after) = if let Some(quoted) = path.strip_prefix('"') {
        quoted.split_once('"').filter(|(_, after)| ends(after))?
    } else {
        let key = known
            .iter()
            .filter(|key| path.strip_prefix(**key).is_some_and(ends))
            .max_by_key(|key| key.len())
            .map(|key| key.len());
        path.split_at(key.unwrap_or_else(|| path.find(['.', '[']).unwrap_or(path.len())))
    };
    let after = match after.strip_prefix('.') {
        Some("") => return None,
        Some(after) => after,
        None => after,
    };
    (!word.is_empty()).then_some((word, after))
}

/// Replaces `${VAR}` and `${VAR:-default}` in every value of the file; `$${` stands for `${`.
pub fn variables(node: &mut Node, path: &str, get: &dyn Fn(&str) -> Option<String>, out: &mut Vec<Diagnostic>) {
    match &mut node.value {
        Value::Seq(items) => {
            items.iter_mut().enumerate().for_each(|(index, node)| variables(node, &item(path, index), get, out));
        }
        Value::Map(entries) => {
            entries.iter_mut().for_each(|entry| variables(&mut entry.node, &join(path, &entry.key), get, out));
        }
        Value::Plain(text) | Value::Quoted(text) if node.span.is_some() && text.contains("${") => {
            let (text, quoted) = (std::mem::take(text), matches!(node.value, Value::Quoted(_)));
            node.value = match substitute(&text, get) {
                // wholly one variable: read again, as if its value stood here
                Ok((value, true)) if !quoted => plain(value.trim()),
                Ok((value, _)) if quoted => Value::Quoted(value),
                Ok((value, _)) => Value::Plain(value),
                Err(problem) => {
                    out.push(Diagnostic { span: node.span, ..problem.at(path) });
                    Value::Hole
                }
            };
        }
        _ => {}
    }
}

/// The text with its variables replaced, and whether it was wholly one.
fn substitute(text: &str, get: &dyn Fn(&str) -> Option<String>) -> Result<(String, bool), Diagnostic> {
    let malformed = |why: String| {
        Diagnostic::new(code::BAD_VARIABLE, why)
            .help("write `${NAME}` or `${NAME:-default}`, and `$${` where `${` itself is meant")
    };
    let (mut read, mut rest, mut whole) = (String::new(), text, false);
    while let Some(at) = rest.find("${") {
        let before = &rest[..at];
        if let Some(before) = before.strip_suffix('$') {
            read.push_str(before);
            read.push_str("${");
            rest = &rest[at + 2..];
            continue;
        }
        read.push_str(before);
        let Some((inner, after)) = rest[at + 2..].split_once('}') else {
            return Err(malformed("a `${` is never closed".into()));
        };
        let (name, default) = match inner.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inner, None),
        };
        let named = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !named {
            return Err(malformed(format!("{} is no name of a variable", super::check::shown(name))));
        }
        if default.is_some_and(|default| default.contains("${")) {
            return Err(malformed(format!("the default of `{name}` holds another variable")));
        }
        let value = match (get(name), default) {
            (Some(value), Some(default)) if value.is_empty() => default.into(),
            (Some(value), _) => value,
            (None, Some(default)) => default.into(),
            (None, None) => {
                return Err(Diagnostic::new(code::MISSING_VARIABLE, format!("the variable `{name}` is not set"))
                    .help(format!("set it in the environment, or give a default: ${{{name}:-...}}")));
            }
        };
        whole = before.is_empty() && at == 0 && read.is_empty() && rest.len() == text.len() && after.is_empty();
        read.push_str(&value);
        rest = after;
    }
    read.push_str(rest);
    Ok((read, whole))
}

#[cfg(test)]
mod tests {
    use super::super::yaml::parse;
    use super::*;

    fn tree(text: &str) -> Node {
        parse(text).0.expect("a tree")
    }

    /// The tree without places, as one line.
    fn flat(node: &Node) -> String {
        match &node.value {
            Value::Map(entries) => {
                let entries: Vec<String> = entries.iter().map(|e| format!("{}: {}", e.key, flat(&e.node))).collect();
                format!("{{{}}}", entries.join(", "))
            }
            Value::Seq(items) => format!("[{}]", items.iter().map(flat).collect::<Vec<_>>().join(", ")),
            Value::Plain(text) => text.clone(),
            Value::Quoted(text) => format!("'{text}'"),
            Value::Null => "null".into(),
            Value::Bool(word) => word.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => format!("{number:?}"),
            Value::Hole => "?".into(),
        }
    }

    #[test]
    fn variables_are_read_again_only_where_they_stand_alone_and_unquoted() {
        let get = |name: &str| match name {
            "N" => Some("7".to_string()),
            "T" => Some("true".into()),
            "E" => Some(String::new()),
            _ => None,
        };
        for (text, result) in [
            ("a: ${N}", "{a: 7}"),
            ("a: '${N}'", "{a: '7'}"),
            ("a: x-${N}", "{a: x-7}"),
            ("a: ${N}${N}", "{a: 77}"),
            ("a: ${T}", "{a: true}"),
            ("a: ${E}", "{a: null}"),
            ("a: ${E:-5}", "{a: 5}"),
            ("a: ${M:-x y}", "{a: x y}"),
            ("a: ${M:-}", "{a: null}"),
            ("a: $${N}", "{a: ${N}}"),
            ("a: $N $", "{a: $N $}"),
            ("a: [x, {b: '${N}-${T}'}]", "{a: [x, {b: '7-true'}]}"),
        ] {
            let (mut root, mut problems) = (tree(text), Vec::new());
            variables(&mut root, "", &get, &mut problems);
            assert_eq!((flat(&root).as_str(), problems.len()), (result, 0), "{text}");
        }
        // two variables side by side are text, although the text looks like a number
        let mut root = tree("a: ${N}${N}");
        variables(&mut root, "", &get, &mut Vec::new());
        assert_eq!(root.entry("a").map(|a| a.node.value.clone()), Some(Value::Plain("77".into())));
    }

    #[test]
    fn what_is_wrong_with_a_variable_is_said_at_its_place() {
        for (text, code, says) in [
            ("a: ${M}", code::MISSING_VARIABLE, "`M` is not set"),
            ("a: ${M", code::BAD_VARIABLE, "never closed"),
            ("a: ${1M}", code::BAD_VARIABLE, "no name"),
            ("a: ${}", code::BAD_VARIABLE, "no name"),
            ("a: ${A:-${B}}", code::BAD_VARIABLE, "another variable"),
        ] {
            let (mut root, mut problems) = (tree(text), Vec::new());
            variables(&mut root, "", &|_| None, &mut problems);
            assert_eq!(problems.len(), 1, "{text}");
            assert_eq!((problems[0].code, problems[0].key.as_deref()), (code, Some("a")), "{text}");
            assert_eq!(problems[0].span.map(|span| span.start), Some(3), "{text}");
            assert!(problems[0].message.contains(says), "{text}: {}", problems[0].message);
        }
    }

    #[test]
    fn an_environment_is_a_merge_patch() {
        let text =
            "a: {b: 1, c: 2, d: [1, 2]}\nenvironments:\n  dev: {a: {b: 3, c: null, d: [9]}, e: {f: 1, g: null}}\n";
        let merged = |chosen| {
            let (mut root, mut problems) = (tree(text), Vec::new());
            environment(&mut root, chosen, &mut problems);
            (flat(&root), problems)
        };
        assert_eq!(merged(None), ("{a: {b: 1, c: 2, d: [1, 2]}}".into(), vec![]));
        assert_eq!(merged(Some("dev")), ("{a: {b: 3, d: [9]}, e: {f: 1}}".into(), vec![]));
        let (_, problems) = merged(Some("dve"));
        assert_eq!((problems[0].code, problems[0].help.as_deref()), (code::BAD_ENVIRONMENT, Some("use `--env dev`")));
        for text in [
            "environments: 1",
            "environments: {dev: 1}",
            "environments: {d_v: {}, dev: {}}",
            "environments: {dev: {environments: {}}}",
        ] {
            let (mut root, mut problems) = (tree(text), Vec::new());
            environment(&mut root, Some("dev"), &mut problems);
            assert_eq!(problems[0].code, code::BAD_ENVIRONMENT, "{text}");
        }
    }

    #[test]
    fn the_command_line_sets_values_by_key() {
        let text = "pools: {gpt-4.1: {members: [{weight: 1}, {weight: 2}]}, gpt-4: {x: 1}}\nempty:\n";
        let get = |path: &str, value: &str| {
            let mut root = tree(text);
            set(&mut root, path, value).map(|()| flat(&root))
        };
        let rest = "gpt-4: {x: 1}}, empty: null}";
        for (path, value, result) in [
            (
                "pools.gpt-4.1.members[1].weight",
                "9",
                format!("{{pools: {{gpt-4.1: {{members: [{{weight: 1}}, {{weight: 9}}]}}, {rest}"),
            ),
            (
                "pools.\"a.b\".c",
                "x",
                "{pools: {gpt-4.1: {members: [{weight: 1}, {weight: 2}]}, gpt-4: {x: 1}, a.b: {c: x}}, empty: null}"
                    .into(),
            ),
            (
                "empty.a",
                "",
                "{pools: {gpt-4.1: {members: [{weight: 1}, {weight: 2}]}, gpt-4: {x: 1}}, empty: {a: null}}".into(),
            ),
        ] {
            assert_eq!(get(path, value), Ok(result), "{path}");
        }
        for path in [
            "",
            ".",
            "a.",
            "pools.gpt-4.1.members[2].weight",
            "pools.gpt-4.1.members[x]",
            "pools[0]",
            "pools.gpt-4.x.y",
            "pools",
            "a[",
            "\"a",
        ] {
            assert_eq!(get(path, "1").map_err(|problem| problem.code), Err(code::BAD_SET), "{path}");
        }
    }
}
