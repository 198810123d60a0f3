//! Definitions to what the emitters need: resolved types, who borrows, who is recursive, who is reachable.
//!
//! A TL type with one constructor is that constructor's struct; with several it is an enum over their structs. Old shapes of a
//! constructor or function (annotated `@until N` or `@superseded`) are kept beside the newest one.

mod reach;

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    names,
    parse::{Condition, Definition, Error, Kind, Name, Type},
};

/// Names that the runtime defines itself.
const BUILT_IN: &[&str] = &["boolFalse", "boolTrue", "true", "vector", "int128", "int256"];

/// Who owns strings and bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strings {
    /// Everything borrows from the input.
    Borrowed,
    /// Constructors own; functions borrow their direct fields.
    Owned,
}

/// What the model of one module is made from.
#[derive(Debug, Clone)]
pub struct Source<'m> {
    /// Where the module will be: `crate::api`.
    pub module: &'m str,
    /// Who owns strings.
    pub strings: Strings,
    /// Whether requests come in and answers go out, so that the reverse codecs are for clients only.
    pub directed: bool,
    /// Modules whose types may be used.
    pub imports: Vec<&'m Model>,
}

/// A resolved type of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ty {
    /// `int`
    Int,
    /// `long`
    Long,
    /// `double`
    Double,
    /// `Bool`
    Bool,
    /// `string`
    String,
    /// `bytes`
    Bytes,
    /// `int128`, `int256`: that many bytes.
    Array(usize),
    /// `true`, which only a flag says.
    True,
    /// `#`
    Flags,
    /// `Object`, `!X`: the rest of the input.
    Raw,
    /// `Vector<…>`; bare if spelled `vector<…>`.
    Vector {
        /// Without the vector's id.
        bare: bool,
        /// What it holds.
        of: Box<Self>,
    },
    /// A type by its name, boxed.
    Named(Name),
    /// A constructor by its name, bare.
    Bare(Name),
}

/// A resolved field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name in TL.
    pub name: String,
    /// Its name in Rust.
    pub ident: String,
    /// When it is there.
    pub condition: Option<Condition>,
    /// Its type.
    pub ty: Ty,
    /// Whether the value is behind a `Box`, because it may contain what contains it.
    pub boxed: bool,
}

impl Field {
    /// Whether its Rust type is an `Option`.
    #[must_use]
    pub fn is_option(&self) -> bool {
        self.condition.is_some() && self.ty != Ty::True
    }

    /// Whether it is a field of the Rust struct at all.
    #[must_use]
    pub fn is_stored(&self) -> bool {
        self.ty != Ty::Flags
    }
}

/// A definition with resolved fields.
#[derive(Clone, Debug)]
pub struct Shape {
    /// The line itself.
    pub definition: Definition,
    /// Its fields.
    pub fields: Vec<Field>,
    /// First layer that has anything of this name.
    pub since: Option<u16>,
    /// Whether something in it borrows.
    pub borrows: bool,
}

impl Shape {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Name {
        &self.definition.name
    }

    /// The fields of the Rust struct.
    pub fn stored(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.is_stored())
    }

    /// The fields that a flag does not govern.
    pub fn required(&self) -> impl Iterator<Item = &Field> {
        self.stored().filter(|field| field.condition.is_none())
    }
}

/// A shape that something newer has taken the place of.
#[derive(Clone, Debug)]
pub struct OldShape {
    /// The last published layer that has it; `None` if it is read for good, but never written.
    pub until: Option<u16>,
    /// The shape.
    pub shape: Shape,
}

/// A constructor or function with all its shapes.
#[derive(Clone, Debug)]
pub struct Item {
    /// The newest shape.
    pub newest: Shape,
    /// Older ones, oldest first.
    pub old: Vec<OldShape>,
}

impl Item {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Name {
        self.newest.name()
    }

    /// Whether a struct is made for it as the variant of an enum.
    #[must_use]
    pub fn is_unit(&self) -> bool {
        self.newest.stored().next().is_none()
    }

    /// Ids of constructors of other types with the same fields, which are read in the place of this one: `@also ID`.
    ///
    /// Clients pass an `InputPeer` where an `InputUser` belongs, and the servers they were made for take it.
    pub fn also(&self) -> impl Iterator<Item = u32> {
        let value = self.newest.definition.annotation("also").unwrap_or_default();
        value.split_whitespace().filter_map(|id| u32::from_str_radix(id, 16).ok())
    }

    /// The ids of all shapes, the newest first.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        let old = self.old.iter().map(|old| old.shape.definition.id);
        core::iter::once(self.newest.definition.id).chain(old)
    }
}

/// A TL type.
#[derive(Clone, Debug, Default)]
pub struct TypeInfo {
    /// Its constructors, by name, in the order of the files.
    pub constructors: Vec<Name>,
    /// Whether it contains borrowed data.
    pub borrows: bool,
    /// Whether it may contain itself, even through vectors.
    pub recursive: bool,
    /// Whether a request can contain it.
    pub incoming: bool,
    /// Whether an answer can contain it.
    pub outgoing: bool,
    /// Whether some layer lacks one of its constructors.
    pub has_since: bool,
    /// Whether it stands where it cannot be left out: a required field, an answer.
    pub required: bool,
}

/// A module of the schema, resolved.
#[derive(Clone, Debug)]
pub struct Model {
    /// Its path in Rust.
    pub module: String,
    /// Who owns strings.
    pub strings: Strings,
    /// Whether the reverse codecs are for clients only.
    pub directed: bool,
    /// Constructors by name.
    pub constructors: BTreeMap<Name, Item>,
    /// Functions by name.
    pub functions: BTreeMap<Name, Item>,
    /// Types by name.
    pub types: BTreeMap<Name, TypeInfo>,
    /// The types of the imported modules: where they are and whether they borrow.
    pub imported: BTreeMap<Name, (String, bool)>,
}

impl Model {
    /// Resolves `definitions`.
    ///
    /// # Errors
    ///
    /// A name that is defined twice or not at all; a shape that is superseded by nothing.
    pub fn new(source: &Source<'_>, definitions: Vec<Definition>) -> Result<Self, Error> {
        let mut model = Self {
            module: source.module.to_owned(),
            strings: source.strings,
            directed: source.directed,
            constructors: BTreeMap::new(),
            functions: BTreeMap::new(),
            types: BTreeMap::new(),
            imported: BTreeMap::new(),
        };
        for import in &source.imports {
            for (name, info) in &import.types {
                model.imported.insert(name.clone(), (import.type_path(name), info.borrows));
            }
        }
        let definitions: Vec<Definition> = definitions
            .into_iter()
            .filter(|d| d.name.namespace.is_some() || !BUILT_IN.contains(&d.name.ident.as_str()))
            .collect();
        let (old, newest): (Vec<_>, Vec<_>) = definitions.into_iter().partition(Definition::is_old);
        for definition in &newest {
            if definition.kind == Kind::Constructor {
                let info = model.types.entry(definition.result.name.clone()).or_default();
                info.constructors.push(definition.name.clone());
            }
        }
        let names: BTreeSet<Name> =
            newest.iter().filter(|d| d.kind == Kind::Constructor).map(|d| d.name.clone()).collect();
        for definition in newest {
            let shape = model.shape(&names, definition)?;
            let table = match shape.definition.kind {
                Kind::Constructor => &mut model.constructors,
                Kind::Function => &mut model.functions,
            };
            let error = shape.definition.error(format!("`{}` is defined twice", shape.name()));
            let item = Item { newest: shape, old: Vec::new() };
            if table.insert(item.name().clone(), item).is_some() {
                return Err(error);
            }
        }
        for definition in old {
            let shape = model.shape(&names, definition)?;
            let until = match shape.definition.annotation("until") {
                None => None,
                Some(text) => match text.parse() {
                    Ok(layer) => Some(layer),
                    Err(_) => {
                        return Err(shape.definition.error("`@until` wants the number of a layer"));
                    }
                },
            };
            let table = match shape.definition.kind {
                Kind::Constructor => &mut model.constructors,
                Kind::Function => &mut model.functions,
            };
            let Some(item) = table.get_mut(shape.name()) else {
                let message = format!("`{}` is superseded by nothing", shape.name());
                return Err(shape.definition.error(message));
            };
            item.old.push(OldShape { until, shape });
            item.old.sort_by_key(|old| old.until);
        }
        model.check_ids()?;
        model.find_borrows();
        model.find_recursion();
        model.find_directions();
        Ok(model)
    }

    fn shape(&self, constructors: &BTreeSet<Name>, definition: Definition) -> Result<Shape, Error> {
        let mut fields = Vec::with_capacity(definition.fields.len());
        for field in &definition.fields {
            fields.push(Field {
                name: field.name.clone(),
                ident: names::snake(&field.name),
                condition: field.condition.clone(),
                ty: self.resolve(constructors, &definition, &field.ty)?,
                boxed: false,
            });
        }
        let since = match definition.annotation("since") {
            None => None,
            Some(text) => match text.parse() {
                Ok(layer) => Some(layer),
                Err(_) => return Err(definition.error("`@since` wants the number of a layer")),
            },
        };
        Ok(Shape { definition, fields, since, borrows: false })
    }

    fn resolve(
        &self,
        constructors: &BTreeSet<Name>,
        definition: &Definition,
        ty: &Type,
    ) -> Result<Ty, Error> {
        let is_generic = ty.bang || definition.generics.contains(&ty.name.to_string());
        if is_generic {
            return Ok(Ty::Raw);
        }
        if ty.name.namespace.is_none() {
            match (ty.name.ident.as_str(), ty.arguments.as_slice()) {
                ("int", _) => return Ok(Ty::Int),
                ("long", _) => return Ok(Ty::Long),
                ("double", _) => return Ok(Ty::Double),
                ("Bool", _) => return Ok(Ty::Bool),
                ("string", _) => return Ok(Ty::String),
                ("bytes", _) => return Ok(Ty::Bytes),
                ("int128", _) => return Ok(Ty::Array(16)),
                ("int256", _) => return Ok(Ty::Array(32)),
                ("true", _) => return Ok(Ty::True),
                ("#", _) => return Ok(Ty::Flags),
                ("Object", _) => return Ok(Ty::Raw),
                ("Vector", [of]) => {
                    let of = Box::new(self.resolve(constructors, definition, of)?);
                    return Ok(Ty::Vector { bare: false, of });
                }
                ("vector", [of]) => {
                    let of = Box::new(self.resolve(constructors, definition, of)?);
                    return Ok(Ty::Vector { bare: true, of });
                }
                _ => {}
            }
        }
        if ty.name.is_lower() && constructors.contains(&ty.name) {
            return Ok(Ty::Bare(ty.name.clone()));
        }
        if ty.percent
            && let Some(info) = self.types.get(&ty.name)
            && let [constructor] = info.constructors.as_slice()
        {
            return Ok(Ty::Bare(constructor.clone()));
        }
        if self.types.contains_key(&ty.name) || self.imported.contains_key(&ty.name) {
            return Ok(Ty::Named(ty.name.clone()));
        }
        // What only an older layer has may name a type that nobody needs any more.
        if definition.is_old() {
            return Ok(Ty::Named(ty.name.clone()));
        }
        Err(definition
            .error(format!("`{}`: no constructor makes a `{}`", definition.name, ty.name)))
    }

    fn check_ids(&self) -> Result<(), Error> {
        let mut seen: BTreeMap<u32, &Definition> = BTreeMap::new();
        for item in self.constructors.values().chain(self.functions.values()) {
            let shapes = item.old.iter().map(|old| &old.shape).chain([&item.newest]);
            for shape in shapes {
                let definition = &shape.definition;
                if let Some(other) = seen.insert(definition.id, definition) {
                    return Err(definition.error(format!(
                        "the id {:x} is that of `{}` in line {} of {}",
                        definition.id, other.name, other.line, other.file
                    )));
                }
            }
        }
        Ok(())
    }

    fn shape_borrows(&self, shape: &Shape, strings: Strings) -> bool {
        shape.fields.iter().any(|field| self.ty_borrows(&field.ty, strings))
    }

    /// Whether a value of `ty` borrows, if strings right in it do as `strings` says.
    #[must_use]
    pub fn ty_borrows(&self, ty: &Ty, strings: Strings) -> bool {
        match ty {
            Ty::Raw => true,
            Ty::String | Ty::Bytes => strings == Strings::Borrowed,
            // Elements of vectors belong to the vector: only direct fields of functions borrow.
            Ty::Vector { of, .. } => self.ty_borrows(of, self.strings),
            Ty::Named(name) => match (self.types.get(name), self.imported.get(name)) {
                (Some(info), _) => info.borrows,
                (None, Some((_, borrows))) => *borrows,
                (None, None) => false,
            },
            Ty::Bare(name) => self.constructors.get(name).is_some_and(|item| item.newest.borrows),
            _ => false,
        }
    }

    /// The Rust path of a type, without lifetime.
    #[must_use]
    pub fn type_path(&self, name: &Name) -> String {
        if let Some((path, _)) = self.imported.get(name) {
            return path.clone();
        }
        match self.types.get(name).map(|info| info.constructors.as_slice()) {
            Some([constructor]) => names::path(&format!("{}::types", self.module), constructor),
            _ => names::path(&format!("{}::enums", self.module), name),
        }
    }

    /// The Rust type of `ty`; strings right in it are as `strings` says, lifetimes are called `lifetime`.
    #[must_use]
    pub fn rust_type(&self, ty: &Ty, strings: Strings, lifetime: &str) -> String {
        let with_lifetime = |path: String| {
            if self.ty_borrows(ty, strings) { format!("{path}<{lifetime}>") } else { path }
        };
        match ty {
            Ty::Int => "i32".to_owned(),
            Ty::Long => "i64".to_owned(),
            Ty::Double => "f64".to_owned(),
            Ty::Bool | Ty::True => "bool".to_owned(),
            Ty::Flags => "u32".to_owned(),
            Ty::String if strings == Strings::Borrowed => format!("&{lifetime} str"),
            Ty::String => "String".to_owned(),
            Ty::Bytes if strings == Strings::Borrowed => format!("&{lifetime} [u8]"),
            Ty::Bytes => "Vec<u8>".to_owned(),
            Ty::Array(len) => format!("[u8; {len}]"),
            Ty::Raw => format!("crate::Raw<{lifetime}>"),
            Ty::Vector { of, .. } => {
                format!("Vec<{}>", self.rust_type(of, self.strings, lifetime))
            }
            Ty::Named(name) => with_lifetime(self.type_path(name)),
            Ty::Bare(name) => with_lifetime(names::path(&format!("{}::types", self.module), name)),
        }
    }

    /// The Rust type of a field.
    #[must_use]
    pub fn field_type(&self, field: &Field, strings: Strings, lifetime: &str) -> String {
        let mut ty = self.rust_type(&field.ty, strings, lifetime);
        if field.boxed {
            ty = format!("Box<{ty}>");
        }
        if field.is_option() { format!("Option<{ty}>") } else { ty }
    }

    /// The Rust type of what a function answers.
    ///
    /// # Errors
    ///
    /// If no constructor makes it.
    pub fn answer_type(&self, function: &Definition, lifetime: &str) -> Result<String, Error> {
        let constructors = BTreeSet::new();
        let ty = self.resolve(&constructors, function, &function.result)?;
        Ok(self.rust_type(&ty, self.strings, lifetime))
    }

    /// Whether a value of `ty` may be one that some layer lacks.
    #[must_use]
    pub fn may_be_unknown(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Named(name) if self.types.get(name).is_some_and(|info| info.has_since))
    }
}
