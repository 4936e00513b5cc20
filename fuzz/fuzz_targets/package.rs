//! Runs the body `package` on arbitrary bytes. A panic, a failed assertion, or a timeout is a failure.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../bodies/package.rs"]
mod body;

fuzz_target!(|bytes: &[u8]| {
    let _is_accepted = body::check(bytes);
});
