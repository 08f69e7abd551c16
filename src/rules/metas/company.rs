//! Which rules are not worth looking for, once the headers have been read?
//!
//! Many rules without a score matter in company only: `__A` in `__A && __HEADER` says nothing of a message where
//! `__HEADER` did not hit. For each such rule the cases are worked out in which a rule with a score can still depend on
//! it, as conditions over rules that are known early. They may hold more often than they must, and never less often.

use std::collections::HashSet;

use super::{
    plan::{MetaKind, Metas, Standing},
    program::{Operator, Program, Step},
};

/// More cases than this, or conditions in one, cost more than they save.
const MOST: usize = 12;

/// Early rules that have hit and others that have not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Case {
    hit: Vec<u32>,
    missing: Vec<u32>,
}

/// A condition: at least one of the cases holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Cases(Vec<Case>);

/// What is known of a rule before messages come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// It is known when the headers have been read.
    Early,
    /// It is looked for later.
    Late,
    /// Later too, and in any case: it says more than whether it hits.
    Wanted,
}

/// When rules are worth looking for.
#[derive(Debug, Default)]
pub struct Company {
    /// One behind the other, as all of them are looked at for each message: the number of rules and that of cases, those rules,
    /// and of each case the numbers of its two lists and what stands in them.
    gates: Vec<u32>,
    rules: usize,
}

/// Rules that are not worth looking for in a message: a set of their ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Idle(Vec<u64>);

impl Idle {
    pub fn has(&self, rule: u32) -> bool {
        self.0.get(rule as usize / 64).is_some_and(|word| word >> (rule % 64) & 1 == 1)
    }

    fn add(&mut self, rule: u32) {
        if let Some(word) = self.0.get_mut(rule as usize / 64) {
            *word |= 1 << (rule % 64);
        }
    }
}

impl Company {
    /// The rules that change no score, whatever they would find, where the early rules have these `counts`.
    pub fn idle(&self, counts: &[u32]) -> Idle {
        let mut idle = Idle(vec![0; self.rules.div_ceil(64)]);
        let has = |rule: &u32| counts.get(*rule as usize).is_some_and(|count| *count > 0);
        let mut rest = self.gates.as_slice();
        while let [rules, cases, behind @ ..] = rest {
            let Some((rules, behind)) = behind.split_at_checked(*rules as usize) else { return idle };
            rest = behind;
            let mut holds = false;
            for _ in 0..*cases {
                let [hit, missing, behind @ ..] = rest else { return idle };
                let Some((hit, behind)) = behind.split_at_checked(*hit as usize) else { return idle };
                let Some((missing, behind)) = behind.split_at_checked(*missing as usize) else { return idle };
                rest = behind;
                holds = holds || (hit.iter().all(has) && !missing.iter().any(has));
            }
            if !holds {
                rules.iter().for_each(|rule| idle.add(*rule));
            }
        }
        idle
    }

    fn add(&mut self, rules: &[u32], Cases(cases): &Cases) {
        self.gates.extend([rules.len() as u32, cases.len() as u32]);
        self.gates.extend(rules);
        for Case { hit, missing } in cases {
            self.gates.extend([hit.len() as u32, missing.len() as u32]);
            self.gates.extend(hit.iter().chain(missing));
        }
    }
}

impl Case {
    /// Both together; nothing if they exclude each other.
    fn and(&self, other: &Case) -> Option<Case> {
        let union = |a: &[u32], b: &[u32]| {
            let mut all = [a, b].concat();
            all.sort_unstable();
            all.dedup();
            all
        };
        let both = Case { hit: union(&self.hit, &other.hit), missing: union(&self.missing, &other.missing) };
        (!both.hit.iter().any(|rule| both.missing.contains(rule))).then_some(both)
    }
}

impl Cases {
    fn never() -> Cases {
        Cases::default()
    }

    fn always() -> Cases {
        Cases(vec![Case::default()])
    }

    fn of(known: bool) -> Cases {
        if known { Cases::always() } else { Cases::never() }
    }

    fn hit(rule: u32) -> Cases {
        Cases(vec![Case { hit: vec![rule], missing: Vec::new() }])
    }

    fn missing(rule: u32) -> Cases {
        Cases(vec![Case { hit: Vec::new(), missing: vec![rule] }])
    }

    fn is_always(&self) -> bool {
        self.0.iter().any(|case| *case == Case::default())
    }

    fn or(&self, other: &Cases) -> Cases {
        let mut all = self.clone();
        all.0.extend(other.0.iter().filter(|case| !self.0.contains(case)).cloned());
        if all.is_always() || all.0.len() > MOST { Cases::always() } else { all }
    }

    /// Both, or one of them where both are too much to say.
    fn and(&self, other: &Cases) -> Cases {
        if self.is_always() {
            return other.clone();
        }
        if other.is_always() {
            return self.clone();
        }
        let mut all = Cases::never();
        for one in &self.0 {
            for both in other.0.iter().filter_map(|other| one.and(other)) {
                if !all.0.contains(&both) {
                    all.0.push(both);
                }
            }
        }
        let is_short = |case: &Case| case.hit.len() + case.missing.len() <= MOST;
        match all.0.len() <= MOST && all.0.iter().all(is_short) {
            true => all,
            false if self.0.len() <= other.0.len() => self.clone(),
            false => other.clone(),
        }
    }
}

/// What can become of an expression.
#[derive(Clone, Debug)]
struct Value {
    /// Its number, if it always has the same.
    number: Option<f64>,
    /// When it may be true, and when it may be false.
    truth: Cases,
    falsity: Cases,
    /// For names in it: when its value may depend on theirs.
    depends: Vec<(u32, Cases)>,
}

impl Default for Value {
    fn default() -> Value {
        Value { number: None, truth: Cases::always(), falsity: Cases::always(), depends: Vec::new() }
    }
}

impl Value {
    fn number(number: f64) -> Value {
        let (truth, falsity) = (Cases::of(number != 0.0), Cases::of(number == 0.0));
        Value { number: Some(number), truth, falsity, depends: Vec::new() }
    }

    /// Nothing is known but that it depends on all of these.
    fn of_all(names: usize) -> Value {
        Value { depends: (0..names as u32).map(|name| (name, Cases::always())).collect(), ..Value::default() }
    }

    /// What it depends on, where a condition holds too.
    fn depends_where(&mut self, condition: &Cases) -> Vec<(u32, Cases)> {
        let mut depends = std::mem::take(&mut self.depends);
        if !condition.is_always() {
            depends.iter_mut().for_each(|(_, cases)| *cases = cases.and(condition));
        }
        depends
    }

    fn not(self) -> Value {
        let number = self.number.map(|number| f64::from(u8::from(number == 0.0)));
        Value { number, truth: self.falsity, falsity: self.truth, depends: self.depends }
    }

    /// `&&` is false wherever one side is, so that neither matters then.
    fn and(mut self, mut right: Value) -> Value {
        let depends = joined(self.depends_where(&right.truth), right.depends_where(&self.truth));
        let (truth, falsity) = (self.truth.and(&right.truth), self.falsity.or(&right.falsity));
        Value { number: None, truth, falsity, depends }
    }

    /// `||` returns its left side where that is true: the right one does not matter then.
    fn or(self, mut right: Value) -> Value {
        let depends = joined(self.depends, right.depends_where(&self.falsity));
        let (truth, falsity) = (self.truth.or(&right.truth), self.falsity.and(&right.falsity));
        Value { number: None, truth, falsity, depends }
    }

    fn binary(self, operator: Operator, right: Value) -> Value {
        let depends = joined(self.depends, right.depends);
        // What is more than a number that is not negative is not 0.
        let truth = match (operator, self.number, right.number) {
            (Operator::Add | Operator::Subtract, ..) => self.truth.or(&right.truth),
            (Operator::Multiply, ..) => self.truth.and(&right.truth),
            (Operator::More, _, Some(least)) if least >= 0.0 => self.truth,
            (Operator::AtLeast, _, Some(least)) if least > 0.0 => self.truth,
            (Operator::Less, Some(least), _) if least >= 0.0 => right.truth,
            (Operator::AtMost, Some(least), _) if least > 0.0 => right.truth,
            _ => Cases::always(),
        };
        Value { truth, depends, ..Value::default() }
    }
}

/// What either depends on.
fn joined(mut all: Vec<(u32, Cases)>, more: Vec<(u32, Cases)>) -> Vec<(u32, Cases)> {
    for (name, cases) in more {
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => *known = known.or(&cases),
            None => all.push((name, cases)),
        }
    }
    all
}

impl Program {
    /// What can become of it, where `of` gives that of its names.
    fn value(&self, of: impl Fn(usize) -> Value) -> Value {
        if self.steps().iter().any(|step| matches!(step, Step::Unless(_) | Step::Jump(_))) {
            return Value::of_all(self.names.len());
        }
        let mut stack: Vec<Value> = Vec::new();
        // Where the right side of an `&&` or `||` ends: there both sides become one.
        let mut ends: Vec<(usize, bool)> = Vec::new();
        for at in 0..=self.steps().len() {
            while let Some((_, is_and)) = ends.pop_if(|(end, _)| *end == at) {
                let (right, left) = (stack.pop().unwrap_or_default(), stack.pop().unwrap_or_default());
                stack.push(if is_and { left.and(right) } else { left.or(right) });
            }
            match self.steps().get(at) {
                Some(Step::Number(number)) => stack.push(Value::number(*number)),
                Some(Step::Name(name)) => stack.push(of(*name as usize)),
                Some(Step::Not) => {
                    let top = stack.pop().unwrap_or_default();
                    stack.push(top.not());
                }
                Some(Step::Negate) => {
                    let top = stack.pop().unwrap_or_default();
                    stack.push(Value { number: None, ..top });
                }
                Some(Step::Binary(operator)) => {
                    let (right, left) = (stack.pop().unwrap_or_default(), stack.pop().unwrap_or_default());
                    stack.push(left.binary(*operator, right));
                }
                Some(Step::And(end)) => ends.push((*end as usize, true)),
                Some(Step::Or(end)) => ends.push((*end as usize, false)),
                Some(Step::Unless(_) | Step::Jump(_)) | None => {}
            }
        }
        stack.pop().unwrap_or_default()
    }
}

impl Metas {
    /// When each late rule is worth looking for: `part` says which those are, and `is_symbol` what counts in the end.
    pub fn company(
        &self,
        rules: usize,
        part: impl Fn(u32) -> Part,
        is_symbol: impl Fn(u32) -> bool,
    ) -> Company {
        let values = self.values(&part);
        // Dependents stand behind: from the last one on, what is asked of a meta is known before it is looked at.
        let mut of_metas: Vec<Cases> =
            self.metas.iter().map(|meta| Cases::of(is_symbol(meta.rule))).collect();
        let mut of_rules: Vec<Cases> =
            (0..rules as u32).map(|rule| Cases::of(is_symbol(rule) || part(rule) == Part::Wanted)).collect();
        for at in (0..self.metas.len()).rev() {
            let (Some(value), Some(asked)) = (values.get(at), of_metas.get(at).cloned()) else { continue };
            let MetaKind::Expression(_, names) = &self.metas[at].kind else { continue };
            for (name, cases) in &value.depends {
                let cases = match names.get(*name as usize) {
                    Some(Standing::Counts(rule)) => of_rules.get_mut(*rule as usize),
                    Some(Standing::Meta(on)) => of_metas.get_mut(*on as usize),
                    Some(Standing::NotRun) | None => None,
                }
                .map(|known| (cases.and(&asked), known));
                if let Some((more, known)) = cases {
                    *known = known.or(&more);
                }
            }
        }
        let metas: HashSet<u32> = self.metas.iter().map(|meta| meta.rule).collect();
        let is_late = |rule: u32| part(rule) == Part::Late && !metas.contains(&rule);
        let mut company = Company { gates: Vec::new(), rules };
        // many have the same company
        let mut gates: Vec<(Vec<u32>, Cases)> = Vec::new();
        for (rule, cases) in (0..).zip(of_rules).filter(|(rule, cases)| is_late(*rule) && !cases.is_always())
        {
            match gates.iter_mut().find(|(_, known)| *known == cases) {
                Some((rules, _)) => rules.push(rule),
                None => gates.push((vec![rule], cases)),
            }
        }
        gates.iter().for_each(|(rules, cases)| company.add(rules, cases));
        company
    }

    fn values(&self, part: &impl Fn(u32) -> Part) -> Vec<Value> {
        let mut values: Vec<Value> = Vec::with_capacity(self.metas.len());
        // A meta without a score holds up those that name it, whatever else they say.
        let mut holds_up: Vec<bool> = Vec::with_capacity(self.metas.len());
        for meta in &self.metas {
            let MetaKind::Expression(program, names) = &meta.kind else {
                values.push(Value::default());
                holds_up.push(false);
                continue;
            };
            let held_up = !meta.scored
                || names.iter().any(|name| {
                    matches!(name, Standing::Meta(on) if holds_up.get(*on as usize).copied().unwrap_or(true))
                });
            let of = |name: usize| {
                let (truth, falsity) = match names.get(name) {
                    Some(Standing::Counts(rule)) if part(*rule) == Part::Early => {
                        (Cases::hit(*rule), Cases::missing(*rule))
                    }
                    Some(Standing::Meta(on)) => match values.get(*on as usize) {
                        Some(known) => (known.truth.clone(), known.falsity.clone()),
                        None => (Cases::always(), Cases::always()),
                    },
                    Some(Standing::Counts(_)) => (Cases::always(), Cases::always()),
                    Some(Standing::NotRun) | None => (Cases::never(), Cases::always()),
                };
                let depends = vec![(name as u32, Cases::always())];
                Value { number: None, truth, falsity, depends }
            };
            values.push(if held_up { Value::of_all(names.len()) } else { program.value(of) });
            holds_up.push(held_up);
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Meta, *};

    /// Numbers without end, the same for a seed (splitmix64, Steele, Lea and Flood 2014).
    fn random(seed: u64) -> impl FnMut() -> u64 {
        let mut state = seed;
        move || {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        }
    }

    /// Early rules 0 to 2 and late rules 3 to 5, named `E0` to `L5`; metas `M0`, `M1` ... in order.
    fn metas(texts: &[(&str, bool)]) -> Metas {
        let metas = (6..).zip(texts).map(|(rule, (text, scored))| {
            let program = Program::parse(text, |_| Vec::new()).unwrap();
            let standing = |name: &String| {
                let number: u32 = name[1..].parse().unwrap();
                match &name[..1] {
                    "M" => Standing::Meta(number),
                    "N" => Standing::NotRun,
                    _ => Standing::Counts(number),
                }
            };
            let names = program.names.iter().map(standing).collect();
            Meta { rule, kind: MetaKind::Expression(program, names), scored: *scored }
        });
        Metas::plan(metas.collect(), 6 + texts.len()).0
    }

    fn part(rule: u32) -> Part {
        if rule < 3 { Part::Early } else { Part::Late }
    }

    /// The late rules that are idle where the early ones have these counts and the last meta is the symbol.
    fn idle(texts: &[(&str, bool)], early: [u32; 3]) -> Vec<u32> {
        let symbol = 5 + texts.len() as u32;
        let company = metas(texts).company(6 + texts.len(), part, |rule| rule == symbol);
        let counts = [&early[..], &[0; 3]].concat();
        let idle = company.idle(&counts);
        (3..6).filter(|rule| idle.has(*rule)).collect()
    }

    #[test]
    fn a_rule_is_looked_for_only_where_its_company_is() {
        for (text, early, expected) in [
            ("E0 && L3", [0, 0, 0], vec![3, 4, 5]),
            ("E0 && L3", [1, 0, 0], vec![4, 5]),
            ("!E0 && L3", [1, 0, 0], vec![3, 4, 5]),
            ("E0 || L3", [1, 0, 0], vec![3, 4, 5]),
            ("L3 || E0", [1, 0, 0], vec![4, 5]),
            ("(E0 && L3) || (E1 && L4)", [0, 1, 0], vec![3, 5]),
            ("(E0 + E1 > 0) && L3", [0, 0, 0], vec![3, 4, 5]),
            ("(E0 + L4 > 0) && L3", [0, 0, 0], vec![5]),
            ("(E0 + E1 < 1) && L3", [1, 0, 0], vec![4, 5]),
            ("N0 && L3", [1, 1, 1], vec![3, 4, 5]),
            ("E0 ? L3 : L4", [0, 0, 0], vec![5]),
        ] {
            assert_eq!(idle(&[(text, true)], early), expected, "{text} {early:?}");
        }
        let through = [("L3 && L4", true), ("M0 && !E2", true)];
        assert_eq!(idle(&through, [0, 0, 1]), [3, 4, 5]);
        assert_eq!(idle(&through, [0, 0, 0]), [5]);
    }

    #[test]
    fn a_meta_without_score_holds_up_whatever_else_is_said() {
        let held_up = [("L3", false), ("M0 && E0", true), ("!M1", true)];
        assert_eq!(idle(&held_up, [0, 0, 0]), [4, 5]);
    }

    /// What is idle changes nothing: over all counts of idle rules the symbols stay the same.
    #[test]
    fn what_is_idle_changes_no_symbol() {
        let mut idle_seen = 0;
        for seed in 0..3000_u64 {
            let mut number = random(seed);
            let mut pick = |below: u64| number() % below;
            let operand = |pick: &mut dyn FnMut(u64) -> u64, metas: u64| match pick(8) {
                0..=2 => format!("E{}", pick(3)),
                3..=5 => format!("L{}", 3 + pick(3)),
                6 if metas > 0 => format!("M{}", pick(metas)),
                6 => "N0".to_owned(),
                _ => format!("{}", pick(3)),
            };
            let mut texts = Vec::new();
            for at in 0..3 {
                let mut text = operand(&mut pick, at);
                for _ in 0..1 + pick(4) {
                    let sign = ["&&", "||", "&&", "+", "-", "*", ">", ">=", "<", "=="][pick(10) as usize];
                    let not = if pick(3) == 0 { "!" } else { "" };
                    let right = operand(&mut pick, at);
                    text = match pick(2) {
                        0 => format!("({text}) {sign} {not}{right}"),
                        _ => format!("{not}{right} {sign} ({text})"),
                    };
                }
                texts.push((text, pick(6) > 0));
            }
            let texts: Vec<(&str, bool)> =
                texts.iter().map(|(text, scored)| (text.as_str(), *scored)).collect();
            let metas = metas(&texts);
            let is_symbol = |rule: u32| rule >= 7;
            let company = metas.company(9, part, is_symbol);
            let symbols = |counts: &[u32; 9]| {
                let hit: Vec<u32> = (0..9).filter(|rule| counts[*rule as usize] > 0).collect();
                let hits = metas.evaluate(&hit, counts, None).hits;
                hits.iter().map(|(rule, _)| *rule).filter(|rule| is_symbol(*rule)).collect::<Vec<_>>()
            };
            for case in 0..27_u32 {
                let mut counts = [case % 3, case / 3 % 3, case / 9, 0, 0, 0, 0, 0, 0];
                let idle = company.idle(&counts);
                let is_idle = |rule: usize| idle.has(rule as u32);
                idle_seen += (3..6).filter(|rule| is_idle(*rule)).count();
                for late in 0..27_u32 {
                    let full = [late % 3, late / 3 % 3, late / 9];
                    counts[3..6].copy_from_slice(&full);
                    let with = symbols(&counts);
                    for rule in (3..6).filter(|rule| is_idle(*rule)) {
                        counts[rule] = 0;
                    }
                    assert_eq!(with, symbols(&counts), "{texts:?} {counts:?} {full:?}");
                }
            }
        }
        assert!(idle_seen > 10_000, "only {idle_seen} were idle");
    }
}
