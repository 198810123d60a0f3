//! Pieces in RocksDB.
