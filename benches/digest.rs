//! Compares both digests in one pass with each digest alone, in memory, on one core. The result is a ratio of medians
//! of seven interleaved rounds in one run.
//!
//! `cargo bench --bench digest`
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]
#![expect(clippy::disallowed_methods, reason = "a benchmark reads the system clock")]
#![expect(clippy::cast_precision_loss, reason = "the results are rounded")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use kbmirror::update::DualHasher;
use sha1::Digest as _;

const BYTES: usize = 256 * 1024 * 1024;
const ROUNDS: usize = 7;
/// A usual size of a network read, which is not a multiple of a block.
const CHUNK: usize = 65_483;

fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

fn main() {
    // Varied bytes, identical in every run.
    let mut state = 1_u64;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    })
    .take(BYTES)
    .collect();
    let (mut sha1, mut sha256, mut both, mut chunked) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        sha1.push(time(|| {
            black_box(sha1::Sha1::digest(black_box(&bytes)));
        }));
        sha256.push(time(|| {
            black_box(sha2::Sha256::digest(black_box(&bytes)));
        }));
        both.push(time(|| {
            let mut hasher = DualHasher::new();
            hasher.update(black_box(&bytes));
            black_box(hasher.finish());
        }));
        chunked.push(time(|| {
            let mut hasher = DualHasher::new();
            bytes.chunks(CHUNK).for_each(|piece| hasher.update(black_box(piece)));
            black_box(hasher.finish());
        }));
    }
    let (sha1, sha256, both, chunked) = (median(sha1), median(sha256), median(both), median(chunked));
    let speed = |seconds: f64| BYTES as f64 / seconds / 1e9;
    println!("sha1 alone    {:.2} GB/s", speed(sha1));
    println!("sha256 alone  {:.2} GB/s", speed(sha256));
    println!("both at once  {:.2} GB/s", speed(both));
    println!("in odd pieces {:.2} GB/s", speed(chunked));
    println!("ratio to the slower one alone: {:.2} (at least 0.70 with SHA-NI)", sha1.max(sha256) / both);
}
