//! Values out of nothing: bytes of any constructor, with no two fields alike.

use std::collections::BTreeMap;

use codegen::parse::{Definition, Name, Type};
use tl::Sink as _;

use super::{Schema, VECTOR, simple};

/// Which optional fields a value has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// None; and vectors are empty.
    Least,
    /// All of the value and of what is right in it.
    Most,
    /// As the seed decides.
    Some(u64),
}

/// Beyond this depth values are as small as they can be.
const DEPTH_MAX: usize = 4;

/// A schema, and which of its constructors values are made of.
pub(crate) struct Palette<'s> {
    schema: &'s Schema,
    /// How deep a value of each constructor must at least be nested; only of those that may be used and can be made.
    heights: BTreeMap<u32, usize>,
    /// The constructors of each type that can be made, the least deep first.
    types: BTreeMap<&'s Name, Vec<u32>>,
}

impl<'s> Palette<'s> {
    /// The constructors of `schema` that are `allowed`.
    pub(crate) fn new(schema: &'s Schema, allowed: impl Fn(&Definition) -> bool) -> Self {
        let mut palette = Self { schema, heights: BTreeMap::new(), types: BTreeMap::new() };
        let mut open: Vec<&Definition> =
            schema.constructors.values().filter(|definition| allowed(definition)).collect();
        // Level by level, so that each height is the least there is.
        for level in 0.. {
            let (ready, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(|definition| {
                let mut required = definition.fields.iter().filter(|it| it.condition.is_none());
                required.all(|field| palette.possible(&field.ty))
            });
            if ready.is_empty() {
                break;
            }
            for definition in ready {
                palette.heights.insert(definition.id, level);
                palette.types.entry(&definition.result.name).or_default().push(definition.id);
            }
            open = rest;
        }
        palette
    }

    /// Whether a value of this type can be made at all.
    fn possible(&self, ty: &Type) -> bool {
        if let Some(id) = self.schema.bare(ty) {
            return self.heights.contains_key(&id);
        }
        let made_of_constructors = self.schema.types.contains_key(&ty.name);
        !made_of_constructors || self.types.contains_key(&ty.name)
    }
}

/// Writes values.
pub(crate) struct Sampler<'p> {
    palette: &'p Palette<'p>,
    fill: Fill,
    state: u64,
    /// The next constructor of each type.
    turns: BTreeMap<&'p Name, usize>,
}

impl<'p> Sampler<'p> {
    /// A sampler of these constructors.
    pub(crate) fn new(palette: &'p Palette<'p>, fill: Fill) -> Self {
        let seed = match fill {
            Fill::Some(seed) => seed,
            Fill::Least | Fill::Most => 0,
        };
        let state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        Self { palette, fill, state, turns: BTreeMap::new() }
    }

    /// A value of the constructor or function `definition`, id first.
    ///
    /// `None` if something that it requires has no constructor that is allowed.
    pub(crate) fn boxed(&mut self, definition: &'p Definition) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        out.u32(definition.id);
        self.fields(definition, 0, &mut out)?;
        Some(out)
    }

    fn random(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    fn fields(
        &mut self,
        definition: &'p Definition,
        depth: usize,
        out: &mut Vec<u8>,
    ) -> Option<()> {
        let mut flags: BTreeMap<&str, u32> = BTreeMap::new();
        for field in &definition.fields {
            if field.ty.name.ident == "#" {
                let conditions = definition.fields.iter().filter_map(|f| f.condition.as_ref());
                let conditions = conditions.filter(|condition| condition.flags == field.name);
                let used = conditions.fold(0, |used, condition| used | (1 << condition.bit));
                let absent = self.absent(definition, &field.name);
                let value = self.flags(used, depth) & !absent;
                flags.insert(&field.name, value);
                out.u32(value);
                continue;
            }
            if let Some(condition) = &field.condition {
                let value = flags.get(condition.flags.as_str()).copied().unwrap_or(0);
                if value & (1 << condition.bit) == 0 || field.ty.name.ident == "true" {
                    continue;
                }
            }
            self.write(&field.ty, depth + 1, out)?;
        }
        Some(())
    }

    fn flags(&mut self, used: u32, depth: usize) -> u32 {
        match self.fill {
            _ if depth >= DEPTH_MAX => 0,
            Fill::Least => 0,
            Fill::Most if depth < 2 => used,
            Fill::Most => 0,
            Fill::Some(_) => {
                let [a, b, c, d, ..] = self.random().to_le_bytes();
                used & u32::from_le_bytes([a, b, c, d])
            }
        }
    }

    /// The bits of optional fields for which there is no constructor.
    fn absent(&self, definition: &Definition, flags: &str) -> u32 {
        let conditions = definition.fields.iter().filter(|field| !self.palette.possible(&field.ty));
        let conditions = conditions.filter_map(|field| field.condition.as_ref());
        let conditions = conditions.filter(|condition| condition.flags == flags);
        conditions.fold(0, |absent, condition| absent | (1 << condition.bit))
    }

    fn count(&mut self, depth: usize) -> u32 {
        match self.fill {
            _ if depth >= DEPTH_MAX => 0,
            Fill::Least => 0,
            Fill::Most if depth < 3 => 2,
            Fill::Most => 0,
            Fill::Some(_) if depth < 3 => u32::try_from(self.random() % 4).unwrap_or(0),
            Fill::Some(_) => u32::try_from(self.random() % 2).unwrap_or(0),
        }
    }

    /// Appends a value of a type that stands `depth` levels deep.
    pub(crate) fn write(&mut self, ty: &'p Type, depth: usize, out: &mut Vec<u8>) -> Option<()> {
        match (simple(ty), ty.arguments.first()) {
            ("int", _) => out.put(&self.random().to_le_bytes()[..4]),
            ("long", _) => out.put(&self.random().to_le_bytes()),
            ("double", _) => {
                let value = f64::from(u16::try_from(self.random() % 10_000).unwrap_or(0)) + 0.5;
                out.put(&value.to_le_bytes());
            }
            ("int128", _) => out.put(&[self.random().to_le_bytes(); 2].concat()),
            ("int256", _) => out.put(&[self.random().to_le_bytes(); 4].concat()),
            ("string", _) => {
                let text = format!("{:x}", self.random());
                let len = usize::try_from(self.random() % 12).unwrap_or(0).min(text.len());
                out.bytes(&text.as_bytes()[..len]);
            }
            ("bytes", _) => {
                let bytes = self.random().to_le_bytes();
                let len = usize::try_from(self.random() % 9).unwrap_or(0);
                out.bytes(&bytes[..len]);
            }
            // A ping stands for anything.
            ("Object", _) => self.raw(out),
            _ if ty.bang => self.raw(out),
            ("Bool", _) => {
                let id = if self.random().is_multiple_of(2) {
                    tl::BOOL_TRUE_ID
                } else {
                    tl::BOOL_FALSE_ID
                };
                out.u32(id);
            }
            ("Vector" | "vector", Some(of)) => {
                if ty.name.ident == "Vector" {
                    out.u32(VECTOR);
                }
                let count = if self.palette.possible(of) { self.count(depth) } else { 0 };
                out.u32(count);
                for _ in 0..count {
                    self.write(of, depth + 1, out)?;
                }
            }
            _ => {
                let (palette, schema) = (self.palette, self.palette.schema);
                if let Some(id) = schema.bare(ty) {
                    return self.fields(&schema.constructors[&id], depth, out);
                }
                let (name, ids) = palette.types.get_key_value(&ty.name)?;
                let id = if depth >= DEPTH_MAX {
                    *ids.first()?
                } else {
                    let skip = match self.fill {
                        Fill::Some(seed) => usize::try_from(seed).unwrap_or(0),
                        Fill::Least | Fill::Most => 0,
                    };
                    let turn = self.turns.entry(name).or_insert(skip);
                    *turn += 1;
                    ids[*turn % ids.len()]
                };
                out.u32(id);
                self.fields(&schema.constructors[&id], depth, out)?;
            }
        }
        Some(())
    }

    fn raw(&mut self, out: &mut Vec<u8>) {
        out.u32(0x7abe_77ec);
        out.put(&self.random().to_le_bytes());
    }
}
