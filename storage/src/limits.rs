//! Every bound of this package, with its unit.

/// How many buckets owners are spread over. Fixed for good: every stored key starts with a bucket.
pub const BUCKET_COUNT: u16 = 4096;

/// How many partitions a store has unless told otherwise.
pub const PARTITION_COUNT: u16 = 64;

/// The most partitions a store can have: a partition keeps one number for each other in a single row.
pub const PARTITION_COUNT_MAX: u16 = 256;

/// How many lists the chores of a store are spread over. Fixed for good.
pub const CHORE_LIST_COUNT: u8 = 16;

/// The longest encoded operation that can be delivered to another partition, in bytes.
pub const OPERATION_LEN_MAX: usize = 1 << 20;

/// How many deliveries of one pair of partitions may wait for their acknowledgement. Beyond it the operations that
/// would add one fail: the receiver has been gone for long.
pub const PENDING_COUNT_MAX: u64 = 100_000;

/// After how many acknowledged deliveries of a pair their rows are deleted, all by one range. Also how many of a pair
/// are at most sent again after a restart though they had been acknowledged.
pub const ACKNOWLEDGED_COUNT_MAX: u64 = 64;

/// How many bytes of a key fit into a [`crate::KeyBuf`] before it allocates: a bucket, an owner with a number, a table
/// and a key of four numbers.
pub const KEY_INLINE_LEN: usize = 48;

/// The longest piece of a blob, in bytes. Pieces are a power of two of KiB, up to this.
pub const PIECE_LEN_MAX: usize = 512 * 1024;

/// The most pieces of a blob.
pub const PIECE_COUNT_MAX: usize = 8_000;

const _: () =
    assert!(PARTITION_COUNT <= PARTITION_COUNT_MAX && PARTITION_COUNT_MAX <= BUCKET_COUNT);
const _: () = assert!(ACKNOWLEDGED_COUNT_MAX < PENDING_COUNT_MAX);
