//! A tree becomes a text, in one of two layouts.

use super::{Document, Element, Node};

struct Layout {
    indent: &'static str,
    newline: &'static str,
    sorted: bool,
    comments: bool,
    /// How a line break inside an attribute value is written.
    break_in_value: &'static str,
}

const CANONICAL: Layout = Layout { indent: "  ", newline: "\n", sorted: true, comments: false, break_in_value: "\n" };
const SERVICE: Layout =
    Layout { indent: "\t", newline: "\r\n", sorted: false, comments: true, break_in_value: "&#xA;" };

pub(super) fn canonical(document: &Document) -> String {
    let mut out = String::new();
    element(&document.root, 0, &CANONICAL, &mut out);
    out.push('\n');
    out
}

pub(super) fn service_form(document: &Document) -> String {
    let mut out = String::new();
    for node in &document.before {
        self::node(node, 0, &SERVICE, &mut out);
        out.push_str(SERVICE.newline);
    }
    element(&document.root, 0, &SERVICE, &mut out);
    for node in &document.after {
        out.push_str(SERVICE.newline);
        self::node(node, 0, &SERVICE, &mut out);
    }
    out
}

fn node(node: &Node, depth: usize, layout: &Layout, out: &mut String) {
    match node {
        Node::Element(child) => element(child, depth, layout, out),
        Node::Text(text) => out.push_str(&escape_text(text)),
        Node::Comment(text) => {
            out.push_str("<!--");
            out.push_str(&text.replace('\n', layout.newline));
            out.push_str("-->");
        }
    }
}

fn element(element: &Element, depth: usize, layout: &Layout, out: &mut String) {
    out.push('<');
    out.push_str(&element.name);
    let mut attributes: Vec<_> = element.attributes.iter().collect();
    if layout.sorted {
        attributes.sort();
    }
    for (name, value) in attributes {
        out.push_str(&format!(" {name}=\"{}\"", escape_value(value, layout)));
    }
    let mut children = Vec::new();
    for node in &element.children {
        match (node, children.last_mut()) {
            (Node::Comment(_), _) if !layout.comments => {}
            // a comment left out joins the texts around it
            (Node::Text(text), Some(Node::Text(before))) => before.push_str(text),
            _ => children.push(node.clone()),
        }
    }
    if children.is_empty() {
        out.push_str(" />");
        return;
    }
    out.push('>');
    // beside text, layout would become part of the text
    let inline = children.iter().any(|node| matches!(node, Node::Text(_)));
    for child in &children {
        if !inline {
            out.push_str(layout.newline);
            out.push_str(&layout.indent.repeat(depth + 1));
        }
        node(child, depth + 1, layout, out);
    }
    if !inline {
        out.push_str(layout.newline);
        out.push_str(&layout.indent.repeat(depth));
    }
    out.push_str(&format!("</{}>", element.name));
}

fn escape_value(value: &str, layout: &Layout) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str(layout.break_in_value),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
    out
}

fn escape_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            c => out.push(c),
        }
    }
    out
}
