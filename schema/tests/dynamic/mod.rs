//! TL without generated code: reads and writes any value of a schema that was only parsed.
//!
//! It knows nothing of the codecs under test, so that the two judge each other.

mod sample;

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use codegen::parse::{Definition, Kind, Name, Type};
use tl::Cursor;

pub(crate) use sample::{Fill, Palette, Sampler};

/// The id of a boxed `Vector`.
const VECTOR: u32 = tl::VECTOR_ID;

/// A schema, by id and by type.
#[derive(Default)]
pub(crate) struct Schema {
    /// Constructors by id.
    pub(crate) constructors: BTreeMap<u32, Definition>,
    /// Functions by id.
    pub(crate) functions: BTreeMap<u32, Definition>,
    /// The constructors of each type.
    pub(crate) types: BTreeMap<Name, Vec<u32>>,
    /// Constructors by name, for bare ones.
    bare: BTreeMap<Name, u32>,
}

/// What the runtime defines itself.
const BUILT_IN: &[&str] = &["boolFalse", "boolTrue", "true", "vector", "int128", "int256"];

impl Schema {
    /// The schema of these definitions.
    pub(crate) fn new(definitions: Vec<Definition>) -> Self {
        let mut schema = Self::default();
        for definition in definitions {
            if BUILT_IN.contains(&definition.name.to_string().as_str()) {
                continue;
            }
            match definition.kind {
                Kind::Function => {
                    schema.functions.insert(definition.id, definition);
                }
                Kind::Constructor => {
                    let ids = schema.types.entry(definition.result.name.clone()).or_default();
                    ids.push(definition.id);
                    schema.bare.insert(definition.name.clone(), definition.id);
                    schema.constructors.insert(definition.id, definition);
                }
            }
        }
        schema
    }

    /// Our own files: of constructors and functions the newest shapes.
    pub(crate) fn ours(paths: &[&str]) -> Self {
        let definitions = read_ours(paths);
        Self::new(definitions.into_iter().filter(|definition| !definition.is_old()).collect())
    }

    /// Walks over a value of type `ty`.
    pub(crate) fn read(&self, ty: &Type, input: &mut Cursor<'_>) -> Result<(), String> {
        let position = input.position();
        let failed = |error: tl::DecodeError| format!("{ty} at byte {position}: {error}");
        let argument = ty.arguments.first();
        match (simple(ty), argument) {
            ("int", _) => input.i32().map(drop).map_err(failed),
            ("long", _) => input.i64().map(drop).map_err(failed),
            ("double", _) => input.f64().map(drop).map_err(failed),
            ("int128", _) => input.take(16).map(drop).map_err(failed),
            ("int256", _) => input.take(32).map(drop).map_err(failed),
            ("string", _) => input.str().map(drop).map_err(failed),
            ("bytes", _) => input.bytes().map(drop).map_err(failed),
            ("Object", _) => {
                input.rest();
                Ok(())
            }
            ("Bool", _) => match input.u32().map_err(failed)? {
                tl::BOOL_TRUE_ID | tl::BOOL_FALSE_ID => Ok(()),
                id => Err(format!("Bool at byte {position}: {id:08x}")),
            },
            ("Vector" | "vector", Some(of)) => {
                if ty.name.ident == "Vector" {
                    let id = input.u32().map_err(failed)?;
                    if id != VECTOR {
                        return Err(format!("{ty} at byte {position}: {id:08x}"));
                    }
                }
                for index in 0..input.u32().map_err(failed)? {
                    self.read(of, input).map_err(|error| format!("[{index}] {error}"))?;
                }
                Ok(())
            }
            _ if ty.bang => {
                input.rest();
                Ok(())
            }
            _ => {
                if let Some(id) = self.bare(ty) {
                    return self.fields(&self.constructors[&id], input).map(drop);
                }
                let id = input.u32().map_err(failed)?;
                let known = self.types.get(&ty.name).is_some_and(|ids| ids.contains(&id));
                match self.constructors.get(&id).filter(|_| known) {
                    Some(definition) => self.fields(definition, input).map(drop),
                    None => Err(format!("{ty} at byte {position}: unknown {id:08x}")),
                }
            }
        }
    }

    /// Walks over the fields of a value, and says where each one is; of a bare flag that is set that is nowhere.
    ///
    /// Bits that the definition does not name are passed over, as clients do: a bit with a value behind it would have given the
    /// constructor another id.
    pub(crate) fn fields<'d>(
        &self,
        definition: &'d Definition,
        input: &mut Cursor<'_>,
    ) -> Result<BTreeMap<&'d str, Range<usize>>, String> {
        let mut flags: BTreeMap<&str, u32> = BTreeMap::new();
        let mut places = BTreeMap::new();
        for field in &definition.fields {
            if field.ty.name.ident == "#" {
                flags.insert(&field.name, input.u32().map_err(|e| e.to_string())?);
                continue;
            }
            let start = input.position();
            let condition = field.condition.as_ref();
            let absent = condition.is_some_and(|condition| {
                let flags = flags.get(condition.flags.as_str()).copied().unwrap_or(0);
                flags & (1 << condition.bit) == 0
            });
            if absent {
                continue;
            }
            if condition.is_none() || field.ty.name.ident != "true" {
                self.read(&field.ty, input)
                    .map_err(|error| format!("{}.{}: {error}", definition.name, field.name))?;
            }
            places.insert(field.name.as_str(), start..input.position());
        }
        Ok(places)
    }

    /// The constructor that `ty` names without its id on the wire.
    fn bare(&self, ty: &Type) -> Option<u32> {
        if ty.percent {
            return self.types.get(&ty.name).and_then(|ids| ids.first().copied());
        }
        self.bare.get(&ty.name).copied().filter(|_| ty.name.is_lower())
    }
}

/// The name of a type without a namespace; nothing of others, which are never built in.
fn simple(ty: &Type) -> &str {
    if ty.name.namespace.is_none() { &ty.name.ident } else { "" }
}

/// The definitions of files of this package; a folder stands for all in it.
pub(crate) fn read_ours(paths: &[&str]) -> Vec<Definition> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths: Vec<PathBuf> = paths.iter().map(|path| folder.join(path)).collect();
    codegen::read(&paths).unwrap_or_else(|error| panic!("{error}"))
}
