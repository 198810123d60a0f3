//! Pictures of all kinds, and what only looks like some.
