//! What a session is sent, its layer knows: everything that comes is walked over with the schema of that layer.
//!
//! The walker knows text alone, no generated code. The layers are judged by what our own files say they have, and by the
//! schema that was published for them where that lies beside the checkout.

#[expect(dead_code, unused_imports, reason = "the tests of the schema also make values with it")]
#[path = "../../../schema/tests/dynamic/mod.rs"]
mod dynamic;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use codegen::model::{Item, Model, Source, Strings};
use codegen::parse::{self, Definition, Name, Type};
use dynamic::{Schema, read_ours};
use tl::api::{enums, functions, types};
use tl::{Cursor, Decode as _, Encode, Layer, Method};

use functions::{account, contacts, help, messages, updates, users};

use crate::common::person::code_of;
use crate::common::{Client, Options, Person, TestServer};

/// A layer as somebody describes it.
struct View {
    origin: &'static str,
    schema: Schema,
}

/// All that is known of a layer.
fn views(layer: u16) -> Vec<View> {
    let mut views = vec![View { origin: "our files", schema: ours(layer) }];
    views.extend(published(layer).map(|schema| View { origin: "the published schema", schema }));
    views
}

/// What our files say that a layer has: the oldest shape that still covers it, or the newest.
fn ours(layer: u16) -> Schema {
    let source = Source {
        module: "tl::api",
        strings: Strings::Borrowed,
        directed: true,
        imports: Vec::new(),
    };
    let files = read_ours(&["../schema/api", "../schema/superseded.tl"]);
    let model = Model::new(&source, files).expect("the schema compiles");
    let shape = |item: &Item| {
        if item.newest.since.is_some_and(|since| since > layer) {
            return None;
        }
        let old = item.old.iter().find(|old| old.until.is_some_and(|until| until >= layer));
        Some(old.map_or(&item.newest, |old| &old.shape).definition.clone())
    };
    let items = model.constructors.values().chain(model.functions.values());
    Schema::new(items.filter_map(shape).collect())
}

/// The schema that was published, if it lies beside the checkout.
fn published(layer: u16) -> Option<Schema> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/reference/tl");
    let name = format!("layer-{layer}.tl");
    let places: [PathBuf; 2] = [folder.join(&name), folder.join("extra").join(&name)];
    let path = places.into_iter().find(|path| path.is_file())?;
    let text = std::fs::read_to_string(&path).expect("schemas can be read");
    let definitions = parse::parse_unchecked(&path.to_string_lossy(), &text);
    Some(Schema::new(definitions.unwrap_or_else(|error| panic!("{error}"))))
}

fn named(ident: &str) -> Type {
    let name = Name { namespace: None, ident: ident.to_owned() };
    Type { name, arguments: Vec::new(), percent: false, bang: false }
}

fn find<'s>(schema: &'s Schema, name: &str) -> Option<&'s Definition> {
    schema.functions.values().find(|function| function.name.to_string() == name)
}

/// A value of a field in a request that is written by a schema alone.
enum Value<'a> {
    Text(&'a str),
    Long(i64),
    Object(Vec<u8>),
}

/// The request `name` in the shape of a layer; fields without a value are absent.
fn request(schema: &Schema, name: &str, values: &[(&str, Value<'_>)]) -> Vec<u8> {
    let function = find(schema, name).unwrap_or_else(|| panic!("{name} is not there"));
    let values: BTreeMap<&str, &Value<'_>> =
        values.iter().map(|(key, value)| (*key, value)).collect();
    let mut bytes = Vec::from(function.id.to_le_bytes());
    for field in &function.fields {
        if field.ty.name.ident == "#" {
            let set = function.fields.iter().filter(|it| values.contains_key(it.name.as_str()));
            let flags =
                set.filter_map(|it| it.condition.as_ref()).fold(0_u32, |all, it| all | 1 << it.bit);
            bytes.extend_from_slice(&flags.to_le_bytes());
            continue;
        }
        match values.get(field.name.as_str()) {
            Some(Value::Text(text)) => text.encode(Layer::NEWEST, &mut bytes),
            Some(Value::Long(number)) => number.encode(Layer::NEWEST, &mut bytes),
            Some(Value::Object(object)) => bytes.extend_from_slice(object),
            None => assert!(field.condition.is_some(), "{name} needs {}", field.name),
        }
    }
    bytes
}

/// The field of a boxed value.
fn field(schema: &Schema, bytes: &[u8], name: &str) -> Bytes {
    let id = Cursor::new(bytes).u32().expect("a value has an id");
    let places = schema.fields(&schema.constructors[&id], &mut Cursor::new(&bytes[4..]));
    let place = places.expect("it was walked over")[name].clone();
    Bytes::copy_from_slice(&bytes[4..][place])
}

/// A client of a layer; everything that it gets is judged.
struct Judge {
    layer: u16,
    views: Vec<View>,
    client: Client,
}

impl Judge {
    #[track_caller]
    fn walk(&self, what: &str, ty: impl Fn(&Schema) -> Option<Type>, bytes: &[u8]) {
        for View { origin, schema } in &self.views {
            // What a layer does not have its clients do not ask for.
            let Some(ty) = ty(schema) else { continue };
            let mut input = Cursor::new(bytes);
            let walked = schema.read(&ty, &mut input);
            let walked = walked.and_then(|()| input.finish().map_err(|error| error.to_string()));
            if let Err(error) = walked {
                panic!("{what} under layer {}, by {origin}: {error}", self.layer);
            }
        }
    }

    /// Asks in the newest shape of the request.
    async fn ask<M: Method + Encode>(&mut self, query: &M) -> Bytes {
        let answer = self.client.call_bytes(query).await;
        let answer =
            answer.unwrap_or_else(|error| panic!("{} under {}: {error:?}", M::NAME, self.layer));
        self.walk(M::NAME, |schema| find(schema, M::NAME).map(|it| it.result.clone()), &answer);
        answer
    }

    /// Asks in the layer's own shape of the request.
    async fn ask_old(&mut self, name: &str, values: &[(&str, Value<'_>)]) -> Bytes {
        let body = request(&self.views[0].schema, name, values);
        if let Some(published) = self.views.get(1) {
            assert_eq!(body, request(&published.schema, name, values), "{name}: one shape");
        }
        let answer = self.client.call_bytes(&tl::Raw(&body)).await;
        let answer =
            answer.unwrap_or_else(|error| panic!("{name} under {}: {error:?}", self.layer));
        self.walk(name, |schema| find(schema, name).map(|it| it.result.clone()), &answer);
        answer
    }

    /// Judges pushes until one holds an update of this name.
    async fn pushed(&mut self, constructor: &str) {
        loop {
            let push = self.client.next_push_bytes().await;
            self.walk("a push", |_| Some(named("Updates")), &push);
            let schema = &self.views[0].schema;
            let names = schema.constructors.values();
            let id = names.clone().find(|it| it.name.to_string() == constructor);
            let id = id.unwrap_or_else(|| panic!("{constructor} is not in {}", self.layer)).id;
            if push.windows(4).step_by(4).any(|word| *word == id.to_le_bytes()) {
                return;
            }
        }
    }
}

/// Everything that two people do, one of whom has a client of some layer.
async fn check(layer: u16) {
    let server = TestServer::start().await;
    let mut bob = server.person("Bob").await;
    let client = server.client_with(Options { layer, ..Options::default() }).await;
    let mut judge = Judge { layer, views: views(layer), client };
    let phone = server.phone();
    let (alice, mut newest) = sign_up(&server, &mut judge, &phone).await;

    // Who Bob is, the newest session of the same key finds out; then the old one is the main one again.
    let to_bob = newest.peer(&bob).await;
    let bob_as_user = newest.user(&bob).await;
    let own = bob.peer(&newest).await;
    let me = enums::InputUser::InputUserSelf;
    let state = judge.ask(&updates::GetState {}).await;
    let state = types::updates::State::from_bytes(&state).expect("it never changed");

    judge.ask(&users::GetUsers::new(vec![me.clone(), bob_as_user.clone()])).await;
    judge.ask(&users::GetFullUser::new(me)).await;
    judge.ask(&users::GetFullUser::new(bob_as_user.clone())).await;
    judge.ask(&help::GetAppConfig::new(0)).await;
    judge.ask(&help::GetCountriesList::new("en", 0)).await;
    judge.ask(&help::GetPromoData {}).await;
    judge.ask(&account::GetAuthorizations {}).await;
    judge.ask(&account::GetPassword {}).await;
    judge.ask(&account::GetNotifySettings::new(enums::InputNotifyPeer::InputNotifyUsers)).await;
    let key = enums::InputPrivacyKey::InputPrivacyKeyStatusTimestamp;
    judge.ask(&account::GetPrivacy::new(key)).await;
    let entry = types::InputPhoneContact::new(1, &bob.phone, "Bobby", "");
    judge.ask(&contacts::ImportContacts::new(vec![entry])).await;
    judge.ask(&contacts::GetContacts::new(0)).await;
    judge.ask(&contacts::GetStatuses {}).await;
    judge.ask(&contacts::ResolvePhone::new(&bob.phone)).await;

    // From the old client, in its own shapes.
    let peer = || Value::Object(to_bob.to_vec(Layer::NEWEST));
    let send = [
        ("peer", peer()),
        ("message", Value::Text("from the old one")),
        ("random_id", Value::Long(4)),
    ];
    judge.ask_old("messages.sendMessage", &send).await;
    let first = bob.next_message().await;
    assert_eq!(first.message, "from the old one");

    // From Bob, with all that the newest layer has.
    let reply = messages::SendMessage {
        reply_to: Some(types::InputReplyToMessage::new(first.id).into()),
        entities: Some(vec![
            types::MessageEntityBold::new(0, 4).into(),
            types::MessageEntityBlockquote::new(0, 4).into(),
            types::MessageEntitySpoiler::new(5, 2).into(),
        ]),
        ..messages::SendMessage::new(own.clone(), "bold answer", 5)
    };
    let sent = crate::common::person::sent_id(&bob.ask(&reply).await);
    judge.pushed("updateNewMessage").await;
    let edit = messages::EditMessage {
        message: Some("plain answer"),
        ..messages::EditMessage::new(own.clone(), sent)
    };
    bob.ask(&edit).await;
    judge.pushed("updateEditMessage").await;
    bob.ask(&messages::ReadHistory::new(own.clone(), first.id)).await;
    judge.pushed("updateReadHistoryOutbox").await;
    let typing = enums::SendMessageAction::SendMessageTypingAction;
    bob.ask(&messages::SetTyping::new(own.clone(), typing)).await;
    judge.pushed("updateUserTyping").await;
    bob.ask(&messages::UpdatePinnedMessage::new(own.clone(), sent)).await;
    judge.pushed("updatePinnedMessages").await;
    let forward = messages::ForwardMessages::new(own.clone(), vec![sent], vec![6], own.clone());
    bob.ask(&forward).await;
    judge.pushed("updateNewMessage").await;
    let revoke =
        messages::DeleteMessages { revoke: true, ..messages::DeleteMessages::new(vec![sent]) };
    bob.ask(&revoke).await;
    judge.pushed("updateDeleteMessages").await;

    media(&mut judge, &mut bob, &to_bob, &own).await;
    judge.ask(&messages::GetHistory::new(to_bob.clone(), 0, 0, 0, 100, 0, 0, 0)).await;
    judge.ask(&messages::GetDialogs::new(0, 0, enums::InputPeer::InputPeerEmpty, 20, 0)).await;
    let dialog: enums::InputDialogPeer = types::InputDialogPeer::new(to_bob.clone()).into();
    judge.ask(&messages::GetPeerDialogs::new(vec![dialog])).await;
    judge.ask(&messages::GetPinnedDialogs::new(0)).await;
    judge.ask(&messages::GetPeerSettings::new(to_bob.clone())).await;
    judge.ask(&messages::SaveDraft::new(to_bob.clone(), "draft")).await;
    judge.ask(&messages::GetAllDrafts {}).await;
    let filter = enums::MessagesFilter::InputMessagesFilterEmpty;
    judge
        .ask(&messages::Search::new(to_bob.clone(), "answer", filter, 0, 0, 0, 0, 10, 0, 0, 0))
        .await;
    judge.ask(&messages::GetMessages::new(vec![types::InputMessageID::new(1).into()])).await;
    judge.ask(&messages::GetDialogFilters {}).await;
    judge.ask(&messages::GetAvailableReactions::new(0)).await;
    judge.ask(&updates::GetDifference::new(state.pts, state.date, 0)).await;
    let since = [("pts", 1), ("date", state.date), ("qts", 0)]
        .map(|(name, number)| (name, Value::Object(number.to_vec(Layer::NEWEST))));
    judge.ask_old("updates.getDifference", &since).await;

    // A login elsewhere: the code, the notice, and what of it the layer knows.
    let device = server.device_of(&newest).await;
    assert_eq!(device.id, alice);
    judge.pushed("updateNewMessage").await;
    judge.ask(&functions::auth::LogOut {}).await;
}

/// Media of all kinds, to and from the client of some layer.
async fn media(
    judge: &mut Judge,
    bob: &mut Person,
    to_bob: &enums::InputPeer,
    to_alice: &enums::InputPeer,
) {
    // From the old client, in its own shapes.
    let layer = Layer(judge.layer);
    let picture = crate::media::picture(120, 80, 1);
    judge.ask(&functions::upload::SaveFilePart::new(1, 0, &picture)).await;
    let file = types::InputFile::new(1, 1, "a.png", "");
    let photo = types::InputMediaUploadedPhoto {
        spoiler: true,
        ..types::InputMediaUploadedPhoto::new(file.clone().into())
    };
    let video = types::DocumentAttributeVideo::new(1.5, 120, 80);
    let attributes = vec![video.into(), types::DocumentAttributeFilename::new("a.mp4").into()];
    judge.ask(&functions::upload::SaveFilePart::new(2, 0, b"this is no video")).await;
    let video = types::InputFile::new(2, 1, "a.mp4", "");
    let video = types::InputMediaUploadedDocument {
        thumb: Some(file.into()),
        ..types::InputMediaUploadedDocument::new(video.into(), "video/mp4", attributes)
    };
    let media: [enums::InputMedia<'_>; 2] = [photo.into(), video.into()];
    for (random_id, media) in (20..).zip(media) {
        let send = [
            ("peer", Value::Object(to_bob.to_vec(layer))),
            ("media", Value::Object(media.to_vec(layer))),
            ("message", Value::Text("from the old one")),
            ("random_id", Value::Long(random_id)),
        ];
        judge.ask_old("messages.sendMedia", &send).await;
        let got = bob.next_message().await;
        assert!(got.media.is_some() && got.message == "from the old one");
    }
    let upload = [
        ("peer", Value::Object(to_bob.to_vec(layer))),
        ("media", Value::Object(types::InputMediaContact::new("1", "a", "b", "").to_vec(layer))),
    ];
    judge.ask_old("messages.uploadMedia", &upload).await;

    // From Bob, with all that the newest layer has.
    let voice = types::DocumentAttributeAudio {
        voice: true,
        waveform: Some(b"wave"),
        ..types::DocumentAttributeAudio::new(3)
    };
    let round = types::DocumentAttributeVideo {
        round_message: true,
        preload_prefix_size: Some(5),
        video_start_ts: Some(0.5),
        video_codec: Some("h264"),
        ..types::DocumentAttributeVideo::new(1.5, 120, 120)
    };
    let place = types::InputGeoPoint::new(52.5, 13.4);
    let venue = types::InputMediaVenue::new(place.clone().into(), "a", "b", "c", "d", "e");
    let media = [
        crate::media::photo(bob, 2).await,
        crate::media::document(bob, b"voice", "audio/ogg", vec![voice.into()]).await,
        crate::media::document(bob, b"round", "video/mp4", vec![round.into()]).await,
        types::InputMediaContact::new("1", "a", "b", "").into(),
        types::InputMediaGeoPoint::new(place.into()).into(),
        venue.into(),
    ];
    for media in media {
        let random_id = bob.random_id();
        bob.ask(&messages::SendMedia::new(to_alice.clone(), media, "", random_id)).await;
        judge.pushed("updateNewMessage").await;
    }
}

/// Signs up in the shapes of the layer; who that is, with a session of the newest layer under the same key.
async fn sign_up(server: &TestServer, judge: &mut Judge, phone: &str) -> (i64, Person) {
    judge.ask(&help::GetConfig {}).await;
    judge.ask(&help::GetNearestDc {}).await;
    let settings = types::CodeSettings::new();
    let sent = judge.ask(&functions::auth::SendCode::new(phone, 1, "hash", settings)).await;
    let enums::auth::SentCode::SentCode(sent) =
        enums::auth::SentCode::from_bytes(&sent).expect("it never changed")
    else {
        panic!("no code")
    };
    let hash = sent.phone_code_hash;
    let code = code_of(phone);
    let number = || Value::Text(phone);
    let sign_in = [
        ("phone_number", number()),
        ("phone_code_hash", Value::Text(hash)),
        ("phone_code", Value::Text(&code)),
    ];
    judge.ask_old("auth.signIn", &sign_in).await;
    let sign_up = [
        ("phone_number", number()),
        ("phone_code_hash", Value::Text(hash)),
        ("first_name", Value::Text("Alice")),
        ("last_name", Value::Text("Old")),
    ];
    let authorization = judge.ask_old("auth.signUp", &sign_up).await;
    let schema = &judge.views[0].schema;
    let user = field(schema, &authorization, "user");
    let id = field(schema, &user, "id");
    let id = i64::from_le_bytes(id[..].try_into().expect("a long"));
    let (key, salt) = (judge.client.auth_key().clone(), judge.client.first_salt());
    let client = Client::resume(server.address, key, salt, Options::default()).await;
    (id, Person::known(client, id, phone.to_owned()))
}

macro_rules! layers {
    ($($test:ident: $layer:literal)*) => {$(
        #[tokio::test]
        async fn $test() {
            check($layer).await;
        }
    )*};
}

layers! {
    layer_152_of_telegram_desktop_4: 152
    layer_158_of_pyrogram: 158
    layer_166: 166
    layer_198_of_gramjs: 198
    layer_216: 216
    layer_227_of_tdlib: 227
    layer_228_of_mtcute: 228
    layer_229_of_telethon: 229
    layer_230_of_grammers: 230
}
