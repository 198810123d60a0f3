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

/// How many bytes of rows that were read or written lately are kept in memory for the writer of a partition.
pub const RECENT_LEN: u64 = 512 << 10;

/// How many bytes of a key fit into a [`crate::KeyBuf`] before it allocates: a bucket, an owner with a number, a table
/// and a key of four numbers.
pub const KEY_INLINE_LEN: usize = 48;

/// The longest piece of a blob, in bytes. Pieces are a power of two of KiB, up to this.
pub const PIECE_LEN_MAX: usize = 512 * 1024;

/// The most pieces of a blob.
pub const PIECE_COUNT_MAX: usize = 8_000;

/// The length of all parts but the last that a remote store takes an object in, in bytes. Shorter objects go in one request.
pub const REMOTE_PART_LEN: usize = 8 << 20;

/// The most parts that S3 makes an object of.
pub const REMOTE_PART_COUNT_MAX: usize = 10_000;

/// How many parts of an object are in memory: one is sent while the next is gathered.
pub const REMOTE_PART_IN_MEMORY_COUNT: usize = 2;

/// How many threads talk to the remote store. They wait most of the time.
pub const REMOTE_THREAD_COUNT: usize = 2;

/// How much of what a remote store says about a failure is kept, in bytes.
pub const REMOTE_REASON_LEN_MAX: usize = 400;

/// How many bytes of new pieces are gathered in memory before they become a blob file. There can be two such buffers.
pub const PIECES_BUFFER_LEN: usize = 4 << 20;

/// How many bytes of keys, indexes and filters of the store of pieces are kept in memory.
pub const PIECES_CACHE_LEN: usize = 2 << 20;

/// How many files the store of pieces keeps open.
pub const PIECES_OPEN_FILES_MAX: i32 = 256;

/// From which length on a piece goes into a blob file, in bytes. Shorter ones cost less in their row, without a second read.
pub const PIECES_BLOB_LEN_MIN: u64 = 1 << 10;

/// From which length on garbage collection begins another blob file, in bytes.
pub const PIECES_FILE_LEN_MAX: u64 = 256 << 20;

/// From which length on pieces of large files lie in a file of their data, in bytes.
pub const LARGE_PIECE_LEN_MIN: usize = 64 << 10;

/// At multiples of which address a piece of a large file may lie so that it need not be copied to be written, in bytes.
pub const LARGE_ADDRESS_ALIGNMENT: usize = 512;

/// How many buffers for pieces of large files are kept for those to come. Each has the longest piece.
pub const LARGE_BUFFERS_KEPT_MAX: usize = 16;

/// Beyond how many pieces of one data they are deleted by a range, which later reads have to look at, not one by one.
pub const PIECES_DELETE_COUNT_MAX: usize = 64;

/// After how many deleted bytes the store of pieces gives room back to the disk by itself.
pub const PIECES_RECLAIM_LEN: u64 = 64 << 20;

const _: () = assert!(PIECE_LEN_MAX * PIECE_COUNT_MAX <= REMOTE_PART_LEN * REMOTE_PART_COUNT_MAX);
const _: () = assert!(REMOTE_PART_IN_MEMORY_COUNT >= 1);
const _: () =
    assert!(PARTITION_COUNT <= PARTITION_COUNT_MAX && PARTITION_COUNT_MAX <= BUCKET_COUNT);
const _: () = assert!(ACKNOWLEDGED_COUNT_MAX < PENDING_COUNT_MAX);
