//! Layers: what a session is sent, its layer knows; what older clients ask, we understand.
//!
//! Each layer is judged by two views: the shapes that our own files say it has, and the schema that was published for it, where
//! that lies beside the checkout. The values are made and walked over by `dynamic`, which knows text alone.
//!
//! | test                        | what it shows, for each layer                                                |
//! |-----------------------------|------------------------------------------------------------------------------|
//! | `values`                    | every constructor that we may send, with everything optional and without     |
//! | `answers`                   | what each function of the layer answers                                      |
//! | `requests`                  | each function of the layer becomes the newest struct, with its fields' values |
//! | `nothing_old_is_forgotten`  | each shape that clients of the layer may send has a decoder                  |

mod dynamic;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use codegen::model::{Item, Model, Source, Strings};
use codegen::parse::{self, Definition, Name, Type};
use dynamic::{Fill, Palette, Sampler, Schema, read_ours};
use tl::{Cursor, Layer, api::any};

/// The layers for which a schema was published, from the oldest that we speak.
const LAYERS: &[u16] = &[
    152, 158, 160, 166, 174, 181, 184, 189, 195, 198, 201, 204, 211, 214, 216, 220, 222, 223, 224,
    225, 227, 228, 229, 230,
];

/// Old shapes that clients could send and that have no decoder on purpose: such a request is refused, and nothing else is.
const LEFT_OUT: &[(&str, &str)] = &[
    ("inputMediaPoll", "there are no polls yet"),
    ("inputMediaStory", "there are no stories"),
    ("inputReplyToStory", "there are no stories"),
    ("invoice", "there are no payments"),
    ("poll", "there are no polls yet"),
    ("pollAnswer", "there are no polls yet"),
];

/// A layer as somebody describes it.
struct View {
    layer: u16,
    origin: &'static str,
    schema: Schema,
}

fn model() -> Model {
    let source = Source {
        module: "crate::api",
        strings: Strings::Borrowed,
        directed: true,
        imports: Vec::new(),
    };
    Model::new(&source, read_ours(&["api", "superseded.tl"])).expect("the schema compiles")
}

fn views() -> Vec<View> {
    let model = model();
    let mut views: Vec<View> = LAYERS
        .iter()
        .map(|layer| View { layer: *layer, origin: "our files", schema: ours(&model, *layer) })
        .collect();
    let published = published();
    if published.is_empty() {
        eprintln!("no published schemas beside the checkout: judging by our own files alone");
    }
    views.extend(published.into_iter().map(|(layer, schema)| View {
        layer,
        origin: "the published schema",
        schema,
    }));
    views
}

/// What our files say that a layer has: the oldest shape that still covers it, or the newest.
fn ours(model: &Model, layer: u16) -> Schema {
    let shape = |item: &Item| {
        if item.newest.since.is_some_and(|since| since > layer) {
            return None;
        }
        let old = item
            .old
            .iter()
            .find(|old| old.until.is_some_and(|until| until >= layer))
            .map(|old| &old.shape);
        Some(old.unwrap_or(&item.newest).definition.clone())
    };
    let items = model.constructors.values().chain(model.functions.values());
    Schema::new(items.filter_map(shape).collect())
}

/// The schemas that lie beside the checkout; none elsewhere.
fn published() -> BTreeMap<u16, Schema> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/tl");
    let path = |layer: u16| -> Option<PathBuf> {
        let name = format!("layer-{layer}.tl");
        [folder.join(&name), folder.join("extra").join(&name)].into_iter().find(|it| it.is_file())
    };
    let mut schemas = BTreeMap::new();
    for layer in LAYERS {
        let Some(path) = path(*layer) else { continue };
        let text = std::fs::read_to_string(&path).expect("schemas can be read");
        let name = path.to_string_lossy();
        let definitions = parse::parse_unchecked(&name, &text).unwrap_or_else(|e| panic!("{e}"));
        schemas.insert(*layer, Schema::new(definitions));
    }
    schemas
}

/// A type by its name alone.
fn named(name: &Name) -> Type {
    Type { name: name.clone(), arguments: Vec::new(), percent: false, bang: false }
}

/// Walks over a whole value of `ty`.
fn walk(schema: &Schema, ty: &Type, bytes: &[u8]) -> Result<(), String> {
    let mut input = Cursor::new(bytes);
    schema.read(ty, &mut input)?;
    input.finish().map_err(|error| error.to_string())
}

/// Whether a constructor is ever sent: of those that only stand for what nobody fills old shapes are not listed.
fn is_sent(definition: &Definition) -> bool {
    !definition.file.ends_with("placeholders.tl")
}

/// Fails with what is wrong, a line each, but not with thousands.
#[track_caller]
fn report(wrong: &BTreeMap<String, String>) {
    let lines: Vec<String> =
        wrong.iter().take(60).map(|(key, value)| format!("{key}: {value}")).collect();
    assert!(wrong.is_empty(), "{} wrong\n{}\n", wrong.len(), lines.join("\n"));
}

fn fills() -> impl Iterator<Item = Fill> {
    [Fill::Least, Fill::Most].into_iter().chain((1..3).map(Fill::Some))
}

/// That fields of one name, scalar and spelled alike on both sides, have the same bytes.
fn same_fields(
    (from, from_bytes): (&Schema, &[u8]),
    (to, to_bytes): (&Schema, &[u8]),
) -> Result<(), String> {
    let find = |schema: &Schema, bytes: &[u8]| -> Result<Definition, String> {
        let id = Cursor::new(bytes).u32().map_err(|error| error.to_string())?;
        let found = schema.constructors.get(&id).or_else(|| schema.functions.get(&id));
        found.cloned().ok_or_else(|| format!("{id:08x} is not there"))
    };
    let (source, target) = (find(from, from_bytes)?, find(to, to_bytes)?);
    if source.name != target.name {
        return Ok(());
    }
    let before = from.fields(&source, &mut Cursor::new(&from_bytes[4..]))?;
    let after = to.fields(&target, &mut Cursor::new(&to_bytes[4..]))?;
    for field in &source.fields {
        let scalar = ["int", "long", "double", "string", "bytes", "Bool", "true"];
        let spelled = field.ty.to_string();
        let is_scalar = scalar
            .iter()
            .any(|ty| spelled == *ty || spelled == format!("Vector<{ty}>") && *ty != "Bool");
        let same = target.fields.iter().find(|it| it.name == field.name && it.ty == field.ty);
        let Some(same) = same.filter(|_| is_scalar) else { continue };
        let name = field.name.as_str();
        match (before.get(name), after.get(name)) {
            (Some(a), Some(b)) if from_bytes[4..][a.clone()] == to_bytes[4..][b.clone()] => {}
            (None, None) => {}
            // Zero, empty or false.
            (None, Some(b)) if same.condition.is_none() => {
                let value = &to_bytes[4..][b.clone()];
                let empty = value.iter().all(|byte| *byte == 0)
                    || value == tl::BOOL_FALSE_ID.to_le_bytes()
                    || value[..4] == tl::VECTOR_ID.to_le_bytes() && value.len() == 8;
                if !empty {
                    return Err(format!("{}.{name} was absent and is {value:02x?}", source.name));
                }
            }
            // Absent because another field of the same bit is.
            (Some(_), None) if shared(&target, same) => {}
            (a, b) => return Err(format!("{}.{name}: {a:?} became {b:?}", source.name)),
        }
    }
    Ok(())
}

/// Whether another field has the same bit.
fn shared(definition: &Definition, field: &parse::Field) -> bool {
    field.condition.is_some()
        && definition.fields.iter().filter(|it| it.condition == field.condition).count() > 1
}

#[test]
fn values() {
    let (model, newest) = (model(), Schema::ours(&["api"]));
    let palette = Palette::new(&newest, is_sent);
    let mut wrong = BTreeMap::new();
    let mut count = 0;
    for view in views() {
        for (name, info) in model.types.iter().filter(|(_, info)| info.outgoing) {
            // Types that a layer lacks are parts of what it lacks, or answers of what it cannot ask.
            if !view.schema.types.contains_key(name) {
                continue;
            }
            let fallback = info.required && info.has_since && info.constructors.len() > 1;
            for constructor in &info.constructors {
                let item = &model.constructors[constructor];
                let known = item.newest.since.is_none_or(|since| since <= view.layer);
                if !known && !fallback || !is_sent(&item.newest.definition) {
                    continue;
                }
                for fill in fills() {
                    let definition = &item.newest.definition;
                    let Some(definition) = newest.constructors.get(&definition.id) else {
                        continue;
                    };
                    let Some(bytes) = Sampler::new(&palette, fill).boxed(definition) else {
                        continue;
                    };
                    let result = any::value(&bytes, Layer(view.layer))
                        .map_err(|error| error.to_string())
                        .and_then(|old| {
                            walk(&view.schema, &named(name), &old)?;
                            same_fields((&newest, &bytes), (&view.schema, &old))
                        });
                    count += 1;
                    if let Err(error) = result {
                        let key = format!("{} in {} {}", constructor, view.origin, view.layer);
                        wrong.entry(key).or_insert_with(|| format!("{error} ({fill:?})"));
                    }
                }
            }
        }
    }
    report(&wrong);
    assert!(count > 10_000, "{count} values");
}

#[test]
fn answers() {
    let (model, newest) = (model(), Schema::ours(&["api"]));
    let palette = Palette::new(&newest, is_sent);
    let mut wrong = BTreeMap::new();
    let mut count = 0;
    for view in views() {
        for function in view.schema.functions.values() {
            let Some(item) = model.functions.get(&function.name) else { continue };
            if !item.ids().any(|id| id == function.id) || !function.generics.is_empty() {
                continue;
            }
            for fill in fills() {
                let mut bytes = Vec::new();
                let result = &item.newest.definition.result;
                if Sampler::new(&palette, fill).write(result, 0, &mut bytes).is_none() {
                    continue;
                }
                let result = any::answer(function.id, &bytes, Layer(view.layer))
                    .map_err(|error| error.to_string())
                    .and_then(|old| walk(&view.schema, &function.result, &old));
                count += 1;
                if let Err(error) = result {
                    let key = format!("{} in {} {}", function.name, view.origin, view.layer);
                    wrong.entry(key).or_insert_with(|| format!("{error} ({fill:?})"));
                }
            }
        }
    }
    report(&wrong);
    assert!(count > 10_000, "{count} answers");
}

#[test]
fn requests() {
    let newest = Schema::ours(&["api"]);
    let mut wrong = BTreeMap::new();
    let mut count = 0;
    for view in views() {
        let palette = Palette::new(&view.schema, |it| any::VALUES.contains(&it.id));
        for function in view.schema.functions.values() {
            if !any::REQUESTS.contains(&function.id) {
                continue;
            }
            for fill in fills() {
                let Some(bytes) = Sampler::new(&palette, fill).boxed(function) else { continue };
                let result = any::request(&bytes, Layer::NEWEST)
                    .map_err(|error| error.to_string())
                    .and_then(|new| same_fields((&view.schema, &bytes), (&newest, &new)));
                count += 1;
                if let Err(error) = result {
                    let key = format!("{} in {} {}", function.name, view.origin, view.layer);
                    wrong.entry(key).or_insert_with(|| format!("{error} ({fill:?})"));
                }
            }
        }
    }
    report(&wrong);
    assert!(count > 10_000, "{count} requests");
}

#[test]
fn nothing_old_is_forgotten() {
    let model = model();
    let mut wrong = BTreeMap::new();
    let excused = |definition: &Definition| {
        LEFT_OUT.iter().any(|(name, _)| *name == definition.name.to_string())
    };
    for view in views() {
        let functions = view.schema.functions.values().filter(|function| {
            model.functions.contains_key(&function.name) && !any::REQUESTS.contains(&function.id)
        });
        let constructors = view.schema.constructors.values().filter(|constructor| {
            let ours = model.constructors.contains_key(&constructor.name);
            let info = model.types.get(&constructor.result.name);
            let incoming = info.is_some_and(|info| info.incoming);
            ours && incoming && !any::VALUES.contains(&constructor.id)
        });
        for definition in functions.chain(constructors).filter(|it| !excused(it)) {
            let key = format!("{}#{:08x}", definition.name, definition.id);
            wrong.insert(key, format!("unknown, though {} {} has it", view.origin, view.layer));
        }
    }
    report(&wrong);
}
