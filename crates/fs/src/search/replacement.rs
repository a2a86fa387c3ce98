//! What a match becomes: text as typed, or with the parts that groups of a regular expression found. Pure.

use regex::Captures;

/// What was typed into the field for the replacement.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Replacement {
    parts: Vec<Part>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Part {
    Text(String),
    Group(usize),
    Named(String),
}

impl Replacement {
    /// Text that stands for itself.
    pub fn text(typed: &str) -> Self {
        Self { parts: vec![Part::Text(typed.to_owned())] }
    }

    /// As editors have it: `$1`, `$&` and `$0` for the whole, `${name}`, `$$`, `\n`, `\t`, `\\`. What means nothing stands for
    /// itself. `n_groups`: how many there are, the whole included.
    pub fn with_groups(typed: &str, n_groups: usize) -> Self {
        let mut parts = Parts::default();
        let mut rest = typed;
        while let Some(sign) = rest.chars().next() {
            let taken = match sign {
                '\\' => parts.escape(rest),
                '$' => parts.group(rest, n_groups),
                _ => 0,
            };
            let taken = if taken > 0 { taken } else { parts.sign(sign) };
            rest = &rest[taken..];
        }
        Self { parts: parts.done() }
    }

    /// The text, if it is the same for every match.
    pub fn plain(&self) -> Option<&str> {
        match &self.parts[..] {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }

    pub(super) fn fill(&self, captures: &Captures<'_>) -> String {
        let found = |part: &Part| match part {
            Part::Text(text) => text.clone(),
            Part::Group(idx) => captures.get(*idx).map_or_else(String::new, |found| found.as_str().to_owned()),
            Part::Named(name) => captures.name(name).map_or_else(String::new, |found| found.as_str().to_owned()),
        };
        self.parts.iter().map(found).collect()
    }
}

#[derive(Default)]
struct Parts {
    text: String,
    parts: Vec<Part>,
}

impl Parts {
    fn sign(&mut self, sign: char) -> usize {
        self.text.push(sign);
        sign.len_utf8()
    }

    /// Bytes of the escape at the beginning of `rest`; 0 when there is none.
    fn escape(&mut self, rest: &str) -> usize {
        let sign = match rest.as_bytes().get(1) {
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'\\') => '\\',
            _ => return 0,
        };
        self.text.push(sign);
        2
    }

    fn group(&mut self, rest: &str, n_groups: usize) -> usize {
        let bytes = rest.as_bytes();
        match bytes.get(1) {
            Some(b'$') => {
                self.text.push('$');
                2
            }
            Some(b'&') => self.part(Part::Group(0), 2),
            Some(b'{') => match rest.find('}') {
                Some(end) if end > 2 => {
                    let name = &rest[2..end];
                    let part = name.parse().map_or_else(|_| Part::Named(name.to_owned()), Part::Group);
                    self.part(part, end + 1)
                }
                _ => 0,
            },
            Some(first) if first.is_ascii_digit() => {
                let one = usize::from(first - b'0');
                let two =
                    bytes.get(2).filter(|next| next.is_ascii_digit()).map(|next| one * 10 + usize::from(next - b'0'));
                match two {
                    // “$12” is the twelfth group only where there are so many.
                    Some(two) if two < n_groups => self.part(Part::Group(two), 3),
                    _ if one < n_groups => self.part(Part::Group(one), 2),
                    _ => 0,
                }
            }
            _ => 0,
        }
    }

    fn part(&mut self, part: Part, n_bytes: usize) -> usize {
        self.end_text();
        self.parts.push(part);
        n_bytes
    }

    fn end_text(&mut self) {
        if !self.text.is_empty() {
            self.parts.push(Part::Text(std::mem::take(&mut self.text)));
        }
    }

    fn done(mut self) -> Vec<Part> {
        self.end_text();
        self.parts
    }
}
