//! `if EXPR`: plugins, features and versions, as SpamAssassin 4.0.1 would answer.

use super::features::Features;

/// Parentheses and prefixes nested deeper than this are no condition.
const MAX_DEPTH: usize = 50;

/// Whether the condition holds.
///
/// # Errors
/// It cannot be read; then it does not hold.
pub fn holds(text: &str, features: &Features) -> Result<bool, String> {
    let mut parser = Parser { rest: text, features, depth: 0 };
    let value = parser.or()?;
    match parser.rest.trim() {
        "" => Ok(value != 0.0),
        rest => Err(format!("`{rest}` in a condition")),
    }
}

struct Parser<'a> {
    rest: &'a str,
    features: &'a Features,
    depth: usize,
}

type Value = Result<f64, String>;

impl Parser<'_> {
    fn or(&mut self) -> Value {
        let mut left = self.and()?;
        while self.takes("||") {
            let right = self.and()?;
            left = truth(left != 0.0 || right != 0.0);
        }
        Ok(left)
    }

    fn and(&mut self) -> Value {
        let mut left = self.compare()?;
        while self.takes("&&") {
            let right = self.compare()?;
            left = truth(left != 0.0 && right != 0.0);
        }
        Ok(left)
    }

    fn compare(&mut self) -> Value {
        let left = self.sum()?;
        for (sign, test) in [
            ("<=", (|a, b| a <= b) as fn(f64, f64) -> bool),
            (">=", |a, b| a >= b),
            ("==", |a, b| a == b),
            ("!=", |a, b| a != b),
            ("<", |a, b| a < b),
            (">", |a, b| a > b),
        ] {
            if self.takes(sign) {
                return Ok(truth(test(left, self.sum()?)));
            }
        }
        Ok(left)
    }

    fn sum(&mut self) -> Value {
        let mut left = self.prefix()?;
        loop {
            if self.takes("+") {
                left += self.prefix()?;
            } else if self.takes("-") {
                left -= self.prefix()?;
            } else {
                return Ok(left);
            }
        }
    }

    fn prefix(&mut self) -> Value {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("a condition that is nested too deep".into());
        }
        let value = if self.takes("!") {
            truth(self.prefix()? == 0.0)
        } else if self.takes("-") {
            -self.prefix()?
        } else if self.takes("(") {
            let value = self.or()?;
            if !self.takes(")") {
                return Err("an open parenthesis in a condition".into());
            }
            value
        } else {
            self.atom()?
        };
        self.depth -= 1;
        Ok(value)
    }

    fn atom(&mut self) -> Value {
        let text = self.rest.trim_start();
        let end = text
            .find(|char: char| !(char.is_ascii_alphanumeric() || matches!(char, '_' | ':' | '.')))
            .unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        match word {
            "version" => Ok(4.000_001),
            "perl_version" => Ok(5.036),
            "local_tests_only" => Ok(1.0),
            "plugin" => Ok(truth(self.features.plugin(self.argument()?))),
            "can" | "has" => Ok(truth(self.features.has(self.argument()?))),
            number => number.parse().map_err(|_| format!("`{text}` in a condition")),
        }
    }

    fn argument(&mut self) -> Result<&str, String> {
        let inner = self.rest.trim_start().strip_prefix('(').ok_or("a name without parentheses")?;
        let (argument, rest) = inner.split_once(')').ok_or("an open parenthesis in a condition")?;
        self.rest = rest;
        Ok(argument.trim())
    }

    fn takes(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        // `!` must not eat the first half of `!=`
        match rest.strip_prefix(token) {
            Some(after) if token != "!" || !after.starts_with('=') => {
                self.rest = after;
                true
            }
            _ => false,
        }
    }
}

fn truth(value: bool) -> f64 {
    f64::from(u8::from(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> bool {
        holds(text, &Features::standard()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn versions_plugins_and_features() {
        assert!(check("(version >= 3.004002)") && check("version < 4.000002") && !check("version >= 4.1"));
        assert!(check("plugin(Mail::SpamAssassin::Plugin::MIMEHeader)"));
        assert!(!check("plugin ( Mail::SpamAssassin::Plugin::DCC )"));
        assert!(check("!plugin(Mail::SpamAssassin::Plugin::DCC) && !(version != 4.000001)"));
        assert!(check("can(Mail::SpamAssassin::Conf::feature_bug6558_free)"));
        assert!(!check("can(Mail::SpamAssassin::Conf::no_such_thing)"));
        assert!(check("has(Mail::SpamAssassin::Plugin::BodyEval::has_check_body_length)"));
        assert!(!check("can(Mail::SpamAssassin::Plugin::DecodeShortURLs::has_get)"));
        assert!(check("0 || 2 - 1 && !0"));
    }

    #[test]
    fn what_is_no_condition() {
        for text in ["", "nonsense", "(1", "1 1", "plugin", "can(x", "1 &&", "&"] {
            assert!(holds(text, &Features::standard()).is_err(), "{text}");
        }
        assert!(holds(&"(".repeat(10_000), &Features::standard()).is_err());
        assert!(holds(&"!".repeat(10_000), &Features::standard()).is_err());
    }
}
