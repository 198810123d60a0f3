//! Every bound of the protocol, with its unit. A `_len` is bytes, a `_count` is things, `_s` is seconds.

use core::time::Duration;

// ===== Transport =====

/// Longest payload of a packet, in bytes, either way.
///
/// The largest that clients send is a file part of 512 KiB, the largest answer a part of 1 MiB; neither is ever
/// packed together with another one.
pub const PACKET_LEN_MAX: usize = 2 * 1024 * 1024;

/// Longest head of an HTTP request, its empty line included, in bytes.
pub const HTTP_HEAD_LEN_MAX: usize = 8 * 1024;

/// Longest payload of a WebSocket data frame, in bytes. No frame is kept, so this only refuses nonsense.
pub const WEBSOCKET_FRAME_LEN_MAX: usize = 16 * 1024 * 1024;

/// Most secrets a listener may have; each costs a hash and a key schedule on connections that it does not fit.
pub const SECRET_COUNT_MAX: usize = 16;

/// How long the init of an obfuscated connection is remembered. Messages are refused for their age after that.
pub const REPLAY_AGE_MAX: Duration = Duration::from_secs(600);

/// Most inits remembered; each takes about 120 bytes.
pub const REPLAY_COUNT_MAX: usize = 65_536;

// ===== Buffers =====

/// Free bytes before a packet's payload that a transport may need for its own header.
pub const TRANSPORT_HEADROOM: usize = 24;
/// `auth_key_id` and `msg_key`.
pub const ENVELOPE_HEADER_LEN: usize = 24;
/// `salt`, `session_id`, `msg_id`, `seq_no`, `length`.
pub const MESSAGE_HEADER_LEN: usize = 32;
/// Constructor id and `req_msg_id` of `rpc_result`.
pub const RPC_RESULT_HEADER_LEN: usize = 12;
/// Free bytes in front of an answer: room for every header before it.
pub const HEADROOM: usize =
    TRANSPORT_HEADROOM + ENVELOPE_HEADER_LEN + MESSAGE_HEADER_LEN + RPC_RESULT_HEADER_LEN;
/// Spare bytes behind an answer: padding of the envelope, and a transport's trailer.
pub const TAILROOM: usize = 48;

// ===== Envelope =====

/// The least padding of an encrypted message.
pub const PADDING_LEN_MIN: usize = 12;
/// The most padding of an encrypted message.
pub const PADDING_LEN_MAX: usize = 1024;

// ===== Handshake =====

/// Exchanges that one connection may have under way: Telegram Desktop makes its two keys side by side.
pub const EXCHANGE_COUNT_MAX: usize = 4;
/// How long an exchange may take, and how long its answers are repeated.
pub const EXCHANGE_AGE_MAX: Duration = Duration::from_secs(600);
/// How often the last step of one exchange may be tried with another `g_b`.
pub const DH_RETRY_COUNT_MAX: usize = 4;
/// The longest life of a temporary key that is granted, whatever was asked for.
pub const TEMP_KEY_EXPIRES_IN_S_MAX: i32 = 7 * 86_400;
/// How much later than the temporary key itself a binding may claim to end; clients round and clocks differ.
pub const BIND_EXPIRES_AT_SLACK_S: i64 = 300;

// ===== Message identifiers and salts =====

/// How old a client's `msg_id` may be.
pub const MSG_ID_AGE_MAX: Duration = Duration::from_secs(300);
/// How far ahead of our clock a client's `msg_id` may be.
pub const MSG_ID_AHEAD_MAX: Duration = Duration::from_secs(30);
/// Identifiers that a session remembers; the lowest are forgotten first.
pub const RECEIVED_COUNT_MAX: usize = 4096;
/// How far `seq_no` may be out of order: clients that send from several tasks leave gaps.
pub const SEQ_NO_SLACK: i32 = 4096;
/// How long a salt is the current one; the one before is accepted as long again.
pub const SALT_PERIOD_S: i64 = 1800;
/// How long before its period the next salt is accepted: clocks differ.
pub const SALT_EARLY_S: i64 = 60;
/// How long the salt that both sides derived in the handshake is accepted.
pub const FIRST_SALT_S: i64 = 2 * SALT_PERIOD_S;
/// Salts that `get_future_salts` may ask for.
pub const FUTURE_SALT_COUNT_MAX: i32 = 64;

// ===== Session =====

/// Connections that serve one session; one more closes the oldest.
pub const CONNECTION_COUNT_MAX: usize = 16;
/// How long a session without connection is kept.
pub const SESSION_IDLE: Duration = Duration::from_secs(600);
/// Messages of a received container.
pub const CONTAINER_COUNT_MAX: usize = 1024;
/// Messages of a sent container: what the documentation allows.
pub const CONTAINER_SENT_COUNT_MAX: usize = 1020;
/// Bytes of a sent container; a longer message travels alone, and uncopied.
pub const CONTAINER_SENT_LEN_MAX: usize = 64 * 1024;
/// Identifiers in one `msgs_ack`, `msgs_state_req`, `msg_resend_req`.
pub const ID_LIST_COUNT_MAX: usize = 8192;
/// Requests of a session that run or wait for others.
pub const REQUEST_COUNT_MAX: usize = 2048;
/// Bytes of requests that wait for others.
pub const HELD_LEN_MAX: usize = 1024 * 1024;
/// Predecessors that one request may name.
pub const PREDECESSOR_COUNT_MAX: usize = 64;
/// How long an unknown predecessor is waited for.
pub const UNKNOWN_PREDECESSOR_WAIT: Duration = Duration::from_secs(10);
/// How long a running predecessor is waited for.
pub const RUNNING_PREDECESSOR_WAIT: Duration = Duration::from_secs(60);
/// After how long a running request is acknowledged by itself: clients send again what stays so for long.
pub const REQUEST_ACK_AFTER: Duration = Duration::from_secs(8);
/// Messages sent and not acknowledged that are kept for sending again.
pub const UNACKED_COUNT_MAX: usize = 2048;
/// Their bytes. The newest message is kept even if it alone is longer.
pub const UNACKED_LEN_MAX: usize = 2 * 1024 * 1024;
/// Pushed updates that wait to be sent.
pub const PUSH_COUNT_MAX: usize = 512;
/// Bytes of pushed updates that wait to be sent.
pub const PUSH_LEN_MAX: usize = 256 * 1024;
/// Messages of all kinds that wait to be sent.
pub const QUEUE_COUNT_MAX: usize = 8192;
/// Bytes of all kinds of messages that wait to be sent.
pub const QUEUE_LEN_MAX: usize = 16 * 1024 * 1024;
/// A longer answer is announced by `msg_detailed_info` rather than repeated.
pub const REPEATED_ANSWER_LEN_MAX: usize = 4 * 1024;
/// `disconnect_delay` of `ping_delay_disconnect`, at most.
pub const DISCONNECT_DELAY_S_MAX: i32 = 3600;

// ===== Compression =====

/// Bytes that one `gzip_packed` may become: as many as may come unpacked.
pub const GZIP_OUTPUT_LEN_MAX: usize = PACKET_LEN_MAX;
/// Bytes that come out between two looks at whether there may be more.
pub const GZIP_STEP_LEN: u64 = 64 * 1024;
/// How many times its packed length it may become; deflate cannot pack better than 1032 to 1.
pub const GZIP_RATIO_MAX: usize = 1000;
/// Up to here the ratio is not looked at: zeros pack well.
pub const GZIP_RATIO_FREE_LEN: usize = 64 * 1024;

const _: () = assert!(PACKET_LEN_MAX.is_multiple_of(4));
// Abridged cannot express more.
const _: () = assert!(PACKET_LEN_MAX / 4 < 1 << 24);
const _: () = assert!(WEBSOCKET_FRAME_LEN_MAX > PACKET_LEN_MAX);
const _: () = assert!(HEADROOM.is_multiple_of(4));
const _: () = assert!(CONTAINER_SENT_COUNT_MAX <= CONTAINER_COUNT_MAX);
const _: () = assert!(PUSH_LEN_MAX < QUEUE_LEN_MAX && PUSH_COUNT_MAX < QUEUE_COUNT_MAX);
