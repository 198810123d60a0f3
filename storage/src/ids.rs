//! Ids, owners, and where an owner's rows live.
//!
//! ```text
//! owner --hash--> bucket (0..4096, fixed for good) --range--> partition (0..64 by default)
//! ```
//!
//! A partition is a contiguous range of buckets, so that its rows are one range of keys.

use std::fmt;

use crate::key::{Key, KeyBuf, KeyReader};
use crate::limits::{BUCKET_COUNT, CHORE_LIST_COUNT, PARTITION_COUNT, PARTITION_COUNT_MAX};

/// A user's id, as clients see it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserId(pub i64);

/// A message's id in its owner's box: 1, 2, 3 …
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub i32);

/// A position in an update log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pts(pub i32);

/// The id of a permanent auth key: the lower 64 bits of its SHA-1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AuthKeyId(pub i64);

/// The id of a file: a photo or a document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub i64);

/// The id of a blob: a hash of its content and length, see [`crate::blobs::tree`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobId(pub [u8; 32]);

/// Under what the pieces of an upload, and later of its blob, lie in the store of pieces. Random, never used again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DataId(pub i64);

/// A partition's number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartitionId(pub u16);

/// The bucket of an owner, below [`BUCKET_COUNT`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bucket(pub u16);

/// Whose rows they are: operations are addressed to one, and see no rows but its own.
///
/// `Debug` shows neither phone numbers nor names, because logs must not.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owner {
    /// A user: account, mailbox, update log.
    User(UserId),
    /// An auth key: the authorization behind it.
    AuthKey(AuthKeyId),
    /// A phone number, digits only: who has it, and the login codes sent to it.
    Phone(String),
    /// A username in lower case: who has it.
    Username(String),
    /// A file: who holds it.
    File(FileId),
    /// A blob: where its bytes are, and which files hold it.
    Blob(BlobId),
    /// A list of things to be done later, below [`CHORE_LIST_COUNT`].
    Chores(u8),
}

/// A kind of owners.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerKind {
    /// [`Owner::User`].
    User,
    /// [`Owner::AuthKey`].
    AuthKey,
    /// [`Owner::Phone`].
    Phone,
    /// [`Owner::Username`].
    Username,
    /// [`Owner::File`].
    File,
    /// [`Owner::Blob`].
    Blob,
    /// [`Owner::Chores`].
    Chores,
}

impl OwnerKind {
    /// The first byte of encoded owners of this kind.
    pub(crate) const fn tag(self) -> u8 {
        match self {
            Self::User => tag::USER,
            Self::AuthKey => tag::AUTH_KEY,
            Self::Phone => tag::PHONE,
            Self::Username => tag::USERNAME,
            Self::File => tag::FILE,
            Self::Blob => tag::BLOB,
            Self::Chores => tag::CHORES,
        }
    }
}

impl Owner {
    /// The owner of a phone number, of which only the digits count.
    pub fn phone(number: &str) -> Self {
        Self::Phone(number.chars().filter(char::is_ascii_digit).collect())
    }

    /// The owner of a username, in which case does not count.
    pub fn username(name: &str) -> Self {
        Self::Username(name.to_ascii_lowercase())
    }

    /// Reads over an encoded owner.
    #[cfg(feature = "rocks")]
    pub(crate) fn skip(input: &mut KeyReader<'_>) -> Option<()> {
        match u8::decode(input)? {
            tag::USER | tag::AUTH_KEY => drop(input.take(8)?),
            tag::PHONE | tag::USERNAME => drop(input.take_bytes()?),
            tag::FILE => drop(input.take(8)?),
            tag::BLOB => drop(input.take(32)?),
            tag::CHORES => drop(input.take(1)?),
            _ => return None,
        }
        Some(())
    }

    /// The list that the chores of `number` are in.
    pub const fn chores(number: i64) -> Self {
        Self::Chores(number.rem_euclid(CHORE_LIST_COUNT as i64) as u8)
    }

    /// Where the owner's rows are.
    pub fn bucket(&self) -> Bucket {
        let mut key = KeyBuf::new();
        self.encode(&mut key);
        Bucket::of(&key)
    }
}

impl From<UserId> for Owner {
    fn from(id: UserId) -> Self {
        Self::User(id)
    }
}

impl From<AuthKeyId> for Owner {
    fn from(id: AuthKeyId) -> Self {
        Self::AuthKey(id)
    }
}

impl From<FileId> for Owner {
    fn from(id: FileId) -> Self {
        Self::File(id)
    }
}

impl From<BlobId> for Owner {
    fn from(id: BlobId) -> Self {
        Self::Blob(id)
    }
}

impl BlobId {
    /// Reads an id out of stored bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

impl fmt::Debug for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({self})")
    }
}

/// In hex.
impl fmt::Display for BlobId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "User({})", id.0),
            Self::AuthKey(id) => write!(f, "AuthKey({:016x})", id.0),
            Self::Phone(_) => write!(f, "Phone(in bucket {})", self.bucket().0),
            Self::Username(_) => write!(f, "Username(in bucket {})", self.bucket().0),
            Self::File(id) => write!(f, "File({:016x})", id.0),
            Self::Blob(id) => write!(f, "{id:?}"),
            Self::Chores(list) => write!(f, "Chores({list})"),
        }
    }
}

impl Bucket {
    /// The bucket of an encoded owner: 64-bit FNV-1a, mixed (the finalizer of MurmurHash3) so that every bit counts,
    /// modulo 4096.
    ///
    /// Can never change: stored keys depend on it. The test vectors below hold it.
    pub(crate) fn of(owner: &[u8]) -> Self {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in owner {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        hash ^= hash >> 33;
        Self((hash % u64::from(BUCKET_COUNT)) as u16)
    }
}

/// How many partitions a store has, and so which owner is in which. Fixed when the store is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partitions {
    count: u16,
}

impl Partitions {
    /// That many partitions; `None` if there are none, or more than [`PARTITION_COUNT_MAX`].
    pub const fn new(count: u16) -> Option<Self> {
        if count == 0 || count > PARTITION_COUNT_MAX { None } else { Some(Self { count }) }
    }

    /// How many there are.
    pub const fn count(self) -> u16 {
        self.count
    }

    /// The partition of an owner.
    pub fn of(self, owner: &Owner) -> PartitionId {
        self.of_bucket(owner.bucket())
    }

    /// The partition of a bucket: buckets are dealt out in contiguous ranges.
    pub fn of_bucket(self, bucket: Bucket) -> PartitionId {
        PartitionId((u32::from(bucket.0) * u32::from(self.count) / u32::from(BUCKET_COUNT)) as u16)
    }

    /// All partitions, in order.
    pub fn iter(self) -> impl DoubleEndedIterator<Item = PartitionId> + ExactSizeIterator {
        (0..self.count).map(PartitionId)
    }
}

impl Default for Partitions {
    fn default() -> Self {
        Self { count: PARTITION_COUNT }
    }
}

/// The first byte of an encoded owner.
mod tag {
    pub(super) const USER: u8 = 1;
    pub(super) const AUTH_KEY: u8 = 2;
    pub(super) const PHONE: u8 = 3;
    pub(super) const USERNAME: u8 = 4;
    pub(super) const FILE: u8 = 5;
    pub(super) const BLOB: u8 = 6;
    pub(super) const CHORES: u8 = 7;
}

impl Key for Owner {
    fn encode(&self, out: &mut KeyBuf) {
        match self {
            Self::User(id) => {
                out.push(tag::USER);
                id.encode(out);
            }
            Self::AuthKey(id) => {
                out.push(tag::AUTH_KEY);
                id.encode(out);
            }
            Self::Phone(digits) => {
                out.push(tag::PHONE);
                digits.encode(out);
            }
            Self::Username(name) => {
                out.push(tag::USERNAME);
                name.encode(out);
            }
            Self::File(id) => {
                out.push(tag::FILE);
                id.encode(out);
            }
            Self::Blob(id) => {
                out.push(tag::BLOB);
                id.0.encode(out);
            }
            Self::Chores(list) => {
                out.push(tag::CHORES);
                list.encode(out);
            }
        }
    }

    fn decode(input: &mut KeyReader<'_>) -> Option<Self> {
        Some(match u8::decode(input)? {
            tag::USER => Self::User(UserId::decode(input)?),
            tag::AUTH_KEY => Self::AuthKey(AuthKeyId::decode(input)?),
            tag::PHONE => Self::Phone(String::decode(input)?),
            tag::USERNAME => Self::Username(String::decode(input)?),
            tag::FILE => Self::File(FileId::decode(input)?),
            tag::BLOB => Self::Blob(BlobId(<[u8; 32]>::decode(input)?)),
            tag::CHORES => Self::Chores(u8::decode(input)?),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(owner: Owner, encoded: &[u8], bucket: u16, partition: u16) {
        let mut key = KeyBuf::new();
        owner.encode(&mut key);
        assert_eq!(&*key, encoded, "{owner:?}");
        assert_eq!(owner.bucket(), Bucket(bucket), "{owner:?}");
        assert_eq!(Partitions::default().of(&owner), PartitionId(partition), "{owner:?}");
        let mut reader = KeyReader::new(encoded);
        assert_eq!(Owner::decode(&mut reader), Some(owner));
        assert!(reader.is_empty());
    }

    /// If this test fails, every existing store becomes unreadable: change the code, not the numbers.
    #[test]
    fn buckets_are_fixed_for_good() {
        check(Owner::User(UserId(1)), &[1, 0x80, 0, 0, 0, 0, 0, 0, 1], 2541, 39);
        check(Owner::User(UserId(777_000)), &[1, 0x80, 0, 0, 0, 0, 0x0b, 0xdb, 0x28], 3708, 57);
        check(Owner::User(UserId(-2)), &[1, 0x7f, 255, 255, 255, 255, 255, 255, 254], 1992, 31);
        check(Owner::AuthKey(AuthKeyId(1)), &[2, 0x80, 0, 0, 0, 0, 0, 0, 1], 2497, 39);
        check(Owner::phone("+99966 10001"), b"\x039996610001\0\0", 165, 2);
        check(Owner::username("Baudot"), b"\x04baudot\0\0", 3796, 59);
    }

    #[test]
    fn owners_spread_evenly() {
        let mut counts = vec![0_u32; 64];
        for id in 1..=64_000 {
            counts[usize::from(Partitions::default().of(&Owner::User(UserId(id))).0)] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }

    #[test]
    fn partitions_are_ranges_of_buckets_and_all_used() {
        for count in [1, 2, 3, 64, 100, PARTITION_COUNT_MAX] {
            let partitions = Partitions::new(count).unwrap();
            let of: Vec<_> =
                (0..BUCKET_COUNT).map(|bucket| partitions.of_bucket(Bucket(bucket))).collect();
            assert!(of.is_sorted());
            let mut used = of.clone();
            used.dedup();
            assert_eq!(used, partitions.iter().collect::<Vec<_>>());
        }
        assert_eq!(Partitions::new(0), None);
        assert_eq!(Partitions::new(PARTITION_COUNT_MAX + 1), None);
    }

    #[test]
    fn names_of_owners_are_not_shown() {
        assert!(!format!("{:?}", Owner::phone("9996610001")).contains("99966"));
        assert!(!format!("{:?}", Owner::username("secret")).contains("secret"));
    }
}
