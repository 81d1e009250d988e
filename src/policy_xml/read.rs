//! A text becomes a tree.

use super::{Document, Element, Malformed, Node};
use quick_xml::Reader;
use quick_xml::errors::Error;
use quick_xml::events::{BytesStart, Event};

/// Deeper documents are refused: the service refuses them too, and recursion must end.
const DEPTH: usize = 100;

/// Reads a document that is well-formed XML.
pub fn parse(text: &str) -> Result<Document, Malformed> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().check_end_names = true;
    let mut open: Vec<Element> = Vec::new();
    let mut root: Option<Element> = None;
    let (mut before, mut after) = (Vec::new(), Vec::new());
    loop {
        let start = reader.buffer_position() as usize;
        let at = |message: String| malformed(text, start, message);
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => return Err(malformed(text, reader.error_position() as usize, describe(&error))),
        };
        match event {
            Event::Start(tag) => {
                if open.len() >= DEPTH {
                    return Err(at(format!("more than {DEPTH} elements inside each other")));
                }
                if root.is_some() {
                    return Err(at("a second root element".into()));
                }
                open.push(element(&tag).map_err(at)?);
            }
            Event::Empty(tag) => {
                if root.is_some() {
                    return Err(at("a second root element".into()));
                }
                let element = element(&tag).map_err(at)?;
                close(element, &mut open, &mut root);
            }
            Event::End(_) => match open.pop() {
                Some(element) => close(element, &mut open, &mut root),
                None => return Err(at("an end tag without its start".into())),
            },
            Event::Text(raw) => push_text(&raw, &mut open).map_err(at)?,
            Event::CData(raw) => push_text(&raw, &mut open).map_err(at)?,
            Event::GeneralRef(reference) => {
                let name: &str = &reference;
                let value = quick_xml::escape::unescape(&format!("&{name};")).map(|value| value.into_owned());
                let value = value.map_err(|_| at(format!("unknown entity `&{name};`")))?;
                match open.last_mut() {
                    Some(parent) => append(parent, &value),
                    None => return Err(at("text outside the root element".into())),
                }
            }
            Event::Comment(raw) => {
                let comment = Node::Comment(line_ends(&raw));
                match (open.last_mut(), &root) {
                    (Some(parent), _) => parent.children.push(comment),
                    (None, None) => before.push(comment),
                    (None, Some(_)) => after.push(comment),
                }
            }
            Event::Decl(_) => {}
            Event::PI(_) => return Err(at("a processing instruction".into())),
            Event::DocType(_) => return Err(at("a DOCTYPE".into())),
            Event::Eof => break,
        }
    }
    if let Some(element) = open.last() {
        return Err(malformed(text, text.len(), format!("`<{}>` is not closed", element.name)));
    }
    let mut root = root.ok_or_else(|| malformed(text, text.len(), "no element".into()))?;
    drop_blanks(&mut root);
    Ok(Document { before, root, after })
}

fn close(element: Element, open: &mut [Element], root: &mut Option<Element>) {
    match open.last_mut() {
        Some(parent) => parent.children.push(Node::Element(element)),
        None => *root = Some(element),
    }
}

fn push_text(raw: &str, open: &mut [Element]) -> Result<(), String> {
    match open.last_mut() {
        Some(parent) => {
            append(parent, &line_ends(raw));
            Ok(())
        }
        None if raw.trim_start_matches('\u{feff}').trim().is_empty() => Ok(()),
        None => Err("text outside the root element".into()),
    }
}

fn append(parent: &mut Element, text: &str) {
    match parent.children.last_mut() {
        Some(Node::Text(before)) => before.push_str(text),
        _ => parent.children.push(Node::Text(text.to_string())),
    }
}

/// White space between elements is layout.
fn drop_blanks(element: &mut Element) {
    element.children.retain(|node| !matches!(node, Node::Text(text) if text.trim().is_empty()));
    for node in &mut element.children {
        if let Node::Element(child) = node {
            drop_blanks(child);
        }
    }
}

fn element(tag: &BytesStart<'_>) -> Result<Element, String> {
    let name = tag.name().as_ref().to_string();
    let mut attributes = Vec::new();
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        if attribute.value.contains('<') {
            return Err("`<` inside an attribute value".into());
        }
        let raw = line_ends(&attribute.value);
        let value = quick_xml::escape::unescape(&raw).map_err(|error| error.to_string())?;
        attributes.push((attribute.key.as_ref().to_string(), value.into_owned()));
    }
    Ok(Element { name, attributes, children: Vec::new() })
}

fn line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

fn describe(error: &Error) -> String {
    match error {
        Error::Syntax(error) => error.to_string(),
        Error::IllFormed(error) => error.to_string(),
        other => other.to_string(),
    }
}

fn malformed(text: &str, offset: usize, message: String) -> Malformed {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    let before = &text[..offset];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    Malformed { message, line, column }
}
