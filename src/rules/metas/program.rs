//! Expressions of meta rules: parsed once, run for every message.

use std::fmt;

/// Deeper parentheses are no expression that people write.
const MAX_DEPTH: usize = 100;

/// One step; values live on a stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Step {
    Number(f64),
    /// The value of the name with this index in [`Program::names`].
    Name(u32),
    Not,
    Negate,
    Binary(Operator),
    /// `&&`: goes on behind its right side if the value is false, else drops it.
    And(u32),
    /// `||`: goes on behind its right side if the value is true, else drops it.
    Or(u32),
    /// Takes a value; goes on there if it is false.
    Unless(u32),
    Jump(u32),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Xor,
    Less,
    More,
    AtMost,
    AtLeast,
    Equal,
    Unequal,
}

/// A parsed expression. Names are resolved by the caller.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    steps: Vec<Step>,
    pub names: Vec<String>,
}

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(String);

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Program {
    /// Parses an expression. `rules_matching(glob)` becomes the sum of what `matching` lists.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, matching: impl Fn(&str) -> Vec<String>) -> Result<Program, Error> {
        let mut parser = Parser {
            rest: text.trim(),
            program: Program { steps: Vec::new(), names: Vec::new() },
            depth: 0,
            matching: &matching,
        };
        parser.ternary()?;
        match parser.rest.trim_start() {
            "" => Ok(parser.program),
            rest => Err(Error(format!("`{}` in an expression", rest.chars().take(20).collect::<String>()))),
        }
    }

    /// An expression that is never true.
    pub fn never() -> Program {
        Program { steps: vec![Step::Number(0.0)], names: Vec::new() }
    }

    /// What it does, step by step.
    pub(super) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// The value of the expression, where `value` gives those of its names.
    pub fn run(&self, stack: &mut Vec<f64>, value: impl Fn(usize) -> f64) -> f64 {
        stack.clear();
        let mut at = 0;
        while let Some(step) = self.steps.get(at) {
            at += 1;
            match *step {
                Step::Number(number) => stack.push(number),
                Step::Name(name) => stack.push(value(name as usize)),
                Step::Not => {
                    let top = pop(stack);
                    stack.push(truth(top == 0.0));
                }
                Step::Negate => {
                    let top = pop(stack);
                    stack.push(-top);
                }
                Step::Binary(operator) => {
                    let right = pop(stack);
                    let left = pop(stack);
                    stack.push(operator.apply(left, right));
                }
                Step::And(end) | Step::Or(end) => {
                    let goes_on =
                        (stack.last().copied().unwrap_or_default() != 0.0) == matches!(step, Step::And(_));
                    match goes_on {
                        true => drop(stack.pop()),
                        false => at = end as usize,
                    }
                }
                Step::Unless(otherwise) => {
                    if pop(stack) == 0.0 {
                        at = otherwise as usize;
                    }
                }
                Step::Jump(to) => at = to as usize,
            }
        }
        pop(stack)
    }
}

impl Operator {
    fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Operator::Add => left + right,
            Operator::Subtract => left - right,
            Operator::Multiply => left * right,
            // Perl dies here, and the rule does not hit
            Operator::Divide if right == 0.0 => 0.0,
            Operator::Divide => left / right,
            Operator::Xor => ((left as u64) ^ (right as u64)) as f64,
            Operator::Less => truth(left < right),
            Operator::More => truth(left > right),
            Operator::AtMost => truth(left <= right),
            Operator::AtLeast => truth(left >= right),
            Operator::Equal => truth(left == right),
            Operator::Unequal => truth(left != right),
        }
    }
}

fn truth(value: bool) -> f64 {
    f64::from(u8::from(value))
}

fn pop(stack: &mut Vec<f64>) -> f64 {
    stack.pop().unwrap_or_default()
}

/// Recursive descent by Perl's precedences: `?:`, `||`, `&&`, `^`, equality, comparison, sum, product, prefix.
struct Parser<'a, M> {
    rest: &'a str,
    program: Program,
    depth: usize,
    matching: &'a M,
}

impl<M: Fn(&str) -> Vec<String>> Parser<'_, M> {
    fn ternary(&mut self) -> Result<(), Error> {
        self.or()?;
        if !self.takes("?") {
            return Ok(());
        }
        let unless = self.push(Step::Unless(0));
        self.nested(Self::ternary)?;
        let jump = self.push(Step::Jump(0));
        if !self.takes(":") {
            return Err(Error("`?` without `:`".into()));
        }
        self.land(unless);
        self.nested(Self::ternary)?;
        self.land(jump);
        Ok(())
    }

    fn or(&mut self) -> Result<(), Error> {
        self.and()?;
        while self.takes("||") {
            let jump = self.push(Step::Or(0));
            self.and()?;
            self.land(jump);
        }
        Ok(())
    }

    fn and(&mut self) -> Result<(), Error> {
        self.xor()?;
        while self.takes("&&") {
            let jump = self.push(Step::And(0));
            self.xor()?;
            self.land(jump);
        }
        Ok(())
    }

    fn xor(&mut self) -> Result<(), Error> {
        self.left(Self::equality, &[("^", Operator::Xor)])
    }

    fn equality(&mut self) -> Result<(), Error> {
        self.left(Self::comparison, &[("==", Operator::Equal), ("!=", Operator::Unequal)])
    }

    fn comparison(&mut self) -> Result<(), Error> {
        let operators = [
            ("<=", Operator::AtMost),
            (">=", Operator::AtLeast),
            ("<", Operator::Less),
            (">", Operator::More),
        ];
        self.left(Self::sum, &operators)
    }

    fn sum(&mut self) -> Result<(), Error> {
        self.left(Self::product, &[("+", Operator::Add), ("-", Operator::Subtract)])
    }

    fn product(&mut self) -> Result<(), Error> {
        self.left(Self::prefix, &[("*", Operator::Multiply), ("/", Operator::Divide)])
    }

    fn left(
        &mut self,
        operand: fn(&mut Self) -> Result<(), Error>,
        operators: &[(&str, Operator)],
    ) -> Result<(), Error> {
        operand(self)?;
        while let Some((_, operator)) = operators.iter().find(|(sign, _)| self.takes(sign)) {
            operand(self)?;
            self.push(Step::Binary(*operator));
        }
        Ok(())
    }

    fn prefix(&mut self) -> Result<(), Error> {
        if self.takes("!") {
            self.nested(Self::prefix)?;
            self.push(Step::Not);
        } else if self.takes("-") {
            self.nested(Self::prefix)?;
            self.push(Step::Negate);
        } else if self.takes("+") {
            self.nested(Self::prefix)?;
        } else if self.takes("(") {
            self.nested(Self::ternary)?;
            if !self.takes(")") {
                return Err(Error("an open parenthesis".into()));
            }
        } else {
            self.atom()?;
        }
        Ok(())
    }

    fn nested(&mut self, inner: fn(&mut Self) -> Result<(), Error>) -> Result<(), Error> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Error("nested too deep".into()));
        }
        inner(self)?;
        self.depth -= 1;
        Ok(())
    }

    fn atom(&mut self) -> Result<(), Error> {
        let text = self.rest.trim_start();
        let is_number = text.starts_with(|char: char| char.is_ascii_digit() || char == '.');
        let of_word = |char: char| char.is_ascii_alphanumeric() || char == '_' || (is_number && char == '.');
        let end = text.find(|char| !of_word(char)).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        match word {
            "" => {
                return Err(Error(format!(
                    "`{}` where a value should be",
                    text.chars().take(20).collect::<String>()
                )));
            }
            "local_tests_only" => {
                self.push(Step::Number(1.0));
            }
            "rules_matching" => return self.matching(),
            word if is_number => {
                let number = word.parse().map_err(|_| Error(format!("`{word}` is no number")))?;
                self.push(Step::Number(number));
            }
            name => self.name(name),
        }
        Ok(())
    }

    fn name(&mut self, name: &str) {
        let index = self.program.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.program.names.push(name.to_owned());
            self.program.names.len() - 1
        });
        self.push(Step::Name(index as u32));
    }

    fn matching(&mut self) -> Result<(), Error> {
        let inner = self.rest.trim_start().strip_prefix('(');
        let (glob, rest) =
            inner.and_then(|inner| inner.split_once(')')).ok_or(Error("rules_matching without ()".into()))?;
        self.rest = rest;
        self.push(Step::Number(0.0));
        for name in (self.matching)(glob.trim()) {
            self.name(&name);
            self.push(Step::Binary(Operator::Add));
        }
        Ok(())
    }

    fn push(&mut self, step: Step) -> usize {
        self.program.steps.push(step);
        self.program.steps.len() - 1
    }

    /// Makes the jump at `from` lead to the next step.
    fn land(&mut self, from: usize) {
        let here = self.program.steps.len() as u32;
        if let Some(Step::And(to) | Step::Or(to) | Step::Unless(to) | Step::Jump(to)) =
            self.program.steps.get_mut(from)
        {
            *to = here;
        }
    }

    fn takes(&mut self, sign: &str) -> bool {
        let rest = self.rest.trim_start();
        let Some(after) = rest.strip_prefix(sign) else { return false };
        // `!` is not the beginning of `!=`
        if sign == "!" && after.starts_with('=') {
            return false;
        }
        self.rest = after;
        true
    }
}
