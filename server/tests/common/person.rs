//! A client that signed up, and short ways to ask.

use std::ops::{Deref, DerefMut};

use tl::api::{enums, functions, types};
use tl::{Decode, Encode, Method};

use super::Client;

/// Somebody with a client.
pub(crate) struct Person {
    client: Client,
    pub(crate) id: i64,
    pub(crate) phone: String,
}

impl Deref for Person {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Person {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}

/// Asks for a code for `phone`; the hash to answer with.
pub(crate) async fn send_code(client: &mut Client, phone: &str) -> String {
    let settings = types::CodeSettings::new();
    let sent = client
        .call(&functions::auth::SendCode::new(phone, 1, "hash", settings))
        .await
        .expect("a code is sent");
    match sent {
        enums::auth::SentCode::SentCode(sent) => sent.phone_code_hash.to_owned(),
        other => panic!("no code: {other:?}"),
    }
}

/// The code of a test number.
pub(crate) fn code_of(phone: &str) -> String {
    phone[5..6].repeat(5)
}

impl Person {
    /// Signs up with a test number.
    pub(crate) async fn sign_up(mut client: Client, phone: String, first_name: &str) -> Self {
        let hash = send_code(&mut client, &phone).await;
        let code = code_of(&phone);
        let sign_in = functions::auth::SignIn {
            phone_code: Some(&code),
            ..functions::auth::SignIn::new(&phone, &hash)
        };
        let answer = client.call(&sign_in).await.expect("the code is right");
        let enums::auth::Authorization::AuthorizationSignUpRequired(_) = answer else {
            panic!("the number is new: {answer:?}");
        };
        let sign_up = functions::auth::SignUp::new(&phone, &hash, first_name, "");
        let answer = client.call(&sign_up).await.expect("signing up works");
        Self { id: logged_in(&answer), client, phone }
    }

    /// Signs in with a test number that has an account.
    pub(crate) async fn sign_in(mut client: Client, phone: String) -> Self {
        let hash = send_code(&mut client, &phone).await;
        let code = code_of(&phone);
        let sign_in = functions::auth::SignIn {
            phone_code: Some(&code),
            ..functions::auth::SignIn::new(&phone, &hash)
        };
        let answer = client.call(&sign_in).await.expect("signing in works");
        Self { id: logged_in(&answer), client, phone }
    }

    /// A client of somebody who is logged in already.
    pub(crate) const fn known(client: Client, id: i64, phone: String) -> Self {
        Self { client, id, phone }
    }

    /// Takes the client away from its owner.
    pub(crate) fn into_client(self) -> Client {
        self.client
    }

    // ---- asking ----

    /// Asks, and is answered.
    #[track_caller]
    pub(crate) fn ask<'a, M>(
        &'a mut self,
        query: &'a M,
    ) -> impl Future<Output = M::Answer<'static>> + 'a
    where
        M: Method + Encode,
        M::Answer<'static>: Decode<'static>,
    {
        let caller = std::panic::Location::caller();
        async move {
            let answer = self.client.call(query).await;
            answer.unwrap_or_else(|error| panic!("{}: {error:?}, at {caller}", M::NAME))
        }
    }

    /// Asks, and is refused; the text of the error.
    #[track_caller]
    pub(crate) fn refused<'a, M>(&'a mut self, query: &'a M) -> impl Future<Output = String> + 'a
    where
        M: Method + Encode,
        M::Answer<'static>: Decode<'static> + core::fmt::Debug,
    {
        let caller = std::panic::Location::caller();
        async move {
            match self.client.call(query).await {
                Ok(answer) => panic!("{} was answered {answer:?}, at {caller}", M::NAME),
                Err(error) => error.text,
            }
        }
    }

    // ---- others ----

    /// How this person's client names another one.
    pub(crate) async fn access_hash(&mut self, other: &Self) -> i64 {
        let phone = other.phone.clone();
        let found = self.ask(&functions::contacts::ResolvePhone::new(&phone)).await;
        let user = found.users.iter().find_map(|user| match user {
            enums::User::User(user) if user.id == other.id => user.access_hash,
            _ => None,
        });
        user.expect("the number leads to the user")
    }

    /// Another person as a peer.
    pub(crate) async fn peer(&mut self, other: &Self) -> enums::InputPeer {
        let access_hash = self.access_hash(other).await;
        types::InputPeerUser::new(other.id, access_hash).into()
    }

    /// Another person as a user.
    pub(crate) async fn user(&mut self, other: &Self) -> enums::InputUser {
        let access_hash = self.access_hash(other).await;
        types::InputUser::new(other.id, access_hash).into()
    }

    // ---- messages ----

    /// Sends a text; its identifier here.
    pub(crate) async fn say(&mut self, peer: &enums::InputPeer, text: &str) -> i32 {
        let random_id = self.random_id();
        let send = functions::messages::SendMessage::new(peer.clone(), text, random_id);
        let sent = self.ask(&send).await;
        sent_id(&sent)
    }

    /// The next new message, passing over other updates: who it is with, its identifier and its text.
    pub(crate) async fn next_message(&mut self) -> types::Message<'static> {
        self.client
            .wait_update(|update| match update {
                enums::Update::UpdateNewMessage(new) => match &new.message {
                    enums::Message::Message(message) => Some(message.clone()),
                    _ => None,
                },
                _ => None,
            })
            .await
    }

    /// The state of the box.
    pub(crate) async fn state(&mut self) -> types::updates::State {
        self.ask(&functions::updates::GetState {}).await
    }

    /// The chat with `peer`, newest message first.
    pub(crate) async fn history(
        &mut self,
        peer: &enums::InputPeer,
    ) -> Vec<enums::Message<'static>> {
        let get = functions::messages::GetHistory::new(peer.clone(), 0, 0, 0, 100, 0, 0, 0);
        messages_of(self.ask(&get).await)
    }
}

/// The messages of an answer.
pub(crate) fn messages_of(
    answer: enums::messages::Messages<'static>,
) -> Vec<enums::Message<'static>> {
    match answer {
        enums::messages::Messages::Messages(all) => all.messages,
        enums::messages::Messages::MessagesSlice(slice) => slice.messages,
        other => panic!("not messages: {other:?}"),
    }
}

/// The texts of messages.
pub(crate) fn texts(messages: &[enums::Message<'static>]) -> Vec<&'static str> {
    messages
        .iter()
        .filter_map(|message| match message {
            enums::Message::Message(message) => Some(message.message),
            _ => None,
        })
        .collect()
}

/// The identifier that a sent message got.
pub(crate) fn sent_id(sent: &enums::Updates<'static>) -> i32 {
    match sent {
        enums::Updates::UpdateShortSentMessage(sent) => sent.id,
        enums::Updates::Updates(sent) => sent
            .updates
            .iter()
            .find_map(|update| match update {
                enums::Update::UpdateMessageID(update) => Some(update.id),
                _ => None,
            })
            .expect("a sent message has an identifier"),
        other => panic!("not what sending answers: {other:?}"),
    }
}

fn logged_in(answer: &enums::auth::Authorization<'static>) -> i64 {
    match answer {
        enums::auth::Authorization::Authorization(authorization) => match &authorization.user {
            enums::User::User(user) => user.id,
            other => panic!("nobody is logged in: {other:?}"),
        },
        other => panic!("nobody is logged in: {other:?}"),
    }
}
