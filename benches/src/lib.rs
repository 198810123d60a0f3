//! Benchmarks of what is hot: a file a package under `benches/`, named by what is measured.
