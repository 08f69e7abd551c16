use super::{Meta, MetaKind, Metas, Program, Standing};

/// Plans metas `name = expression` over basic rules A to D (ids 0 to 3) and evaluates them.
fn evaluate(metas: &[(&str, &str)], counts: [u32; 4], unscored: &[&str]) -> Vec<(String, f64)> {
    let planned = metas.iter().enumerate().map(|(index, (name, text))| {
        let program = Program::parse(text, |_| vec![]).unwrap_or_else(|error| panic!("{text}: {error}"));
        let standing = |wanted: &String| match wanted.as_str() {
            "A" => Standing::Counts(0),
            "B" => Standing::Counts(1),
            "C" => Standing::Counts(2),
            "D" => Standing::Counts(3),
            other => match metas.iter().position(|(name, _)| *name == other) {
                Some(at) => Standing::Meta(at as u32),
                None => Standing::NotRun,
            },
        };
        let names = program.names.iter().map(standing).collect();
        let kind = MetaKind::Expression(program, names);
        Meta { rule: 4 + index as u32, kind, scored: !unscored.contains(name) }
    });
    let (planned, _) = Metas::plan(planned.collect(), 4 + metas.len());
    let hit: Vec<u32> = (0..4).filter(|&rule| counts[rule as usize] > 0).collect();
    let mut hits: Vec<_> = planned
        .evaluate(&hit, &counts, None)
        .hits
        .into_iter()
        .map(|(rule, value)| (metas[rule as usize - 4].0.to_owned(), value))
        .collect();
    hits.sort_by(|a, b| a.0.cmp(&b.0));
    hits
}

fn value(expression: &str, counts: [u32; 4]) -> Option<f64> {
    evaluate(&[("M", expression)], counts, &[]).first().map(|(_, value)| *value)
}

#[test]
fn values_are_those_of_perl() {
    assert_eq!(value("A + 2", [5, 0, 0, 0]), Some(7.0));
    assert_eq!(value("(A || B)", [5, 3, 0, 0]), Some(5.0));
    assert_eq!(value("A && B", [5, 3, 0, 0]), Some(3.0));
    assert_eq!(value("A && B", [5, 0, 0, 0]), None);
    assert_eq!(value("0 - 3", [0; 4]), Some(1.0));
    assert_eq!(value("A > 2 && (B + C >= 2)", [3, 1, 1, 0]), Some(1.0));
    assert_eq!(value("A ? B : C", [1, 2, 3, 0]), Some(2.0));
    assert_eq!(value("A ? B : C", [0, 2, 3, 0]), Some(3.0));
    assert_eq!(value("1 + 2 * 3 - 4 / 2", [0; 4]), Some(5.0));
    assert_eq!(value("A ^ B", [5, 3, 0, 0]), Some(6.0));
    assert_eq!(value("A / B", [5, 0, 0, 0]), None);
    assert_eq!(value("!A && !(B) && local_tests_only", [0; 4]), Some(1.0));
    assert_eq!(value("A != 0", [2, 0, 0, 0]), Some(1.0));
    assert_eq!(value("!!A", [2, 0, 0, 0]), Some(1.0));
}

#[test]
fn what_is_not_run_counts_as_zero() {
    assert_eq!(value("!NOSUCH", [0; 4]), Some(1.0));
    assert_eq!(value("NOSUCH || A", [2, 0, 0, 0]), Some(2.0));
}

#[test]
fn metas_see_the_values_of_metas_in_any_order() {
    let hits = evaluate(&[("Z", "Y + 1"), ("Y", "X + A"), ("X", "A > 1")], [2, 0, 0, 0], &[]);
    assert_eq!(hits, [("X".into(), 1.0), ("Y".into(), 3.0), ("Z".into(), 4.0)]);
    let none = evaluate(&[("Z", "Y && A"), ("Y", "B")], [2, 0, 0, 0], &[]);
    assert_eq!(none, []);
}

#[test]
fn circles_are_dropped_and_count_as_zero() {
    let hits = evaluate(&[("X", "Y || A"), ("Y", "X"), ("Z", "!X && A")], [1, 0, 0, 0], &[]);
    assert_eq!(hits, [], "what depends on a circle is dropped with it");
}

#[test]
fn a_meta_without_score_holds_up_others_once_it_is_true() {
    let rules = [("Z", "A"), ("NOT", "!Z"), ("OR", "Z || B")];
    assert_eq!(evaluate(&rules, [0, 1, 0, 0], &["Z"]), [("NOT".into(), 1.0), ("OR".into(), 1.0)]);
    assert_eq!(evaluate(&rules, [1, 1, 0, 0], &["Z"]), []);
    // waiting for a rule that is not run
    let rules = [("Z", "A && NOSUCH"), ("NOT", "!Z")];
    assert_eq!(evaluate(&rules, [0; 4], &["Z"]), []);
}

#[test]
fn bayes_ranges_include_their_lower_end() {
    let bayes = |rule, from, to| Meta { rule, kind: MetaKind::Bayes(from, to), scored: true };
    let (metas, _) = Metas::plan(vec![bayes(0, 0.95, 0.99), bayes(1, 0.99, 1.0)], 2);
    let hits = |probability| metas.evaluate(&[], &[], probability).hits;
    assert_eq!(hits(Some(0.99)), [(1, 1.0)]);
    assert_eq!(hits(Some(0.989)), [(0, 1.0)]);
    assert_eq!(hits(Some(1.0)), [(1, 1.0)]);
    assert_eq!(hits(None), []);
}

#[test]
fn globs_become_sums() {
    let program = Program::parse("rules_matching(__X_*) > 1", |glob| {
        assert_eq!(glob, "__X_*");
        vec!["__X_A".into(), "__X_B".into()]
    });
    let program = program.unwrap();
    assert_eq!(program.names, ["__X_A", "__X_B"]);
    assert_eq!(program.run(&mut Vec::new(), |_| 1.0), 1.0);
    let empty = Program::parse("rules_matching(__NO_*)", |_| vec![]).unwrap();
    assert_eq!(empty.run(&mut Vec::new(), |_| 1.0), 0.0);
}

#[test]
fn broken_expressions_are_errors() {
    for text in ["", "(", "A &&", "A B", "A ? B", "&& A", "A == ", "rules_matching", "1.2.3", "A ~ B", "'x'"]
    {
        assert!(Program::parse(text, |_| vec![]).is_err(), "{text}");
    }
    assert!(Program::parse(&"(".repeat(100_000), |_| vec![]).is_err());
    assert!(Program::parse(&"!".repeat(100_000), |_| vec![]).is_err());
}

proptest::proptest! {
    #[test]
    fn expression_like_text_never_panics(text in r"[AB01 ()!&|<>=+*/?:^.-]{0,40}") {
        if let Ok(program) = Program::parse(&text, |_| vec![]) {
            program.run(&mut Vec::new(), |name| name as f64);
        }
    }
}

#[test]
fn a_meta_that_a_hit_makes_false_wakes_those_that_name_it() {
    let metas = [("M", "!A"), ("N", "!M")];
    assert_eq!(evaluate(&metas, [0; 4], &[]), [("M".to_owned(), 1.0)]);
    assert_eq!(evaluate(&metas, [1, 0, 0, 0], &[]), [("N".to_owned(), 1.0)]);
    let through = [("M", "!A"), ("N", "B && !M"), ("O", "!A || N"), ("P", "!O")];
    assert_eq!(evaluate(&through, [1, 0, 0, 0], &[]), [("P".to_owned(), 1.0)]);
}
