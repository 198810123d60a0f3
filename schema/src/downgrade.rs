//! Rules for encoding values for layers older than [`crate::Layer::NEWEST`], where none can be derived.
