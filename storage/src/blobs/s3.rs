//! Blobs in an S3 store.
