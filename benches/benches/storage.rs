//! What storing costs: groups of messages from commit to commit, and reading a chat newest first.
//!
//! Sketch: a message is an operation at the sender (one look-up, two rows, one delivery) and one at the recipient (two
//! rows), applied in the same round: four puts. A put in RocksDB measured 2.5 to 3 us, a sync 0.2 ms, so 64
//! messages in a group should take about 1.2 ms, 19 us each. With feature `rocks` both engines are measured.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use storage::{
    Desc, Engine, Error, Group, Memory, MessageId, Order, Outbox, Owner, PartitionId, Partitions,
    Read, Receipt, Round, Table, Txn, UserId, View,
};
use tl::{Cursor, Decode, DecodeError, Encode, Layer, Sink};

const MESSAGES: Table<Desc<MessageId>, Text> = Table::new(1, "messages");
const MESSAGES_UP: Table<MessageId, Text> = Table::new(2, "messages up");
const UPDATES: Table<MessageId, Text> = Table::new(3, "updates");

/// A record of one string.
struct Text(Vec<u8>);

impl Encode for Text {
    fn encode<S: Sink>(&self, _layer: Layer, out: &mut S) {
        out.bytes(&self.0);
    }
}

impl<'a> Decode<'a> for Text {
    fn decode(input: &mut Cursor<'a>) -> Result<Self, DecodeError> {
        Ok(Self(input.bytes()?.to_vec()))
    }
}

/// A store of two partitions: users of the first write to users of the second.
struct Store {
    engine: Box<dyn Engine>,
    outboxes: [Outbox; 2],
    users: [Vec<Owner>; 2],
    last: i32,
    /// Keeps the folder of the store.
    _folder: Option<tempfile::TempDir>,
}

impl Store {
    fn new((engine, folder): (Box<dyn Engine>, Option<tempfile::TempDir>)) -> Self {
        let partitions = partitions();
        let load =
            |id| Outbox::load(&*engine.snapshot(), PartitionId(id), partitions).expect("loads");
        let outboxes = [load(0), load(1)];
        let users = [0, 1].map(|id| {
            let users = (1..).map(|user| Owner::User(UserId(user)));
            users.filter(|user| partitions.of(user) == PartitionId(id)).take(100).collect()
        });
        Self { engine, outboxes, users, last: 0, _folder: folder }
    }

    /// Sends `count` messages, in one write at the sender, one at the recipient.
    fn send(&mut self, count: usize) {
        let snapshot = self.engine.snapshot();
        let mut round: Round<'_> = Round::begin(&*snapshot, &mut self.outboxes);
        let group = round.group(PartitionId(0)).expect("begins").expect("is of the round");
        for (from, to) in self.users[0].iter().cycle().zip(self.users[1].iter().cycle()).take(count)
        {
            self.last += 1;
            let id = MessageId(self.last);
            group.execute(from, |txn| append(txn, id, Some(to))).expect("executes");
        }
        let last = MessageId(self.last);
        round.settle(count, |group, delivery| {
            let receipt = group.receive(delivery, |txn| append(txn, last, None));
            assert!(matches!(receipt, Receipt::Applied(Ok(()))));
            receipt
        });
        round.commit(&*self.engine).expect("commits");
    }
}

fn append(txn: &mut Txn<'_>, id: MessageId, to: Option<&Owner>) -> Result<(), Error> {
    let message = Text(vec![b'x'; 100]);
    if txn.contains(MESSAGES, &Desc(id))? {
        return Ok(());
    }
    txn.put(MESSAGES, &Desc(id), &message);
    txn.put(UPDATES, &id, &Text(id.0.to_le_bytes().into()));
    to.map_or(Ok(()), |to| txn.deliver(to.clone(), &message))
}

fn partitions() -> Partitions {
    Partitions::new(2).expect("two are allowed")
}

/// An empty store, and the folder it is in.
type Opened = (Box<dyn Engine>, Option<tempfile::TempDir>);

type Open = fn() -> Opened;

const ENGINES: &[(&str, Open)] = &[
    ("memory", || (Box::new(Memory::new()), None)),
    #[cfg(feature = "rocks")]
    ("rocks", || {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let options = storage::RocksOptions { partitions: partitions(), ..Default::default() };
        let rocks = storage::Rocks::open(folder.path(), &options).expect("opens");
        (Box::new(rocks), Some(folder))
    }),
];

fn messages(criterion: &mut Criterion) {
    for (name, open) in ENGINES {
        let mut group = criterion.benchmark_group(format!("storage/{name}/messages"));
        for count in [1, 16, 64, 512] {
            let mut store = Store::new(open());
            group.throughput(Throughput::Elements(count as u64));
            group.bench_function(format!("{count} a group"), |bencher| {
                bencher.iter(|| store.send(count))
            });
        }
    }
}

/// 20 of 10,000 messages.
fn history(criterion: &mut Criterion) {
    for (name, open) in ENGINES {
        let mut store = Store::new(open());
        let user = store.users[0][0].clone();
        let snapshot = store.engine.snapshot();
        let mut group: Group<'_> =
            Group::begin(&*snapshot, &mut store.outboxes[0]).expect("begins");
        let fill = |txn: &mut Txn<'_>| {
            for id in (1..=10_000).map(MessageId) {
                txn.put(MESSAGES, &Desc(id), &Text(vec![b'x'; 100]));
                txn.put(MESSAGES_UP, &id, &Text(vec![b'x'; 100]));
            }
            Ok::<_, Error>(())
        };
        group.execute(&user, fill).expect("executes");
        group.commit(&*store.engine).expect("commits");
        drop(snapshot);
        let mut group = criterion.benchmark_group(format!("storage/{name}/history"));
        group.throughput(Throughput::Elements(20));
        let offset = MessageId(5_000);
        group.bench_function("forward over inverted ids", |bencher| {
            bencher.iter(|| {
                let snapshot = store.engine.snapshot();
                let view = View::new(&*snapshot, user.clone());
                black_box(
                    view.scan(MESSAGES, Desc(offset).., Order::Forward, 20).expect("scans").len(),
                )
            });
        });
        group.bench_function("backward over ids", |bencher| {
            bencher.iter(|| {
                let snapshot = store.engine.snapshot();
                let view = View::new(&*snapshot, user.clone());
                black_box(
                    view.scan(MESSAGES_UP, ..offset, Order::Backward, 20).expect("scans").len(),
                )
            });
        });
    }
}

criterion_group!(benches, messages, history);
criterion_main!(benches);
