//! Traces: when requests came and how many tokens they had, read from CSV in chunks.
//!
//! Two forms, told apart by their first row:
//!
//! - `arrival,prompt_tokens,output_tokens[,deployment]`, arrivals in seconds since the start;
//! - `TIMESTAMP,ContextTokens,GeneratedTokens`, the Azure LLM inference traces: dates without a zone, CRLF, seven digits of
//!   a second, no newline after the last row.
//!
//! Order and number of the columns are free, others are ignored. A row that cannot be read ends the reading: half a trace
//! is no trace.
//!
//! Deliberately absent: files and decompression (the shell pushes bytes), and sorting: rows must be in order of time.

use crate::diagnostic::{Diagnostic, code};
use crate::time::Time;
use csv_core::ReadRecordResult;
use std::sync::Arc;

/// One request of a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// When it comes, since the start.
    pub at: Time,
    /// Tokens of its prompt.
    pub prompt: u32,
    /// Tokens that were written in answer.
    pub output: u32,
    /// The deployment that the caller names, where the trace says it.
    pub deployment: Option<Arc<str>>,
}

/// More tokens than this in one request are a mistake in the file.
pub const MAX_TOKENS: u32 = 100_000_000;

/// Longer rows are a mistake in the file.
const MAX_ROW: usize = 64 * 1024;
const MAX_COLUMNS: usize = 256;

/// Reads a trace that comes in chunks of any size.
#[derive(Debug)]
pub struct Reader {
    csv: csv_core::Reader,
    text: Vec<u8>,
    text_len: usize,
    ends: Vec<usize>,
    ends_len: usize,
    columns: Option<Columns>,
    /// The first stamp, which is the start.
    start: Option<Time>,
    previous: Time,
    day: ([u8; 10], u64),
    /// The last deployment, so that rows share one text.
    deployment: Option<Arc<str>>,
}

#[derive(Clone, Debug)]
struct Columns {
    form: Form,
    arrival: (usize, String),
    prompt: (usize, String),
    output: (usize, String),
    deployment: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Seconds,
    Stamps,
}

const FORMS: [(Form, [&str; 3]); 2] = [
    (Form::Seconds, ["arrival", "prompt_tokens", "output_tokens"]),
    (Form::Stamps, ["TIMESTAMP", "ContextTokens", "GeneratedTokens"]),
];

impl Default for Reader {
    fn default() -> Reader {
        Reader::new()
    }
}

impl Reader {
    /// A reader before the first byte.
    pub fn new() -> Reader {
        Reader {
            csv: csv_core::Reader::new(),
            text: vec![0; MAX_ROW],
            text_len: 0,
            ends: vec![0; MAX_COLUMNS],
            ends_len: 0,
            columns: None,
            start: None,
            previous: Time::ZERO,
            day: ([0; 10], 0),
            deployment: None,
        }
    }

    /// Reads the next bytes; whole rows are appended to `rows`.
    pub fn push(&mut self, mut bytes: &[u8], rows: &mut Vec<Arrival>) -> Result<(), Diagnostic> {
        while !bytes.is_empty() {
            self.advance(&mut bytes, rows)?;
        }
        Ok(())
    }

    /// No more bytes: reads the last row, which may have no newline.
    pub fn finish(&mut self, rows: &mut Vec<Arrival>) -> Result<(), Diagnostic> {
        while self.advance(&mut &[][..], rows)? == Progress::More {}
        match self.columns {
            Some(_) => Ok(()),
            None => Err(Diagnostic::new(code::TRACE_FORMAT, "the trace is empty").help(FIRST_ROW)),
        }
    }

    /// One step of the CSV parser, which is given the bytes that are left.
    fn advance(&mut self, bytes: &mut &[u8], rows: &mut Vec<Arrival>) -> Result<Progress, Diagnostic> {
        let (text, ends) = (&mut self.text[self.text_len..], &mut self.ends[self.ends_len..]);
        let (result, read, written, ended) = self.csv.read_record(bytes, text, ends);
        // A row's last newline is counted when it is read, which for CRLF is with the next row.
        let newline = read.checked_sub(1).and_then(|last| bytes.get(last)) == Some(&b'\n');
        *bytes = &bytes[read..];
        self.text_len += written;
        self.ends_len += ended;
        let line = self.csv.line() - u64::from(newline);
        match result {
            ReadRecordResult::InputEmpty => Ok(Progress::More),
            ReadRecordResult::End => Ok(Progress::End),
            ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => Err(Diagnostic::new(
                code::TRACE_ROW,
                format!("line {line} of the trace is longer than {MAX_ROW} bytes or {MAX_COLUMNS} columns"),
            )),
            ReadRecordResult::Record => {
                let read = self.record(line);
                (self.text_len, self.ends_len) = (0, 0);
                rows.extend(read?);
                Ok(Progress::More)
            }
        }
    }

    /// A whole row: the first names the columns, every other is an arrival.
    fn record(&mut self, line: u64) -> Result<Option<Arrival>, Diagnostic> {
        let row = Row { line, text: &self.text[..self.text_len], ends: &self.ends[..self.ends_len] };
        let Some(columns) = &self.columns else {
            self.columns = Some(Columns::of(&row)?);
            return Ok(None);
        };
        let stamp = match columns.form {
            Form::Seconds => row.read(&columns.arrival, "a number of seconds", |text| seconds(text).map(Time))?,
            Form::Stamps => row.read(&columns.arrival, "a date and time", |text| stamp(text, &mut self.day))?,
        };
        let base = match columns.form {
            Form::Seconds => Time::ZERO,
            Form::Stamps => *self.start.get_or_insert(stamp),
        };
        let at = Time(stamp.since(base).0);
        if stamp < base || at < self.previous {
            let message =
                format!("line {line} of the trace: `{}` is earlier than in the row before", columns.arrival.1);
            return Err(Diagnostic::new(code::TRACE_ROW, message).help("sort the file by arrival"));
        }
        let what = "a whole number up to 100000000";
        let prompt = row.read(&columns.prompt, what, tokens)?;
        let output = row.read(&columns.output, what, tokens)?;
        if let Some(field) = columns.deployment.and_then(|at| row.field(at)).filter(|field| !field.is_empty()) {
            if self.deployment.as_ref().is_none_or(|known| known.as_bytes() != field) {
                self.deployment = Some(String::from_utf8_lossy(field).into());
            }
        } else {
            self.deployment = None;
        }
        self.previous = at;
        Ok(Some(Arrival { at, prompt, output, deployment: self.deployment.clone() }))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    More,
    End,
}

/// The arrivals of a trace whose bytes come in chunks, in constant memory. It ends after the first problem.
pub fn arrivals<C: AsRef<[u8]>>(
    chunks: impl IntoIterator<Item = Result<C, Diagnostic>>,
) -> impl Iterator<Item = Result<Arrival, Diagnostic>> {
    let (mut reader, mut chunks) = (Some(Reader::new()), chunks.into_iter());
    let (mut rows, mut problem) = (Vec::new().into_iter(), None);
    std::iter::from_fn(move || {
        loop {
            if let Some(row) = rows.next() {
                return Some(Ok(row));
            }
            if let Some(problem) = problem.take() {
                return Some(Err(problem));
            }
            let reading = reader.as_mut()?;
            let mut next = Vec::new();
            let result = match chunks.next() {
                Some(chunk) => chunk.and_then(|chunk| reading.push(chunk.as_ref(), &mut next)),
                None => {
                    let result = reading.finish(&mut next);
                    reader = None;
                    result
                }
            };
            if let Err(found) = result {
                // the rows before it come first
                (reader, problem) = (None, Some(found));
            }
            rows = next.into_iter();
        }
    })
}

const FIRST_ROW: &str =
    "begin it with `arrival,prompt_tokens,output_tokens` or `TIMESTAMP,ContextTokens,GeneratedTokens`";

impl Columns {
    fn of(row: &Row<'_>) -> Result<Columns, Diagnostic> {
        let names: Vec<String> =
            (0..row.ends.len()).filter_map(|at| row.field(at)).map(|n| String::from_utf8_lossy(n).into()).collect();
        let find = |wanted: &str| {
            names.iter().position(|name| name.eq_ignore_ascii_case(wanted)).map(|at| (at, wanted.to_owned()))
        };
        for (form, [arrival, prompt, output]) in FORMS {
            if let (Some(arrival), Some(prompt), Some(output)) = (find(arrival), find(prompt), find(output)) {
                let deployment = find("deployment").map(|(at, _)| at);
                return Ok(Columns { form, arrival, prompt, output, deployment });
            }
        }
        let shown = shown(names.join(",").as_bytes());
        Err(Diagnostic::new(
            code::TRACE_FORMAT,
            format!("line {} of the trace names no columns that we know", row.line),
        )
        .label(format!("`{shown}`"))
        .note(format!("it begins with `{shown}`"))
        .help(FIRST_ROW))
    }
}

/// One row of the file.
struct Row<'a> {
    line: u64,
    text: &'a [u8],
    ends: &'a [usize],
}

impl<'a> Row<'a> {
    fn field(&self, at: usize) -> Option<&'a [u8]> {
        let start = if at == 0 { 0 } else { *self.ends.get(at - 1)? };
        Some(self.text.get(start..*self.ends.get(at)?)?.trim_ascii())
    }

    #[inline]
    fn read<T>(
        &self,
        (at, name): &(usize, String),
        what: &str,
        parse: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<T, Diagnostic> {
        let Some(field) = self.field(*at) else {
            let message = format!("line {} of the trace has no column `{name}`", self.line);
            return Err(Diagnostic::new(code::TRACE_ROW, message));
        };
        parse(field).ok_or_else(|| {
            let message = format!("line {} of the trace: `{name}` is `{}`", self.line, shown(field));
            Diagnostic::new(code::TRACE_ROW, message).help(format!("write {what}"))
        })
    }
}

/// The beginning of what stands in the file, without anything that could move a cursor.
fn shown(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().filter(|c| !c.is_control()).take(60).collect()
}

/// Digits only.
fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |n, byte| match byte {
        b'0'..=b'9' => n.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

fn tokens(text: &[u8]) -> Option<u32> {
    number(text).and_then(|n| u32::try_from(n).ok()).filter(|n| *n <= MAX_TOKENS)
}

/// `12.345` seconds as nanoseconds.
fn seconds(text: &[u8]) -> Option<u64> {
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(dot) => (&text[..dot], Some(&text[dot + 1..])),
        None => (text, None),
    };
    let whole = number(whole)?.checked_mul(1_000_000_000)?;
    let Some(digits) = fraction else { return Some(whole) };
    // programs that print a float write up to seventeen digits; those below a nanosecond are dropped
    let (kept, dropped) = digits.split_at(digits.len().min(9));
    if !dropped.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let scale = 10u64.pow(9 - u32::try_from(kept.len()).ok()?);
    whole.checked_add(number(kept)? * scale)
}

/// `2023-11-16 18:17:03.9799600`, without a zone, as nanoseconds since 1970; `day` remembers the last date.
fn stamp(text: &[u8], day: &mut ([u8; 10], u64)) -> Option<Time> {
    let (date, rest) = text.split_first_chunk::<10>()?;
    if *date != day.0 {
        let civil: jiff::civil::Date = std::str::from_utf8(date).ok()?.parse().ok()?;
        let midnight = civil.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second();
        *day = (*date, u64::try_from(midnight).ok()?);
    }
    let [b' ' | b'T', h1, h2, b':', m1, m2, b':', rest @ ..] = rest else { return None };
    let (hours, minutes) = (number(&[*h1, *h2])?, number(&[*m1, *m2])?);
    let within = seconds(rest).filter(|ns| *ns < 60_000_000_000 && hours < 24 && minutes < 60)?;
    let whole = day.1.checked_add(hours * 3600 + minutes * 60)?;
    Some(Time(whole.checked_mul(1_000_000_000)?.checked_add(within)?))
}

#[cfg(test)]
mod tests;
