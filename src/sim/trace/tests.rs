use super::*;
use crate::pool::tests::laws;
use proptest::prelude::*;

fn read(text: &str) -> Result<Vec<Arrival>, Diagnostic> {
    arrivals([Ok(text)]).collect()
}

fn problem(text: &str) -> String {
    read(text).expect_err("a problem").to_string()
}

fn arrival(ns: u64, prompt: u32, output: u32) -> Arrival {
    Arrival { at: Time(ns), prompt, output, deployment: None }
}

#[test]
fn an_azure_trace_begins_with_its_first_row() {
    let rows = read(
        "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 23:59:59.9799600,4808,10\r\n\
         2023-11-17 00:00:00.0319600,3180,8",
    );
    assert_eq!(rows, Ok(vec![arrival(0, 4808, 10), arrival(52_000_000, 3180, 8)]));
}

#[test]
fn a_plain_trace_counts_seconds_and_may_name_deployments() {
    let rows = read(
        "\u{feff}note,Output_Tokens,arrival,prompt_tokens,deployment\n\n,1, 0.5 ,2,a\n\"x,y\",3,1,4,a\nz,5,1,6,\nz,7,2.000000001,8,b\n",
    )
    .expect("rows");
    let shown: Vec<_> = rows.iter().map(|r| (r.at.0, r.prompt, r.output, r.deployment.as_deref())).collect();
    assert_eq!(
        shown,
        [
            (500_000_000, 2, 1, Some("a")),
            (1_000_000_000, 4, 3, Some("a")),
            (1_000_000_000, 6, 5, None),
            (2_000_000_001, 8, 7, Some("b")),
        ]
    );
}

#[test]
fn a_float_may_have_more_digits_than_a_nanosecond_has() {
    let rows = read("arrival,prompt_tokens,output_tokens\n1.6580000000000001,1,2\n1.9999999999999998,3,4\n");
    assert_eq!(rows, Ok(vec![arrival(1_658_000_000, 1, 2), arrival(1_999_999_999, 3, 4)]));
}

#[test]
fn a_bad_row_is_named_by_line_and_column() {
    const HEAD: &str = "arrival,prompt_tokens,output_tokens";
    for (body, want) in [
        ("1,2,3\n1,x,3\n", "line 3 of the trace: `prompt_tokens` is `x`"),
        ("1,2,3\r\n1,2,-3\r\n", "line 3 of the trace: `output_tokens` is `-3`"),
        ("1,2,3\n\n\n1,2,3.5", "line 5 of the trace: `output_tokens` is `3.5`"),
        ("1,2\n", "line 2 of the trace has no column `output_tokens`"),
        ("1,2,3\n,2,3\n", "line 3 of the trace: `arrival` is ``"),
        ("\x1b[2J,2,3\n", "line 2 of the trace: `arrival` is `[2J`"),
        ("1e3,2,3\n", "line 2 of the trace: `arrival` is `1e3`"),
        ("1.000000000x,2,3\n", "line 2 of the trace: `arrival` is `1.000000000x`"),
        ("1.,2,3\n", "line 2 of the trace: `arrival` is `1.`"),
        ("99999999999999,2,3\n", "line 2 of the trace: `arrival` is `99999999999999`"),
        ("1,2,100000001\n", "line 2 of the trace: `output_tokens` is `100000001`"),
        ("2,2,3\n1.9,2,3\n", "line 3 of the trace: `arrival` is earlier than in the row before"),
    ] {
        let newline = if body.contains('\r') { "\r\n" } else { "\n" };
        assert_eq!(problem(&format!("{HEAD}{newline}{body}")), format!("error[AL0702]: {want}"));
    }
    let stamped = |stamp: &str| problem(&format!("TIMESTAMP,ContextTokens,GeneratedTokens\n{stamp},1,1\n"));
    for stamp in [
        "2023-02-29 00:00:00.0",
        "2023-11-16 24:00:00",
        "2023-11-16 10:60:00",
        "2023-11-16 10:00:60",
        "2023-11-16",
        "1969-12-31 00:00:00",
        "2023-11-16 10:00:00Z",
    ] {
        assert_eq!(stamped(stamp), format!("error[AL0702]: line 2 of the trace: `TIMESTAMP` is `{stamp}`"));
    }
    assert!(problem(&format!("{HEAD}\n{}", "1".repeat(70_000))).contains("line 2 of the trace is longer than"));
}

#[test]
fn what_is_no_trace_is_refused() {
    assert_eq!(problem(""), "error[AL0701]: the trace is empty");
    assert_eq!(problem("\n\n"), "error[AL0701]: the trace is empty");
    assert_eq!(problem("a,b\n1,2\n"), "error[AL0701]: line 1 of the trace names no columns that we know");
    assert_eq!(read("arrival,prompt_tokens,output_tokens\n"), Ok(Vec::new()), "no rows: the simulation says so");
}

#[test]
fn the_public_trace_is_read_whole() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/traces/AzureLLMInferenceTrace_code.csv");
    let Ok(text) = std::fs::read_to_string(path) else {
        assert!(std::env::var_os("CI").is_none(), "{path} is not here");
        println!("skipped: ../shared/traces is not here");
        return;
    };
    let rows = read(&text).expect("rows");
    assert_eq!((rows.len(), rows[0].at), (8_819, Time::ZERO));
    assert_eq!(rows.last().map(|row| row.at.0 / 1_000_000_000), Some(3_435));
}

proptest! {
    #![proptest_config(laws(256))]

    #[test]
    fn any_rows_survive_any_chunks(
        rows in prop::collection::vec((0..5_000_000_000u64, 0..9_999u32, 0..9_999u32), 0..20),
        size in 1..40usize,
        crlf in any::<bool>(),
        last in any::<bool>(),
    ) {
        let newline = if crlf { "\r\n" } else { "\n" };
        let mut at = 0;
        let rows: Vec<Arrival> = rows
            .into_iter()
            .map(|(gap, prompt, output)| {
                at += gap;
                arrival(at, prompt, output)
            })
            .collect();
        let lines = rows.iter().map(|row| {
            let (seconds, rest) = (row.at.0 / 1_000_000_000, row.at.0 % 1_000_000_000);
            format!("{seconds}.{rest:09},{},{}", row.prompt, row.output)
        });
        let head = std::iter::once("arrival,prompt_tokens,output_tokens".to_owned());
        let mut text = head.chain(lines).collect::<Vec<_>>().join(newline);
        if last {
            text.push_str(newline);
        }
        let chunks = text.as_bytes().chunks(size).map(Ok);
        prop_assert_eq!(arrivals(chunks).collect::<Result<Vec<_>, _>>(), Ok(rows));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), size in 1..40usize) {
        let head = b"arrival,prompt_tokens,output_tokens,deployment\n";
        arrivals(bytes.chunks(size).map(Ok)).for_each(drop);
        arrivals([&head[..], &bytes].map(Ok)).for_each(drop);
    }
}
