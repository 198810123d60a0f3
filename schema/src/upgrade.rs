//! Rules for reading requests of older layers, where none can be derived.
