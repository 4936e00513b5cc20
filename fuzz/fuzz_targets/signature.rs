//! Any bytes for the target `signature`: no panic, no unit slower than the time limit, and what its body asserts.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/signature.rs"]
mod body;

fuzz_target!(|bytes: &[u8]| {
    let _is_taken = body::check(bytes);
});
