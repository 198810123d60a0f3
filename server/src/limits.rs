//! Every bound of the server that a peer can reach. Those that operators change are in `config::Limits`; those of the protocol
//! and of the state are in `mtproto::limits` and `services::limits`.

use std::time::Duration;

// ---- rpc ----

/// How deep `invokeWith…` wrappers may be nested in one another.
pub const WRAPPER_DEPTH_MAX: usize = 8;
/// How many requests of one session may run at once; further ones are told to wait.
pub const REQUESTS_RUNNING_MAX: usize = 1024;
/// From how many requests on that run a shard is busy: each session and connection gets a share.
pub const SHARD_BUSY_COUNT: usize = 1024;
/// How many requests of one session may run on a busy shard; further ones are told to wait.
pub const REQUESTS_RUNNING_BUSY_MAX: usize = 64;
/// How many requests of one connection may run on a busy shard before nothing more is read from it.
pub const REQUESTS_READ_BUSY_MAX: usize = 16;
/// How many units of cost a login may spend in a second, on average.
pub const COST_UNITS_PER_S: u32 = 4_000;
/// How many units it may spend at once after a pause.
pub const COST_UNITS_BURST: u32 = 40_000;
/// What a call that writes costs.
pub const WRITE_COST: u32 = 4;
/// What a call that scans or reaches outside costs.
pub const HEAVY_COST: u32 = 40;
/// How many bytes of a packed request a login may have unpacked for one unit.
pub const UNPACKED_UNIT_LEN: usize = 8 * 1024;
/// The longest text of `initConnection` that is kept, in bytes.
pub const CLIENT_TEXT_LEN_MAX: usize = 128;

// ---- router ----

/// How many operations may wait for one writer.
pub const WRITER_QUEUE_COUNT: usize = 4096;
/// How many deliveries and acknowledgements of other writers may wait beside them: as many, so that these have half of its time.
pub const WRITER_DELIVERIES_COUNT: usize = 4096;
/// How many of them a writer takes into one group.
pub const GROUP_COUNT_MAX: usize = 1024;
/// How many deliveries between its own partitions a writer applies in the group that made them; further ones take the outbox.
pub const DIRECT_COUNT_MAX: usize = 4096;
/// How many deliveries of one pair of partitions are on their way at once.
pub const DELIVERIES_IN_FLIGHT_MAX: usize = 1024;
/// After how long a delivery that was not acknowledged is sent again.
pub const DELIVERY_RETRY: Duration = Duration::from_millis(500);

/// How often the log is told that writes still fail.
pub const TROUBLE_TOLD: Duration = Duration::from_secs(30);

/// How long an answer that is durable waits for its deliveries to be applied.
pub const ANSWER_HELD_MAX: Duration = Duration::from_millis(200);
/// How many answers of one writer may wait so; further ones do not.
pub const ANSWERS_HELD_COUNT_MAX: usize = 4096;

// ---- gateway ----

/// How many commands from other threads may wait for one shard.
pub const SHARD_QUEUE_COUNT: usize = 16 * 1024;
/// How many bytes of requests of one connection may be worked on before nothing more is read from it, nor unpacked: as
/// much as one account may have on the way to the store.
pub const REQUESTS_LEN_MAX: usize = UPLOAD_IN_FLIGHT_LEN_MAX;
/// How many bytes are read from a socket at once.
pub const READ_LEN: usize = 16 * 1024;
/// Up to how many bytes of a packet that is not whole are kept in a buffer of just that length: most of what is open and says
/// next to nothing.
pub const PARTIAL_LEN_MAX: usize = 1024;
/// How many bytes of room for packets that are not whole a shard keeps; beyond, those that have been coming for longest end with their
/// connections. Whoever may connect may have this kept for them, a packet for each connection.
pub const PARTIALS_LEN_MAX: usize = 256 * 1024 * 1024;
/// How many bytes are read at once while a large packet comes: a part of a file.
pub const READ_LONG_LEN: usize = 520 * 1024;
/// Where in its packet a part of a large file begins when nothing is wrapped around its request, and the packet's length
/// takes four bytes: what is placed by this can be written without being copied.
pub const LARGE_PART_AT: usize = 4 + 24 + 32 + 24;
/// From which length on a packet is large: it is not copied on its way, and sealed and opened together with others.
pub const LARGE_PACKET_LEN: usize = 64 * 1024;
/// How many large packets are opened at once.
pub const OPENED_TOGETHER_COUNT: usize = 8;
/// How long large packets wait for the next one, while those before them are being worked on.
pub const OPENED_TOGETHER_WAIT: Duration = Duration::from_millis(1);
/// How many large packets are sealed at once.
pub const SEALED_TOGETHER_COUNT: usize = 8;
/// How long a large packet waits for others that are being prepared.
pub const SEALED_TOGETHER_WAIT: Duration = Duration::from_millis(2);
/// How many commands a shard takes from its queue before it looks at something else.
pub const SHARD_COMMANDS_AT_ONCE: usize = 256;
/// How many bytes may wait for a socket before its sessions stop giving it more and nothing more is read from it.
pub const WRITE_QUEUE_LEN_MAX: usize = 1024 * 1024;
/// How many bytes may be ready for a peer before nothing more is read from it. One packet can ask for a megabyte.
pub const UNTAKEN_LEN_MAX: usize = 256 * 1024;
/// How many bytes the system may hold of a connection that it has not sent yet. It asks for more once half of them are sent, so
/// that is how exactly it is known how much a socket takes.
pub const UNSENT_LEN_MAX: u32 = 128 * 1024;
/// How long a socket may stay full before the connection is closed.
pub const SLOW_READER: Duration = Duration::from_secs(30);
/// How many bytes a full socket must take in that time for the connection to stay.
pub const SLOW_READER_LEN_MIN: usize = 64 * 1024;
/// How often one connection may change shards. Once is what clients need; more is an attack on our time.
pub const HANDOFFS_MAX: u8 = 8;
/// How many sessions one auth key may have at once; the least recently used idle one gives way.
pub const SESSIONS_PER_KEY_MAX: usize = 64;
/// How many auth keys one shard keeps in memory; beyond, those without a session are looked up again when they come.
pub const IDLE_KEY_COUNT_MAX: usize = 16 * 1024;
/// How many handshake computations may wait at once on a shard; further handshakes are told to come back.
pub const HANDSHAKE_JOBS_MAX: usize = 256;
/// The priority of the threads that do them, from 0 to 99, where others have 48. On Linux it is nice 10: where the processor
/// does not suffice for everybody, a tenth of it, so that logging in stays possible.
pub const HANDSHAKE_PRIORITY: u8 = 22;
/// How often timers of sessions and connections are looked at.
pub const TICK: Duration = Duration::from_millis(250);
/// How much later than it should that may be before what connections did not do meanwhile is not held against them.
pub const TICK_LATE: Duration = Duration::from_secs(10);

// ---- what is kept in memory of users ----

/// How many pairs of a viewer and a user are kept in memory; each takes about 600 bytes.
pub const ACQUAINTANCE_COUNT: usize = 16 * 1024;
/// How many generations there are: users that share one are read again together.
pub const GENERATION_COUNT: usize = 16 * 1024;

// ---- handlers ----

/// How many users one call may ask for.
pub const USER_COUNT_MAX: usize = 200;
/// How many photos one call may name.
pub const PROFILE_PHOTO_NAMED_COUNT_MAX: usize = 100;
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

// ---- media ----

/// How many threads may be blocked by file contents: pieces on disk, the remote store, hashes of whole files.
pub const MEDIA_THREADS: usize = 8;
/// How many bytes of parts of one account may be on their way to the store; further ones wait.
pub const UPLOAD_IN_FLIGHT_LEN_MAX: usize = 16 * 1024 * 1024;
/// How many bytes of parts of all accounts may be on their way to the store; further ones wait.
pub const UPLOADS_IN_FLIGHT_LEN_MAX: usize = 64 * 1024 * 1024;
/// How many bytes of parts of all accounts may wait for that; further ones are told to come back at once.
pub const UPLOADS_WAITING_LEN_MAX: usize = 256 * 1024 * 1024;
/// How long a part waits for that before it is told to come back.
pub const UPLOAD_WAIT: Duration = Duration::from_secs(20);
/// How many uploads under way are remembered; the rows know the others.
pub const UPLOAD_REMEMBERED_COUNT: usize = 16 * 1024;
/// How many threads store parts of large files: the others wait for the disk while one hashes.
pub const LARGE_PARTS_THREADS: usize = 4;
/// How many parts of large files are stored together: with more, each takes longer, and those who wait for it.
pub const PARTS_TOGETHER_COUNT: usize = 4;
/// How many pieces of one part are looked for: it may be sent again with other bytes, several times at once.
pub const PART_VERSION_COUNT: usize = 64;
/// How many bytes of a blob are read and kept in memory together.
pub const BLOCK_LEN: usize = 512 * 1024;
/// How many bytes of memory are kept for where blobs lie, which is 32 bytes a piece.
pub const LAYOUT_CACHE_LEN: usize = 4 * 1024 * 1024;
/// How many reads of the remote store may run at once; they leave threads to those of this machine.
pub const REMOTE_READS_MAX: usize = MEDIA_THREADS - 2;
/// How often a blob that is not there yet is looked for again: its file was made a moment ago, and whoever asks for it has it,
/// so that it will come. On a busy machine, or after a start, that takes a while.
pub const BLOB_AWAITED_COUNT: u32 = 400;
/// After how long it is looked for again.
pub const BLOB_AWAITED: Duration = Duration::from_millis(25);
/// The longest part of a file that can be asked for, and what no part may cross a multiple of, in bytes.
pub const FILE_PART_ASKED_LEN_MAX: usize = 1024 * 1024;
/// How many bytes of a file one hash is about.
pub const FILE_HASH_LEN: usize = 128 * 1024;
/// How many bytes of answers with parts of files may be on their way to one connection; further ones wait.
pub const ANSWERS_LEN_MAX: usize = 4 * 1024 * 1024;
/// How many keys of pieces are listed at once.
pub const PIECE_KEY_COUNT: usize = 1024;
/// How many parts a file may have.
pub const UPLOAD_PART_COUNT_MAX: i32 = 4_000;
/// How many parts a file may have where large uploads are allowed.
pub const UPLOAD_PART_COUNT_MAX_LARGE: i32 = 8_000;

// ---- what clients say of their media ----

/// How many attributes of a document are looked at; there are fewer kinds.
pub const ATTRIBUTE_COUNT_MAX: usize = 16;
/// Bytes of a file name, a title, a performer.
pub const ATTRIBUTE_TEXT_LEN_MAX: usize = 255;
/// Bytes of the waveform of a voice note: 160 samples of 5 bits.
pub const WAVEFORM_LEN_MAX: usize = 100;
/// Bytes of the name of a codec.
pub const CODEC_LEN_MAX: usize = 32;
/// Bytes of the emoji of a sticker.
pub const STICKER_ALT_LEN_MAX: usize = 32;
/// The longest side of a WebP that is taken for a sticker although nobody says so, in pixels.
pub const STICKER_SIDE_MAX: i32 = 512;
/// How many bytes such a WebP may have.
pub const STICKER_LEN_MAX: u64 = 512 * 1024;
/// How many bytes a sticker that moves may have to be taken for one although nobody says so.
pub const MOVING_STICKER_LEN_MAX: u64 = 64 * 1024;
/// Bytes of a type and subtype; the longest that is registered has 73.
pub const MIME_TYPE_LEN_MAX: usize = 127;
/// How long media that go after they were opened may stay open, in seconds.
pub const MEDIA_TTL_S_MAX: i32 = 60;
/// Bytes of a name, an address, a number of a contact or a venue.
pub const CARD_TEXT_LEN_MAX: usize = 255;
/// Bytes of a contact's vCard.
pub const VCARD_LEN_MAX: usize = 2_048;
/// Metres by which a place may be off.
pub const GEO_ACCURACY_MAX: i32 = 1_500;

// ---- pictures ----

/// How many pictures may wait for the threads that work on them, besides those being worked on.
pub const IMAGE_QUEUE_COUNT: usize = 16;
/// The priority of these threads, from 0 to 99, where others have 48. On Linux it is nice 10: a tenth of what others get.
pub const IMAGE_PRIORITY: u8 = 22;
/// How long a picture may wait for a place among them.
pub const IMAGE_WAIT_MAX: Duration = Duration::from_secs(60);
/// How long the work on a picture may take; the threads only get what time others leave.
pub const IMAGE_WORK_MAX: Duration = Duration::from_secs(60);
/// After how many seconds a picture that found no place may be sent again.
pub const IMAGE_RETRY_S: i32 = 5;

// ---- files from addresses ----

/// How many addresses are fetched at once; further ones are told to wait.
pub const FETCH_JOBS_MAX: usize = 4;
/// How long a fetch may take in all.
pub const FETCH_TIME_MAX: Duration = Duration::from_secs(30);
/// How many redirects are followed.
pub const FETCH_REDIRECT_COUNT_MAX: u32 = 3;
/// How many bytes the head of an answer may have.
pub const FETCH_HEAD_LEN_MAX: usize = 32 * 1024;
/// How many bytes a URL may have.
pub const FETCH_URL_LEN_MAX: usize = 2048;
/// How many bytes a photo from an address may have.
pub const FETCH_PHOTO_LEN_MAX: u64 = 10 * 1024 * 1024;
/// How many bytes a document from an address may have.
pub const FETCH_DOCUMENT_LEN_MAX: u64 = 20 * 1024 * 1024;
/// After how many seconds an address that found no place may be sent again.
pub const FETCH_RETRY_S: i32 = 5;

// ---- the upkeep of files ----

/// How many chores are taken off a list at once.
pub const CHORE_BATCH_COUNT: i32 = 64;
/// How many such batches of one list are done before the next list has its turn.
pub const CHORE_BATCHES_PER_SWEEP: usize = 64;
/// After how many seconds a chore that failed is tried again.
pub const CHORE_RETRY_S: i32 = 60;
/// How many batches of what is over are dropped of one user's before others have their turn.
pub const EXPIRE_BATCH_COUNT_MAX: usize = 1_000;
/// How many new blobs may wait to be carried to the remote store; further ones are found by a scan.
pub const MOVE_QUEUE_COUNT: usize = 16 * 1024;
/// How many blobs are moved at once.
pub const MOVES_AT_ONCE: usize = 2;
/// How long the first pause after a failed move is; each further one is twice as long.
pub const MOVE_PAUSE: Duration = Duration::from_secs(1);
/// Beyond which pause a blob is put aside until the next scan.
pub const MOVE_PAUSE_MAX: Duration = Duration::from_secs(30);
/// How long after a blob was put aside all are looked at again.
pub const MOVE_AGAIN: Duration = Duration::from_secs(120);
/// How many moves may fail for want of the remote store, with none between that succeeds, before a migration ends.
pub const MOVE_FAILURE_COUNT_MAX: u32 = 10;
/// After how many seconds it is looked whether what a move brought is needed, should nobody have done so.
pub const MOVE_INTENT_S: i32 = 3_600;
/// How many bytes are asked of the remote store at once.
pub const REMOTE_RUN_LEN: u64 = 4 * 1024 * 1024;
/// How many owners are listed at once.
pub const OWNER_PAGE_COUNT: usize = 256;
/// How many things that a check finds are told one by one; the others are counted.
pub const FINDINGS_SHOWN_MAX: usize = 1_000;
/// How many files' holders a check counts at once, about. It goes through all messages once for each such number of files.
pub const CHECK_FILE_COUNT_MAX: u64 = 1_000_000;
/// How many operators' connections are served at once.
pub const ADMIN_CONNECTION_COUNT_MAX: usize = 8;
/// How long an operator's request may be, in bytes.
pub const ADMIN_REQUEST_LEN_MAX: u64 = 4 * 1024;
/// How long an operator's connection may be silent before it has asked, or not take what it is told.
pub const ADMIN_PATIENCE: Duration = Duration::from_secs(30);
/// How often progress is told.
pub const ADMIN_PROGRESS: Duration = Duration::from_millis(100);
/// How long a stopping server waits for it.
pub const UPKEEP_STOP: Duration = Duration::from_secs(5);
/// How many threads the upkeep of files may block.
pub const UPKEEP_THREADS: usize = 6;

const _: () = assert!(UNSENT_LEN_MAX as usize / 2 <= SLOW_READER_LEN_MIN);
