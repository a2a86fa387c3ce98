mod lexer;

use lexer::{Lexer, Token};

fn main() {
    let line = std::env::args().skip(1).collect::<Vec<_>>().join(" ");
    let tokens: Vec<Token> = Lexer::new(&line).collect();
    println!("{tokens:?}");
}
