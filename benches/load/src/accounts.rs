//! Accounts made ahead: people with test numbers, whose keys are kept in a file and used again.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use bytes::Bytes;
use crypto::AuthKey;
use indicatif::{ProgressBar, ProgressStyle};
use tl::Decode as _;
use tl::api::{enums, functions, types};

use crate::client::{Clients, Key, bytes, introduced};
use crate::error::{Error, Result};
use crate::net::Id;

/// How many accounts are made at once.
const BATCH_COUNT: usize = 64;
/// How many test numbers have the same digit where the data centre stands.
const PER_DIGIT: usize = 10_000;

/// Somebody who can log in.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    pub(crate) phone: String,
    pub(crate) user_id: i64,
    pub(crate) key: Key,
}

/// The number of an account; there are ten for each data centre's digit.
fn phone(number: usize) -> String {
    format!("99966{}{:04}", 1 + number / PER_DIGIT, number % PER_DIGIT)
}

/// A bar for something that takes a while.
pub(crate) fn progress(what: &'static str, count: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg:24} {wide_bar} {pos}/{len} {per_sec} {eta}");
    let bar = ProgressBar::new(count as u64).with_message(what);
    match style {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// As many accounts as wanted: those of the file, and new ones, which are added to it.
pub(crate) fn seed(clients: &mut Clients, file: &Path, count: usize) -> Result<Vec<Account>> {
    let mut accounts = load(file)?;
    if accounts.len() >= count {
        accounts.truncate(count);
        return Ok(accounts);
    }
    let bar = progress("accounts", count);
    bar.set_position(accounts.len() as u64);
    let mut out = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(file)?;
    while accounts.len() < count {
        let batch_count = BATCH_COUNT.min(count - accounts.len());
        let phones = (0..batch_count).map(|n| phone(accounts.len() + n)).collect();
        let made = sign_up(clients, phones)?;
        let mut text = String::new();
        for Account { phone, user_id, key: Key { key, salt } } in &made {
            // A String takes everything.
            let _ = writeln!(text, "{phone} {user_id} {salt} {}", hex::encode(key.as_bytes()));
        }
        out.write_all(text.as_bytes())?;
        bar.inc(made.len() as u64);
        accounts.extend(made);
    }
    bar.finish_and_clear();
    Ok(accounts)
}

fn load(file: &Path) -> Result<Vec<Account>> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::setup(file.display(), error)),
    };
    let account = |line: &str| {
        let mut words = line.split(' ');
        let phone = words.next()?.to_owned();
        let user_id = words.next()?.parse().ok()?;
        let salt = words.next()?.parse().ok()?;
        let key: [u8; 256] = hex::decode(words.next()?).ok()?.try_into().ok()?;
        Some(Account { phone, user_id, key: Key { key: AuthKey::new(key), salt } })
    };
    let accounts = text.lines().map(|line| account(line).ok_or(line));
    let accounts: std::result::Result<_, _> = accounts.collect();
    accounts.map_err(|_| Error::setup(file.display(), "a line is no account"))
}

fn sign_up(clients: &mut Clients, phones: Vec<String>) -> Result<Vec<Account>> {
    let made = clients.connect_with_new_keys(phones.len())?;
    let with = |query: &dyn Fn(&str) -> Bytes| {
        made.iter().zip(&phones).map(|((id, _), phone)| (*id, query(phone))).collect()
    };
    let settings = types::CodeSettings::new();
    let codes = clients.ask_all(with(&|phone| {
        introduced(&functions::auth::SendCode::new(phone, 1, "hash", settings.clone()))
    }))?;
    let mut hashes = Vec::new();
    for answer in codes {
        let body = refused("auth.sendCode", answer)?;
        match enums::auth::SentCode::from_bytes(&body) {
            Ok(enums::auth::SentCode::SentCode(sent)) => {
                hashes.push(sent.phone_code_hash.to_owned());
            }
            other => return Err(Error::Protocol(format!("no code: {other:?}"))),
        }
    }
    let sign_ins = made.iter().zip(phones.iter().zip(&hashes)).map(|((id, _), (phone, hash))| {
        let code = phone[5..6].repeat(5);
        let sign_in = functions::auth::SignIn {
            phone_code: Some(&code),
            ..functions::auth::SignIn::new(phone, hash)
        };
        (*id, bytes(&sign_in))
    });
    let answers = clients.ask_all(sign_ins.collect())?;
    let mut user_ids = vec![0; made.len()];
    let mut newcomers = Vec::new();
    for (at, answer) in answers.into_iter().enumerate() {
        match user_id(&refused("auth.signIn", answer)?)? {
            Some(user_id) => user_ids[at] = user_id,
            None => newcomers.push(at),
        }
    }
    let sign_ups = newcomers.iter().map(|&at| {
        let first_name = format!("Load {}", &phones[at][5..]);
        let sign_up = functions::auth::SignUp::new(&phones[at], &hashes[at], &first_name, "");
        (made[at].0, bytes(&sign_up))
    });
    let answers = clients.ask_all(sign_ups.collect())?;
    for (at, answer) in newcomers.into_iter().zip(answers) {
        let id = user_id(&refused("auth.signUp", answer)?)?;
        user_ids[at] = id.ok_or_else(|| Error::Protocol("nobody signed up".to_owned()))?;
    }
    let accounts =
        made.into_iter().zip(phones).zip(user_ids).map(|(((id, key), phone), user_id)| {
            let salt = clients.salt(id).unwrap_or(key.salt);
            clients.close(id);
            Account { phone, user_id, key: Key { salt, ..key } }
        });
    Ok(accounts.collect())
}

/// Who is logged in; `None` if the number has no account.
fn user_id(body: &[u8]) -> Result<Option<i64>> {
    match enums::auth::Authorization::from_bytes(body) {
        Ok(enums::auth::Authorization::Authorization(authorization)) => match &authorization.user {
            enums::User::User(user) => Ok(Some(user.id)),
            other => Err(Error::Protocol(format!("nobody is logged in: {other:?}"))),
        },
        Ok(enums::auth::Authorization::AuthorizationSignUpRequired(_)) => Ok(None),
        Err(error) => Err(Error::Protocol(error.to_string())),
    }
}

/// The answer to a method that has to succeed.
pub(crate) fn refused(method: &'static str, answer: crate::client::Answer) -> Result<Bytes> {
    answer.map_err(|text| Error::Rpc { method, text })
}

/// Connects accounts, so that their sessions are logged in, have learned their salts, and get updates.
pub(crate) fn go_online(clients: &mut Clients, accounts: &[Account]) -> Result<Vec<Id>> {
    let mut ids = Vec::with_capacity(accounts.len());
    for batch in accounts.chunks(BATCH_COUNT) {
        let mut requests = Vec::with_capacity(batch.len());
        for account in batch {
            let id = clients.connect(None)?;
            clients.begin(id, account.key.key.clone(), account.key.salt);
            requests.push((id, introduced(&functions::updates::GetState {})));
            ids.push(id);
        }
        for answer in clients.ask_all(requests)? {
            refused("updates.getState", answer)?;
        }
    }
    Ok(ids)
}

/// How each client names the other of its pair.
pub(crate) fn resolve(
    clients: &mut Clients,
    asked: &[(Id, &Account)],
) -> Result<Vec<enums::InputPeer>> {
    let requests = asked
        .iter()
        .map(|(id, other)| (*id, bytes(&functions::contacts::ResolvePhone::new(&other.phone))));
    let answers = clients.ask_all(requests.collect())?;
    let mut peers = Vec::with_capacity(asked.len());
    for ((_, other), answer) in asked.iter().zip(answers) {
        let body = refused("contacts.resolvePhone", answer)?;
        let found = types::contacts::ResolvedPeer::from_bytes(&body)
            .map_err(|error| Error::Protocol(error.to_string()))?;
        let access_hash = found.users.iter().find_map(|user| match user {
            enums::User::User(user) if user.id == other.user_id => user.access_hash,
            _ => None,
        });
        let access_hash = access_hash
            .ok_or_else(|| Error::Protocol("a number leads to somebody else".to_owned()))?;
        peers.push(types::InputPeerUser::new(other.user_id, access_hash).into());
    }
    Ok(peers)
}
