//! Tables for people: columns aligned by blanks, no lines, so that a row can be cut and pasted.

use super::style::{Role, columns, paint};

/// Rows under a heading, indented by two. Columns whose cells are all numbers are aligned to the right.
pub fn table(heading: &[&str], rows: &[Vec<String>]) -> String {
    let cell = |row: &Vec<String>, i: usize| row.get(i).map_or(0, |cell| columns(cell));
    let number = |text: &str| text.parse::<f64>().is_ok() || text.trim_end_matches('%').parse::<f64>().is_ok();
    let width: Vec<usize> = (0..heading.len())
        .map(|i| rows.iter().map(|row| cell(row, i)).chain([columns(heading[i])]).max().unwrap_or(0))
        .collect();
    let right: Vec<bool> = (0..heading.len())
        .map(|i| !rows.is_empty() && rows.iter().all(|row| row.get(i).is_some_and(|cell| number(cell))))
        .collect();
    let line = |cells: &[String]| {
        let mut text = String::from(" ");
        for (i, cell) in cells.iter().enumerate().take(width.len()) {
            let gap = " ".repeat(width[i] - columns(cell));
            text.push_str(&if right[i] { format!(" {gap}{cell} ") } else { format!(" {cell}{gap} ") });
        }
        text.trim_end().to_owned()
    };
    let heading: Vec<String> = heading.iter().map(|&word| word.to_owned()).collect();
    let mut text = paint(Role::Faint, &line(&heading));
    for row in rows {
        text.push('\n');
        text.push_str(&line(row));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_to_the_left_and_numbers_to_the_right() {
        let rows = [vec!["eastus2".into(), "5".into()], vec!["sweden".into(), "100".into()], vec!["x".into()]];
        let text = anstream::adapter::strip_str(&table(&["member", "weight"], &rows[..2])).to_string();
        assert_eq!(text, "  member   weight\n  eastus2       5\n  sweden      100");
        assert!(table(&["member", "weight"], &rows).ends_with("\n  x"), "a short row");
    }
}
