//! TL text to definitions.
//!
//! ```text
//! file       = { definition | "---types---" | "---functions---" }
//! definition = name [ "#" hex ] { "{" ident ":" "Type" "}" } { field } "=" type ";"
//! field      = [ ident ":" ] [ flags "." bit "?" ] [ "!" ] type | [ count "*" ] "[" { field } "]" | "?"
//! type       = [ "%" ] name [ "<" type { "," type } ">" ] | "#" | name type      (the last only as a result)
//! ```
//!
//! Comments right above a definition are its documentation; words in them that start with `@` at the start of a line are
//! annotations. Each id is compared with the CRC32 of the definition's canonical text.
//!
//! Source: <https://core.telegram.org/mtproto/TL>, <https://core.telegram.org/mtproto/TL-formal>.

mod canonical;
mod lexer;

use core::fmt;

use lexer::{Lexer, Token};

pub use canonical::crc32;

/// How deep a type may be nested.
const NESTING_MAX: usize = 16;

/// Whether a definition makes a value or asks for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Above `---functions---`.
    Constructor,
    /// Below it.
    Function,
}

/// A name with its namespace: `messages.sendMessage`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// What stands before the dot.
    pub namespace: Option<String>,
    /// What stands behind it.
    pub ident: String,
}

impl Name {
    /// A name from its text.
    #[must_use]
    pub fn new(text: &str) -> Self {
        match text.split_once('.') {
            Some((namespace, ident)) => {
                Self { namespace: Some(namespace.to_owned()), ident: ident.to_owned() }
            }
            None => Self { namespace: None, ident: text.to_owned() },
        }
    }

    /// Whether it starts in lower case: a constructor, a bare type.
    #[must_use]
    pub fn is_lower(&self) -> bool {
        self.ident.starts_with(|c: char| c.is_ascii_lowercase())
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{namespace}.{}", self.ident),
            None => f.write_str(&self.ident),
        }
    }
}

/// A type as a field or a result names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Its name; `#` for flags; a generic's name.
    pub name: Name,
    /// What stands between `<` and `>`.
    pub arguments: Vec<Self>,
    /// Marked with `%`: without its constructor id.
    pub percent: bool,
    /// Marked with `!`: any function whose result is the named generic.
    pub bang: bool,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bang = if self.bang { "!" } else { "" };
        let percent = if self.percent { "%" } else { "" };
        write!(f, "{bang}{percent}{}", self.name)?;
        if let Some((first, others)) = self.arguments.split_first() {
            write!(f, "<{first}")?;
            for other in others {
                write!(f, ",{other}")?;
            }
            f.write_str(">")?;
        }
        Ok(())
    }
}

/// `flags.3?`: the field is there if the bit is set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The flags field.
    pub flags: String,
    /// The bit, 0 to 31.
    pub bit: u32,
}

/// One argument of a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name; empty for the anonymous ones of `vector`.
    pub name: String,
    /// When it is there.
    pub condition: Option<Condition>,
    /// Its type; for a repetition the type of the single thing repeated, spelled as in the text.
    pub ty: Type,
    /// `4*[ int ]` and `[ t ]`: the text of the repetition.
    pub repetition: Option<String>,
}

/// `@name value` in the comment above a definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Annotation {
    /// The word behind `@`.
    pub name: String,
    /// The words up to the next annotation.
    pub value: String,
}

/// One line of a schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: Name,
    /// Its id: as written, or else the CRC32 of its text. The bare `message` has none on the wire all the same.
    pub id: u32,
    /// `{X:Type}`.
    pub generics: Vec<String>,
    /// Its arguments in order.
    pub fields: Vec<Field>,
    /// What it makes, or answers.
    pub result: Type,
    /// The comment above it, without annotations.
    pub docs: Vec<String>,
    /// The annotations in that comment.
    pub annotations: Vec<Annotation>,
    /// Its line in the file, from 1.
    pub line: usize,
    /// The file's name, for messages.
    pub file: String,
}

impl Definition {
    /// The value of an annotation.
    #[must_use]
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.annotations.iter().find(|a| a.name == name).map(|a| a.value.as_str())
    }

    /// Whether something newer has taken its place: annotated `@until N` or `@superseded`.
    #[must_use]
    pub fn is_old(&self) -> bool {
        self.annotation("until").is_some() || self.annotation("superseded").is_some()
    }

    /// Whether `word` is among the values of the annotations called `name`.
    #[must_use]
    pub fn annotates(&self, name: &str, word: &str) -> bool {
        let values = self.annotations.iter().filter(|a| a.name == name);
        values.flat_map(|a| a.value.split_whitespace()).any(|value| value == word)
    }

    /// A message about this definition.
    #[must_use]
    pub fn error(&self, message: impl Into<String>) -> Error {
        Error { file: self.file.clone(), line: self.line, column: 1, message: message.into() }
    }
}

/// What is wrong with a schema, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What was expected, or what is wrong.
    pub message: String,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)
    }
}

impl std::error::Error for Error {}

/// Reads one file.
///
/// # Errors
///
/// The first thing that is no TL, with its position and what was expected there; an id that is not the CRC32 of its
/// line, unless an annotation `@id-of TEXT` names the text that it is the CRC32 of.
pub fn parse(file: &str, text: &str) -> Result<Vec<Definition>, Error> {
    let mut parser = Parser { lexer: Lexer::new(file, text), kind: Kind::Constructor };
    let mut definitions = Vec::new();
    while let Some(definition) = parser.definition()? {
        canonical::check(&definition)?;
        definitions.push(definition);
    }
    Ok(definitions)
}

/// Reads one file without comparing ids: for schemas of others, whose exceptions are known.
///
/// # Errors
///
/// As [`parse`], but for ids.
pub fn parse_unchecked(file: &str, text: &str) -> Result<Vec<Definition>, Error> {
    let mut parser = Parser { lexer: Lexer::new(file, text), kind: Kind::Constructor };
    core::iter::from_fn(|| parser.definition().transpose()).collect()
}

/// Compares the id of a definition with the CRC32 of its line.
///
/// # Errors
///
/// If they differ.
pub fn check_id(definition: &Definition) -> Result<(), Error> {
    canonical::check(definition)
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    kind: Kind,
}

impl Parser<'_> {
    fn definition(&mut self) -> Result<Option<Definition>, Error> {
        loop {
            self.lexer.skip_space(true);
            match self.lexer.section() {
                Some("types") => self.kind = Kind::Constructor,
                Some("functions") => self.kind = Kind::Function,
                Some(other) => {
                    return Err(self.lexer.error(format!("unknown section ---{other}---")));
                }
                None => break,
            }
            self.lexer.take_comments();
        }
        let line = self.lexer.line();
        if self.lexer.peek()? == Token::End {
            return Ok(None);
        }
        let (docs, annotations) = split_annotations(self.lexer.take_comments());
        let name = Name::new(&self.lexer.word("the name of a constructor or function")?);
        let id = if self.lexer.eat('#')? {
            let hex = self.lexer.word("an id of 1 to 8 hexadecimal digits")?;
            let id = u32::from_str_radix(&hex, 16)
                .map_err(|_| self.lexer.error(format!("id `{hex}` is no 32-bit hexadecimal")))?;
            Some(id)
        } else {
            None
        };
        let mut generics = Vec::new();
        let mut fields = Vec::new();
        loop {
            match self.lexer.peek()? {
                Token::Symbol('=') => break,
                Token::Symbol('{') => {
                    self.lexer.expect('{', "`{`")?;
                    generics.push(self.lexer.word("the name of a generic type")?);
                    self.lexer.expect(':', "`:`")?;
                    self.lexer.word("`Type`")?;
                    self.lexer.expect('}', "`}`")?;
                }
                _ => fields.push(self.field()?),
            }
        }
        self.lexer.expect('=', "`=`")?;
        let result = self.result()?;
        self.lexer.expect(';', "`;`")?;
        let mut definition = Definition {
            kind: self.kind,
            name,
            id: 0,
            generics,
            fields,
            result,
            docs,
            annotations,
            line,
            file: self.lexer.file().to_owned(),
        };
        definition.id = id.unwrap_or_else(|| crc32(canonical::text(&definition, false).as_bytes()));
        Ok(Some(definition))
    }

    fn field(&mut self) -> Result<Field, Error> {
        match self.lexer.peek()? {
            Token::Symbol('[') => return self.repetition(String::new()),
            Token::Symbol('#') => {
                self.lexer.expect('#', "`#`")?;
                return Ok(Field {
                    name: String::new(),
                    condition: None,
                    ty: simple("#"),
                    repetition: None,
                });
            }
            Token::Symbol('?') => {
                self.lexer.expect('?', "`?`")?;
                return Ok(Field {
                    name: String::new(),
                    condition: None,
                    ty: simple("?"),
                    repetition: None,
                });
            }
            _ => {}
        }
        let name = self.lexer.word("a field, `{`, or `=`")?;
        if self.lexer.eat('*')? {
            return self.repetition(name);
        }
        self.lexer.expect(':', "`:` and a type")?;
        if self.lexer.peek()? == Token::Symbol('[') {
            let mut field = self.repetition(String::new())?;
            field.name = name;
            return Ok(field);
        }
        if self.lexer.eat('#')? {
            return Ok(Field { name, condition: None, ty: simple("#"), repetition: None });
        }
        if matches!(self.lexer.peek()?, Token::Symbol('!' | '%')) {
            return Ok(Field { name, condition: None, ty: self.type_(0)?, repetition: None });
        }
        let first = self.lexer.word("a type or `flags.N?`")?;
        if !self.lexer.eat('?')? {
            let ty = self.type_from(first, 0)?;
            return Ok(Field { name, condition: None, ty, repetition: None });
        }
        let bit = first.split_once('.').and_then(|(flags, bit)| {
            let bit = bit.parse().ok().filter(|bit| *bit < 32)?;
            Some(Condition { flags: flags.to_owned(), bit })
        });
        let Some(condition) = bit else {
            return Err(self
                .lexer
                .error(format!("`{first}?`: expected `flags.N?` with N from 0 to 31")));
        };
        Ok(Field { name, condition: Some(condition), ty: self.type_(0)?, repetition: None })
    }

    /// `4*[ int ]`, whose count is `count`, and `[ t ]`.
    fn repetition(&mut self, count: String) -> Result<Field, Error> {
        self.lexer.expect('[', "`[`")?;
        let inner = self.lexer.word("the type that is repeated")?;
        self.lexer.expect(']', "`]`")?;
        let text =
            if count.is_empty() { format!("[ {inner} ]") } else { format!("{count}*[ {inner} ]") };
        Ok(Field {
            name: String::new(),
            condition: None,
            ty: simple(&inner),
            repetition: Some(text),
        })
    }

    fn type_(&mut self, depth: usize) -> Result<Type, Error> {
        let bang = self.lexer.eat('!')?;
        let percent = self.lexer.eat('%')?;
        let name = self.lexer.word("a type")?;
        Ok(Type { bang, percent, ..self.type_from(name, depth)? })
    }

    fn type_from(&mut self, name: String, depth: usize) -> Result<Type, Error> {
        if depth > NESTING_MAX {
            return Err(self.lexer.error(format!("types are nested deeper than {NESTING_MAX}")));
        }
        let mut ty = simple(&name);
        if self.lexer.eat('<')? {
            loop {
                ty.arguments.push(self.type_(depth + 1)?);
                if !self.lexer.eat(',')? {
                    break;
                }
            }
            self.lexer.expect('>', "`>`")?;
        }
        Ok(ty)
    }

    fn result(&mut self) -> Result<Type, Error> {
        let mut ty = self.type_(0)?;
        while let Token::Word(_) = self.lexer.peek()? {
            ty.arguments.push(self.type_(0)?);
        }
        Ok(ty)
    }
}

fn simple(name: &str) -> Type {
    Type { name: Name::new(name), arguments: Vec::new(), percent: false, bang: false }
}

/// Parts a comment into its documentation and the annotations: lines whose first word starts with `@`.
fn split_annotations(comments: Vec<String>) -> (Vec<String>, Vec<Annotation>) {
    let mut docs = Vec::new();
    let mut annotations: Vec<Annotation> = Vec::new();
    for line in comments {
        if !line.starts_with('@') {
            docs.push(line);
            continue;
        }
        for word in line.split_whitespace() {
            match (word.strip_prefix('@'), annotations.last_mut()) {
                (Some(name), _) => {
                    annotations.push(Annotation { name: name.to_owned(), value: String::new() });
                }
                (None, Some(last)) => {
                    if !last.value.is_empty() {
                        last.value.push(' ');
                    }
                    last.value.push_str(word);
                }
                (None, None) => {}
            }
        }
    }
    while docs.last().is_some_and(String::is_empty) {
        docs.pop();
    }
    (docs, annotations)
}

#[cfg(test)]
mod tests;
