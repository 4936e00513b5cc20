//! x
pub mod clock;
pub mod disk;
pub mod error;
pub mod event;
pub mod exit_code;
pub mod net;
pub mod resolve;
pub mod servicing;
pub mod update;
