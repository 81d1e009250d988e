//! `simulate`: the pool under a trace.

use super::Place;

const LINE: &str = "simulate quickstart.yaml --trace traces/burst.csv";

#[test]
fn a_trace_gives_the_same_report_twice() {
    let place = Place::quickstart();
    let first = place.run(LINE).exits(0);
    first.snapshot("simulate");
    assert_eq!(first.out, place.run(LINE).exits(0).out);
    let json = place.run(&format!("{LINE} --seed 7 --output json")).exits(0);
    assert_eq!(json.out, place.run(&format!("{LINE} --seed 7 --output json")).exits(0).out);
    assert!(json.json()["report"].is_object(), "{}", json.out);
}

#[test]
fn a_trace_that_is_wrong_is_told_with_its_row() {
    let place = Place::quickstart();
    let text = place.read("traces/burst.csv");
    let mut rows: Vec<&str> = text.lines().collect();
    rows[3] = "soon,many,none";
    place.write("bad.csv", &rows.join("\n"));
    place.run("simulate quickstart.yaml --trace bad.csv").exits(4).snapshot("bad-row");
    place.run("simulate quickstart.yaml --trace nowhere.csv").exits(4).says("nowhere.csv");
    place.write("empty.csv", "");
    place.run("simulate quickstart.yaml --trace empty.csv").exits(4);
}

#[test]
fn a_trace_that_is_no_text_is_refused_by_what_it_is() {
    let place = Place::quickstart();
    for (name, bytes, says) in [
        ("burst.csv.gz", &b"\x1f\x8b\x08\x00"[..], "gunzip --keep burst.csv.gz"),
        ("burst.csv.zst", b"\x28\xb5\x2f\xfd\x00", "zstd -d burst.csv.zst"),
        ("burst.csv", b"\xff\xfea\x00r\x00", "UTF-16"),
    ] {
        std::fs::write(place.path(name), bytes).unwrap();
        let run = place.run(&format!("simulate quickstart.yaml --trace {name}")).exits(4);
        run.says("AL0701").says(says);
    }
    place.run("simulate quickstart.yaml --trace traces").exits(4).says("AL0101").says("is a folder");
}
