//! Transports: known answers, both ends against each other, what is refused, and the fuzz corpora.

#[path = "transport/corpus.rs"]
mod corpus;
#[path = "transport/pair.rs"]
mod pair;
#[path = "transport/refusals.rs"]
mod refusals;
#[path = "transport/support.rs"]
mod support;
#[path = "transport/vectors.rs"]
mod vectors;
#[path = "transport/websocket.rs"]
mod websocket;
