/** The workspace of the fake host. */

const LEXER = `//! Turns text into tokens, one at a time.

use crate::token::{Span, Token};

/// Reads characters and remembers where it is.
pub struct Lexer<'a> {
    source: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    pub fn new(source: &'a str) -> Self {
        Self { source, position: 0 }
    }

    fn bump(&mut self) -> Option<char> {
        let c = self.source[self.position..].chars().next()?;
        self.position += c.len_utf8();
        Some(c)
    }

    pub fn next_token(&mut self) -> Token {
        let start = self.position;
        match self.bump() {
            None => Token::End,
            Some('0'..='9') => self.number(start),
            Some('a'..='z' | 'A'..='Z' | '_') => self.word(start),
            Some(c) if c.is_whitespace() => self.next_token(),
            Some(c) => Token::Unknown(c, Span::new(start, self.position)),
        }
    }

    fn number(&mut self, start: usize) -> Token {
        while matches!(self.peek(), Some('0'..='9' | '_')) {
            self.bump();
        }
        Token::Number(self.source[start..self.position].replace('_', ""))
    }
}
`;

const MAIN = `mod lexer;
mod parser;
mod token;

fn main() {
    let source = std::env::args().nth(1).unwrap_or_else(|| "1 + 2".into());
    println!("{:?}", parser::parse(&source));
}
`;

export const SAMPLE: Record<string, string> = {
  "README.md": "# parser-lab\n\nA small parser to try things in.\n\n- `src/lexer.rs` makes tokens\n- `src/parser.rs` makes a tree\n\nRun it with `cargo run -- \"1 + 2\"`.\n",
  "Cargo.toml": '[package]\nname = "parser-lab"\nversion = "0.1.0"\nedition = "2024"\n\n[dependencies]\n',
  ".gitignore": "/target\n",
  "src/main.rs": MAIN,
  "src/lexer.rs": LEXER,
  "src/parser.rs": 'use crate::lexer::Lexer;\n\npub fn parse(source: &str) -> Vec<String> {\n    let _ = Lexer::new(source);\n    Vec::new()\n}\n',
  "src/token.rs": "#[derive(Debug)]\npub enum Token {\n    End,\n    Number(String),\n}\n",
  "tests/lex.rs": "#[test]\nfn number() {\n    assert_eq!(1, 1);\n}\n",
  "web/main.rs": "// Another main.rs, to tell the two apart.\n",
  "web/index.html": "<!doctype html>\n<title>parser-lab</title>\n<p>Hello</p>\n",
  "web/data.json": '{ "name": "parser-lab", "tokens": [1, 2, 3], "nested": { "ok": true } }\n',
};
