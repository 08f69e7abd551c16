//! A page that compares models: figures, curves, reliability.

use std::fmt::Write;

use super::Figures;

/// A line of the table: its title, and what it says of a model.
type Row = (&'static str, fn(&Figures) -> String);

/// The page. `roc` and `reliability` are SVG.
pub(super) fn page(figures: &[Figures], how: &str, roc: &str, reliability: &str) -> String {
    let mut page = String::from(HEAD);
    let rows: [Row; 11] = [
        ("spam", |f| f.spam.to_string()),
        ("ham", |f| f.ham.to_string()),
        ("without an opinion", |f| f.abstained.to_string()),
        ("1-AUC, %", |f| format!("{:.4}", f.one_minus_auc)),
        ("ham lost at 1% spam missed, %", |f| format!("{:.3}", f.ham_lost_at_1_spam_missed)),
        ("ham lost at 0.1% spam missed, %", |f| format!("{:.3}", f.ham_lost_at_0_1_spam_missed)),
        ("spam missed at 1% ham lost, %", |f| format!("{:.3}", f.spam_missed_at_1_ham_lost)),
        ("spam missed at 0.1% ham lost, %", |f| format!("{:.3}", f.spam_missed_at_0_1_ham_lost)),
        ("ham lost at the threshold", |f| format!("{} ({})", f.ham_lost, f.threshold)),
        ("spam missed at the threshold", |f| format!("{} ({})", f.spam_missed, f.threshold)),
        ("LAM at the threshold, %", |f| format!("{:.3}", f.lam)),
    ];
    // Writing to a string cannot fail.
    let _ = write!(page, "<h1>Bayes models compared</h1>\n<p>{}</p>\n<table><tr><th></th>", escaped(how));
    for model in figures {
        let _ = write!(page, "<th>{}</th>", escaped(&model.name));
    }
    page.push_str("</tr>\n");
    for (title, cell) in rows {
        let _ = write!(page, "<tr><td>{title}</td>");
        for model in figures {
            let _ = write!(page, "<td>{}</td>", cell(model));
        }
        page.push_str("</tr>\n");
    }
    let _ = write!(
        page,
        "</table>\n<h2>Ham lost against spam missed</h2>\n{roc}\n<h2>What was said and what was</h2>\n{reliability}\n</body></html>\n"
    );
    page
}

const HEAD: &str = "<!DOCTYPE html>
<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Bayes models compared</title>
<style>body{font-family:sans-serif;max-width:50em;margin:2em auto}td,th{padding:.2em .8em;text-align:right}
td:first-child{text-align:left}tr:nth-child(even){background:#eee}</style></head><body>
";

/// Names come from the command line and from files.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
