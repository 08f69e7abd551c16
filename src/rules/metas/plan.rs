//! Which metas have to be looked at, in which order, and what comes out.

use super::program::Program;

/// What is known of a rule when metas are planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Has hits of its own, by its id.
    Counts(u32),
    /// The meta with this index.
    Meta(u32),
    /// Is never run (score 0, network tests), or is not defined: counts 0.
    NotRun,
}

/// A meta to plan.
#[derive(Clone, Debug)]
pub struct Meta {
    pub rule: u32,
    pub kind: MetaKind,
    /// Whether it has a score other than 0. Without one it never hits, and holds up those that name it.
    pub scored: bool,
}

/// How its value comes about.
#[derive(Clone, Debug)]
pub enum MetaKind {
    /// An expression, with what its names stand for.
    Expression(Program, Vec<Standing>),
    /// 1 where the Bayes probability is in the range (upper end excluded, unless it is 1).
    Bayes(f64, f64),
}

/// All metas in an order that puts dependencies first.
#[derive(Debug, Default)]
pub struct Metas {
    pub(super) metas: Vec<Meta>,
    /// True without any hit: looked at in every message.
    always: Vec<u32>,
    /// The value of each without any hit, and without Bayes.
    unhit: Vec<f64>,
    /// Whether one that it names, or itself, may be held up.
    careful: Vec<bool>,
    /// For each rule id, the metas that name it.
    of_rule: Vec<Vec<u32>>,
    /// For each meta, the metas that name it.
    of_meta: Vec<Vec<u32>>,
}

/// What metas came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Rules that hit, with their value.
    pub hits: Vec<(u32, f64)>,
}

/// A value that is not known yet and never will be: a dependency is held up.
const BLOCKED: f64 = f64::NAN;

impl Metas {
    /// Plans `metas`; `rules` is the number of rule ids. Those in a circle are dropped and returned: their
    /// value is 0.
    pub fn plan(metas: Vec<Meta>, rules: usize) -> (Metas, Vec<u32>) {
        let (order, circular) = sorted(&metas);
        let dropped = circular.iter().filter_map(|&index| metas.get(index)).map(|meta| meta.rule).collect();
        let mut position = vec![None; metas.len()];
        for (to, &from) in order.iter().enumerate() {
            position[from] = Some(to as u32);
        }
        let mut planned = Metas {
            metas: Vec::with_capacity(order.len()),
            always: Vec::new(),
            unhit: Vec::new(),
            careful: Vec::with_capacity(order.len()),
            of_rule: vec![Vec::new(); rules],
            of_meta: vec![Vec::new(); order.len()],
        };
        for &from in &order {
            let mut meta = metas[from].clone();
            let here = planned.metas.len() as u32;
            if let MetaKind::Expression(_, names) = &mut meta.kind {
                for name in names.iter_mut() {
                    if let Standing::Meta(index) = *name {
                        *name = position[index as usize].map_or(Standing::NotRun, Standing::Meta);
                    }
                    let dependents = match *name {
                        Standing::Counts(rule) => planned.of_rule.get_mut(rule as usize),
                        Standing::Meta(index) => planned.of_meta.get_mut(index as usize),
                        Standing::NotRun => None,
                    };
                    if let Some(dependents) = dependents.filter(|list| list.last() != Some(&here)) {
                        dependents.push(here);
                    }
                }
            }
            let is_careful =
                |name: &Standing| matches!(name, Standing::Meta(on) if planned.is_careful(*on as usize));
            let careful = match &meta.kind {
                MetaKind::Expression(_, names) => !meta.scored || names.iter().any(is_careful),
                MetaKind::Bayes(..) => !meta.scored,
            };
            planned.careful.push(careful);
            planned.metas.push(meta);
        }
        planned.find_always();
        (planned, dropped)
    }

    fn is_careful(&self, at: usize) -> bool {
        self.careful.get(at).copied().unwrap_or(true)
    }

    /// Metas whose value without any hit is not 0, and those that name a meta without a score.
    fn find_always(&mut self) {
        let mut values = vec![0.0; self.metas.len()];
        let mut stack = Vec::new();
        for at in 0..self.metas.len() {
            values[at] = self.value(at, |_| 0, &values, None, &mut stack);
            if values[at] != 0.0 || matches!(self.metas[at].kind, MetaKind::Bayes(..)) {
                self.always.push(at as u32);
            }
        }
        self.unhit = values;
    }

    /// Evaluates over `counts` (by rule id) of the rules in `hit`, and what Bayes says.
    pub fn evaluate(&self, hit: &[u32], counts: &[u32], probability: Option<f64>) -> Outcome {
        let mut outcome = Outcome::default();
        let mut pending = vec![0u64; self.metas.len().div_ceil(64)];
        let mark = |pending: &mut Vec<u64>, list: &[u32]| {
            for &at in list {
                if let Some(word) = pending.get_mut(at as usize / 64) {
                    *word |= 1 << (at % 64);
                }
            }
        };
        mark(&mut pending, &self.always);
        for &rule in hit {
            mark(&mut pending, self.of_rule.get(rule as usize).map_or(&[], Vec::as_slice));
        }
        let count = |rule: u32| counts.get(rule as usize).copied().unwrap_or_default();
        let mut values = vec![0.0; self.metas.len()];
        let mut stack = Vec::new();
        // dependents stand behind, so what is marked on the way is still met
        for word in 0..pending.len() {
            while pending[word] != 0 {
                let at = word * 64 + pending[word].trailing_zeros() as usize;
                pending[word] &= pending[word] - 1;
                let Some(meta) = self.metas.get(at) else { continue };
                let value = self.value(at, count, &values, probability, &mut stack);
                values[at] = value;
                if value != 0.0 && !value.is_nan() {
                    outcome.hits.push((meta.rule, value));
                }
                // One that is false now may have been what kept another from being true.
                if self.unhit.get(at).is_none_or(|unhit| unhit.to_bits() != value.to_bits()) {
                    mark(&mut pending, &self.of_meta[at]);
                }
            }
        }
        outcome
    }

    fn value(
        &self,
        at: usize,
        count: impl Fn(u32) -> u32,
        values: &[f64],
        probability: Option<f64>,
        stack: &mut Vec<f64>,
    ) -> f64 {
        let Some(meta) = self.metas.get(at) else { return 0.0 };
        let value = match &meta.kind {
            MetaKind::Bayes(from, to) => {
                let inside = |p: f64| p >= *from && (p < *to || *to >= 1.0);
                f64::from(u8::from(probability.is_some_and(inside)))
            }
            MetaKind::Expression(program, names) => {
                let of = |name: usize| match names.get(name) {
                    Some(Standing::Counts(rule)) => f64::from(count(*rule)),
                    Some(Standing::Meta(at)) => values.get(*at as usize).copied().unwrap_or_default(),
                    Some(Standing::NotRun) | None => 0.0,
                };
                if self.is_careful(at) && (0..names.len()).any(|name| of(name).is_nan()) {
                    return BLOCKED;
                }
                // a meta without score waits for rules that are not run, for ever
                if !meta.scored && names.contains(&Standing::NotRun) {
                    return BLOCKED;
                }
                match program.run(stack, of) {
                    // what is true counts its number, or 1
                    value if value > 0.0 => value,
                    0.0 => 0.0,
                    _ => 1.0,
                }
            }
        };
        if !meta.scored && value != 0.0 { BLOCKED } else { value }
    }
}

/// Indices in an order that puts dependencies first, and those that are in circles or depend on one.
fn sorted(metas: &[Meta]) -> (Vec<usize>, Vec<usize>) {
    let mut waits = vec![0usize; metas.len()];
    let mut dependents = vec![Vec::new(); metas.len()];
    for (index, meta) in metas.iter().enumerate() {
        let MetaKind::Expression(_, names) = &meta.kind else { continue };
        for name in names {
            let Standing::Meta(on) = *name else { continue };
            if let Some(list) = dependents.get_mut(on as usize) {
                list.push(index);
                waits[index] += 1;
            }
        }
    }
    let mut order: Vec<usize> = (0..metas.len()).filter(|&index| waits[index] == 0).collect();
    let mut at = 0;
    while let Some(&index) = order.get(at) {
        at += 1;
        for &dependent in &dependents[index] {
            waits[dependent] -= 1;
            if waits[dependent] == 0 {
                order.push(dependent);
            }
        }
    }
    let circular = (0..metas.len()).filter(|&index| waits[index] > 0).collect();
    (order, circular)
}
