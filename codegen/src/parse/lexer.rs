//! TL text to tokens, with positions.

use super::Error;

/// The smallest piece of TL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Letters, digits, `_` and `.`.
    Word(String),
    /// Any other character.
    Symbol(char),
    /// The end of the file.
    End,
}

/// How long a word may be, in bytes.
const WORD_LEN_MAX: usize = 256;

/// Walks over a file. Comments gather until somebody takes them; an empty line drops them.
pub(super) struct Lexer<'t> {
    file: &'t str,
    rest: &'t str,
    line: usize,
    column: usize,
    comments: Vec<String>,
}

impl<'t> Lexer<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, rest: text, line: 1, column: 1, comments: Vec::new() }
    }

    pub(super) fn file(&self) -> &str {
        self.file
    }

    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The comment lines seen since the last empty line.
    pub(super) fn take_comments(&mut self) -> Vec<String> {
        core::mem::take(&mut self.comments)
    }

    pub(super) fn error(&self, message: String) -> Error {
        Error { file: self.file.to_owned(), line: self.line, column: self.column, message }
    }

    /// Skips white space and comments; between definitions an empty line parts a comment from what follows it.
    pub(super) fn skip_space(&mut self, between: bool) {
        let mut line_is_empty = false;
        loop {
            if let Some(comment) = self.rest.strip_prefix("//") {
                let end = comment.find('\n').unwrap_or(comment.len());
                let (text, _) = comment.split_at(end);
                if between {
                    let text = text.trim_end();
                    self.comments.push(text.strip_prefix(' ').unwrap_or(text).to_owned());
                }
                self.advance(end + 2);
                line_is_empty = false;
                // The end of the comment's own line is no empty line.
                if self.rest.starts_with('\n') {
                    self.advance(1);
                    line_is_empty = true;
                }
                continue;
            }
            match self.rest.chars().next() {
                Some('\n') => {
                    if between && line_is_empty {
                        self.comments.clear();
                    }
                    line_is_empty = true;
                    self.advance(1);
                }
                Some(c) if c.is_whitespace() => self.advance(c.len_utf8()),
                _ => return,
            }
        }
    }

    /// `---name---` at the current place.
    pub(super) fn section(&mut self) -> Option<&'t str> {
        let rest = self.rest.strip_prefix("---")?;
        let end = rest.find("---")?;
        let (name, _) = rest.split_at(end);
        if name.contains(char::is_whitespace) {
            return None;
        }
        self.advance(end + 6);
        Some(name)
    }

    pub(super) fn peek(&mut self) -> Result<Token, Error> {
        self.skip_space(false);
        let len = word_len(self.rest);
        if len > WORD_LEN_MAX {
            return Err(self.error(format!("a word longer than {WORD_LEN_MAX} bytes")));
        }
        let (word, rest) = self.rest.split_at(len);
        Ok(match (word, rest.chars().next()) {
            ("", None) => Token::End,
            ("", Some(symbol)) => Token::Symbol(symbol),
            (word, _) => Token::Word(word.to_owned()),
        })
    }

    pub(super) fn word(&mut self, expected: &str) -> Result<String, Error> {
        match self.peek()? {
            Token::Word(word) => {
                self.advance(word.len());
                Ok(word)
            }
            other => Err(self.expected(expected, &other)),
        }
    }

    /// Takes `symbol` if it is next.
    pub(super) fn eat(&mut self, symbol: char) -> Result<bool, Error> {
        let found = self.peek()? == Token::Symbol(symbol);
        if found {
            self.advance(symbol.len_utf8());
        }
        Ok(found)
    }

    pub(super) fn expect(&mut self, symbol: char, expected: &str) -> Result<(), Error> {
        if self.eat(symbol)? {
            return Ok(());
        }
        let found = self.peek()?;
        Err(self.expected(expected, &found))
    }

    fn expected(&self, expected: &str, found: &Token) -> Error {
        let found = match found {
            Token::Word(word) => format!("`{word}`"),
            Token::Symbol(symbol) => format!("`{symbol}`"),
            Token::End => "the end of the file".to_owned(),
        };
        self.error(format!("expected {expected}, found {found}"))
    }

    fn advance(&mut self, len: usize) {
        let (passed, rest) = self.rest.split_at(len);
        for c in passed.chars() {
            if c == '\n' {
                self.line += 1;
                self.column = 1;
            } else {
                self.column += 1;
            }
        }
        self.rest = rest;
    }
}

/// How many bytes of `text` are a word. A dot belongs to it only between two word characters.
fn word_len(text: &str) -> usize {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let dotted = c == '.' && at > 0 && chars.peek().is_some_and(|(_, next)| is_word(*next));
        if !is_word(c) && !dotted {
            return at;
        }
    }
    text.len()
}
