//! Every bound of the server that a peer can reach. Those that operators change are in `config::Limits`; those of the protocol
//! and of the state are in `mtproto::limits` and `services::limits`.

use std::time::Duration;

// ---- rpc ----

/// How deep `invokeWith…` wrappers may be nested in one another.
pub const WRAPPER_DEPTH_MAX: usize = 8;
/// How many queries `invokeAfterMsgs` may name.
pub const PREDECESSOR_COUNT_MAX: usize = 64;
/// How many requests of one session may run at once; further ones are told to wait.
pub const REQUESTS_RUNNING_MAX: usize = 1024;
/// How many units of cost a login may spend in a second, on average.
pub const COST_UNITS_PER_S: u32 = 4_000;
/// How many units it may spend at once after a pause.
pub const COST_UNITS_BURST: u32 = 40_000;
/// What a call that writes costs.
pub const WRITE_COST: u32 = 4;
/// What a call that scans or reaches outside costs.
pub const HEAVY_COST: u32 = 40;
/// The longest text of `initConnection` that is kept, in bytes.
pub const CLIENT_TEXT_LEN_MAX: usize = 128;

// ---- router ----

/// How many operations may wait for one writer.
pub const WRITER_QUEUE_COUNT: usize = 4096;
/// How many of them a writer takes into one group.
pub const GROUP_COUNT_MAX: usize = 1024;
/// How many deliveries of one pair of partitions are on their way at once.
pub const DELIVERIES_IN_FLIGHT_MAX: usize = 1024;
/// After how long a delivery that was not acknowledged is sent again.
pub const DELIVERY_RETRY: Duration = Duration::from_millis(500);

/// How long an answer that is durable waits for its deliveries to be applied.
pub const ANSWER_HELD_MAX: Duration = Duration::from_millis(200);
/// How many answers of one writer may wait so; further ones do not.
pub const ANSWERS_HELD_COUNT_MAX: usize = 4096;

// ---- gateway ----

/// How many commands from other threads may wait for one shard.
pub const SHARD_QUEUE_COUNT: usize = 16 * 1024;
/// How many bytes are read from a socket at once.
pub const READ_LEN: usize = 16 * 1024;
/// How many bytes may wait for a socket before its sessions stop giving it more.
pub const WRITE_QUEUE_LEN_MAX: usize = 1024 * 1024;
/// How long a socket may stay full before the connection is closed.
pub const SLOW_READER: Duration = Duration::from_secs(30);
/// How many sessions one auth key may have at once; the least recently used idle one gives way.
pub const SESSIONS_PER_KEY_MAX: usize = 64;
/// How many auth keys one shard keeps in memory without a session of theirs.
pub const IDLE_KEY_COUNT_MAX: usize = 16 * 1024;
/// How many handshake computations may run or wait at once; further handshakes are told to come back.
pub const HANDSHAKE_JOBS_MAX: usize = 256;
/// How often timers of sessions and connections are looked at.
pub const TICK: Duration = Duration::from_millis(250);
/// How many threads a shard may use for long computations.
pub const BLOCKING_THREADS_PER_SHARD: usize = 2;

// ---- handlers ----

/// How many events one answer of `updates.getDifference` is about.
pub const DIFFERENCE_EVENT_COUNT: i32 = 100;
/// How many users one call may ask for.
pub const USER_COUNT_MAX: usize = 200;
/// How many entries of an address book are looked at in one call; the rest is to be sent again.
pub const IMPORT_COUNT_MAX: usize = 500;
/// After how many seconds a client may ask for the code to be sent another way.
pub const LOGIN_CODE_RESEND_S: i32 = 60;
/// How many ids are tried for a new account, should one be taken.
pub const USER_ID_TRY_COUNT: usize = 8;
/// How long a ticket for another data centre is valid, in seconds.
pub const TICKET_LIFETIME_S: i32 = 60;
/// How many tickets that were used are remembered until they expire; further ones are told to wait.
pub const TICKET_USED_COUNT_MAX: usize = 64 * 1024;
