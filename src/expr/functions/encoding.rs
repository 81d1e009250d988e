//! Base 64, JSON, and the parts of addresses.

use super::super::value::{get, read_json};
use super::{Args, Function, function};
use crate::expr::error::{EvalError, Fault, type_name};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::fmt::Write as _;

pub(super) const TABLE: &[Function] = &[
    function("base64", (1, 1), |args| Ok(STANDARD.encode(args.text(0)?).into())),
    function("base64ToString", (1, 1), |args| Ok(decode(args, a_string(args)?)?.into())),
    function("base64ToJson", (1, 1), |args| parse_json(args, &decode(args, a_string(args)?)?)),
    function("json", (1, 1), |args| parse_json(args, args.text(0)?)),
    function("dataUri", (1, 1), data_uri),
    function("dataUriToString", (1, 1), data_uri_to_string),
    function("uriComponent", (1, 1), |args| Ok(escape(args.text(0)?).into())),
    function("uriComponentToString", (1, 1), |args| Ok(unescape(args.text(0)?).into())),
    function("uri", (2, 2), uri),
    function("buildUri", (1, 1), build_uri),
    function("parseUri", (1, 1), parse_uri),
];

fn a_string<'a>(args: &Args<'a>) -> Result<&'a str, EvalError> {
    args.any(0).as_str().ok_or_else(|| {
        args.wrong_type(&format!(
            "expects its parameter to be a string. The provided value is of type '{}'",
            type_name(args.any(0))
        ))
    })
}

fn decode(args: &Args, text: &str) -> Result<String, EvalError> {
    match STANDARD.decode(text) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(_) => Err(args.wrong_value(
            "was invoked with a parameter that is not valid. The value cannot be decoded from base64 representation",
        )),
    }
}

fn parse_json(args: &Args, text: &str) -> Result<Value, EvalError> {
    read_json(text)
        .ok_or_else(|| args.wrong_value(&format!("parameter is not valid. The provided value '{text}' is no JSON")))
}

fn data_uri(args: &Args) -> Result<Value, EvalError> {
    let (kind, text) = match args.any(0) {
        Value::String(text) => ("text/plain", text.clone()),
        other => ("application/json", other.to_string()),
    };
    Ok(format!("data:{kind};charset=utf-8;base64,{}", STANDARD.encode(text)).into())
}

fn data_uri_to_string(args: &Args) -> Result<Value, EvalError> {
    let text = a_string(args)?;
    let malformed = |shown: &str| {
        args.wrong_value(&format!(
            "expects its parameter to be formatted as a valid data URI. The provided value '{shown}' was not formatted \
             correctly"
        ))
    };
    let rest = text.strip_prefix("data:").ok_or_else(|| malformed(text))?;
    // Azure shows the text without its scheme where the comma is missing
    let (head, data) = rest.split_once(',').ok_or_else(|| malformed(rest))?;
    let mut parameters: Vec<&str> = head.split(';').collect();
    let kind = parameters.remove(0);
    let encoded = parameters.last().is_some_and(|last| last.eq_ignore_ascii_case("base64"));
    if encoded {
        parameters.pop();
    }
    for parameter in parameters {
        match parameter.split_once('=') {
            Some((name, charset)) if name.eq_ignore_ascii_case("charset") => {
                if !["utf-8", "us-ascii"].iter().any(|known| known.eq_ignore_ascii_case(charset)) {
                    let words = format!("parameter is not valid. The provided charset '{charset}' is not supported");
                    return Err(args.wrong_value(&words));
                }
            }
            Some(_) if !kind.is_empty() => {}
            _ => return Err(malformed(text)),
        }
    }
    let text = match encoded {
        false => unescape(data),
        true => decode(args, data).map_err(|_| {
            args.wrong_value(
                "was invoked with a parameter that is not valid. The value cannot be converted to the target type",
            )
        })?,
    };
    if kind.eq_ignore_ascii_case("application/json") { parse_json(args, &text) } else { Ok(text.into()) }
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            // writing to a string cannot fail
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

fn unescape(text: &str) -> String {
    let hex = |digit: u8| char::from(digit).to_digit(16);
    let bytes = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        match bytes[at..] {
            [b'%', high, low, ..] if hex(high).is_some() && hex(low).is_some() => {
                out.push((hex(high).unwrap_or(0) << 4 | hex(low).unwrap_or(0)) as u8);
                at += 3;
            }
            _ => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// An address resolved against an absolute one, as RFC 3986 section 5 says.
fn uri(args: &Args) -> Result<Value, EvalError> {
    let (base, relative) = (args.text(0)?, args.text(1)?);
    let base_parts = Address::parse(base);
    if base_parts.scheme.is_none() || base_parts.authority.is_none() {
        let message = format!(
            "The template language function 'uri' expects its first argument to be a uri string. The provided value is \
             '{base}'. Please see https://aka.ms/arm-function-datauri for usage details."
        );
        return Err(EvalError::new(Fault::ArgumentValue, message));
    }
    Ok(in_ascii(&resolve(&base_parts, &Address::parse(relative))).into())
}

/// An address from its parts: `scheme`, `host`, and maybe `port`, `path`, `query`.
fn build_uri(args: &Args) -> Result<Value, EvalError> {
    let parts = args.object(0)?;
    let text = |name: &str| get(parts, name).and_then(Value::as_str);
    let (Some(scheme), Some(host)) = (text("scheme"), text("host")) else {
        return Err(args.wrong_value("expects an object with a scheme and a host"));
    };
    let mut out = format!("{scheme}://{host}");
    if let Some(port) = get(parts, "port").and_then(Value::as_u64) {
        out.push_str(&format!(":{port}"));
    }
    let path = text("path").unwrap_or_default();
    out.push_str(if path.starts_with('/') { "" } else { "/" });
    out.push_str(path);
    let query = text("query").unwrap_or_default();
    out.push_str(if query.is_empty() || query.starts_with('?') { "" } else { "?" });
    out.push_str(query);
    Ok(out.into())
}

fn parse_uri(args: &Args) -> Result<Value, EvalError> {
    let text = args.text(0)?;
    let parts = Address::parse(text);
    let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
        return Err(args.wrong_value(&format!("expects a uri string. The provided value is '{text}'")));
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let (host, port) = match host.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>())) {
        Some((host, Ok(port))) => (host, Value::from(port)),
        _ => (host, Value::Null),
    };
    let query = parts.query.map(|query| format!("?{query}"));
    Ok(json!({"scheme": scheme, "host": host, "port": port, "path": parts.path, "query": query}))
}

/// An address with everything escaped that may not stand in one.
fn in_ascii(address: &str) -> String {
    let mut out = String::with_capacity(address.len());
    for c in address.chars() {
        match c {
            ' ' | '"' | '<' | '>' | '\\' | '^' | '`' | '{' | '|' | '}' => {
                out.push_str(&escape(c.encode_utf8(&mut [0; 4])))
            }
            c if !c.is_ascii() || c.is_ascii_control() => out.push_str(&escape(c.encode_utf8(&mut [0; 4]))),
            c => out.push(c),
        }
    }
    out
}

#[derive(Clone, Copy)]
struct Address<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Address<'a> {
    fn parse(text: &'a str) -> Address<'a> {
        let (rest, fragment) = text.split_once('#').map_or((text, None), |(rest, fragment)| (rest, Some(fragment)));
        let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let is_scheme = |name: &str| {
            name.starts_with(|c: char| c.is_ascii_alphabetic())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
        };
        let (scheme, rest) = match rest.split_once(':') {
            Some((scheme, after)) if is_scheme(scheme) => (Some(scheme), after),
            _ => (None, rest),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(after) => {
                let end = after.find('/').unwrap_or(after.len());
                (Some(&after[..end]), &after[end..])
            }
            None => (None, rest),
        };
        Address { scheme, authority, path, query, fragment }
    }
}

fn resolve(base: &Address, relative: &Address) -> String {
    let (authority, path, query) = if relative.scheme.is_some() || relative.authority.is_some() {
        (relative.authority, without_dots(relative.path), relative.query)
    } else if relative.path.is_empty() {
        (base.authority, without_dots(base.path), relative.query.or(base.query))
    } else if relative.path.starts_with('/') {
        (base.authority, without_dots(relative.path), relative.query)
    } else {
        let folder = base.path.rfind('/').map_or("/", |end| &base.path[..=end]);
        (base.authority, without_dots(&format!("{folder}{}", relative.path)), relative.query)
    };
    let scheme = relative.scheme.or(base.scheme).unwrap_or_default().to_ascii_lowercase();
    let mut out = format!("{scheme}:");
    if let Some(authority) = authority {
        let (user, host) = authority.rsplit_once('@').map_or(("", authority), |(user, host)| (user, host));
        let host = host.to_ascii_lowercase();
        let default = match scheme.as_str() {
            "https" => ":443",
            "http" => ":80",
            _ => "",
        };
        let host = if default.is_empty() { &host } else { host.strip_suffix(default).unwrap_or(&host) };
        let at = if user.is_empty() { "" } else { "@" };
        out = format!("{out}//{user}{at}{host}");
        if path.is_empty() {
            out.push('/');
        }
    }
    out.push_str(&path);
    for (mark, part) in [('?', query), ('#', relative.fragment)] {
        if let Some(part) = part {
            out.push(mark);
            out.push_str(part);
        }
    }
    out
}

fn without_dots(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').collect();
    for (index, segment) in segments.iter().enumerate() {
        let last = index + 1 == segments.len();
        match *segment {
            "." if last => kept.push(""),
            "." => {}
            ".." => {
                if kept.len() > 1 {
                    kept.pop();
                }
                if last {
                    kept.push("");
                }
            }
            other => kept.push(other),
        }
    }
    kept.join("/")
}
