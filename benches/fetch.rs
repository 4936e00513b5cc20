//! Compares `fetch` with other programs, interleaved on one machine. Each program downloads four files from nginx on
//! loopback: kbmirror (both digests, verified, published), curl alone, aria2c with SHA-256, and curl followed by
//! `sha1sum` and `sha256sum`.
//!
//! `cargo bench --bench fetch [-- FOLDER [MIB [ROUNDS]]]`. FOLDER should be on tmpfs and needs space for 36 files of
//! MIB (256) each.
//!
//! The benchmark needs nginx, curl, aria2c, and GNU time. If a program is missing, it prints the name and stops.
#![expect(clippy::print_stdout, reason = "a benchmark prints its results")]
#![expect(
    clippy::disallowed_methods,
    reason = "a benchmark reads the clock and arguments, and starts programs"
)]
#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

#[expect(dead_code, unused_imports, reason = "only the tests use the other items")]
#[path = "../tests/support/mod.rs"]
mod support;

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use data_encoding::{BASE64, HEXLOWER};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use support::{FileSpec, Loopback, StatedDigest, UpdateSpec, World, id};

const FILES: usize = 4;

/// A file that nginx serves.
struct ServedFile {
    name: String,
    url: String,
    sha256: String,
}

/// nginx in the foreground. It is stopped when the value is dropped.
struct Nginx(Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        let _already_gone = self.0.kill();
        let _already_gone = self.0.wait();
    }
}

fn start_nginx(root: &Path) -> (Nginx, u16) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let config = format!(
        "daemon off; master_process off; pid {root}/pid; error_log stderr crit;\nevents {{}}\n\
         http {{ access_log off; sendfile on; client_body_temp_path {root}/t; proxy_temp_path {root}/t; fastcgi_temp_path {root}/t;\n\
         uwsgi_temp_path {root}/t; scgi_temp_path {root}/t; server {{ listen 127.0.0.1:{port}; root {root}/www; }} }}\n",
        root = root.display()
    );
    let path = root.join("nginx.conf");
    fs::write(&path, config).unwrap();
    let child =
        Command::new("nginx").arg("-c").arg(&path).arg("-p").arg(root).stderr(Stdio::null()).spawn().unwrap();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        std::thread::yield_now();
    }
    (Nginx(child), port)
}

/// Returns incompressible bytes that are identical in every run.
fn bytes(number: usize, length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number as u64 + 1);
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes[..4].copy_from_slice(b"MSCF");
    bytes
}

/// Runs commands under GNU time. Returns the seconds and the peak memory in MiB.
fn timed(report: &Path, mut run: impl FnMut(&mut dyn FnMut(&mut Command))) -> (f64, u64) {
    let mut peak = 0;
    let start = Instant::now();
    run(&mut |command: &mut Command| {
        let mut timed_command = Command::new("/usr/bin/time");
        timed_command.args(["--quiet", "--format", "%M", "--output"]).arg(report).arg(command.get_program());
        timed_command
            .args(command.get_args())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .stdin(Stdio::null());
        assert!(timed_command.status().unwrap().success(), "{command:?}");
        let text = fs::read_to_string(report).unwrap();
        peak = peak
            .max(text.lines().last().and_then(|line| line.trim().parse::<u64>().ok()).unwrap_or(0) / 1024);
    });
    (start.elapsed().as_secs_f64(), peak)
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

fn main() {
    for program in ["nginx", "curl", "aria2c", "/usr/bin/time"] {
        let is_installed = Command::new("sh")
            .args(["-c", &format!("command -v {program}")])
            .output()
            .unwrap()
            .status
            .success();
        if !is_installed {
            println!("skipped: {program} is not installed");
            return;
        }
    }
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let folder = words.next().unwrap_or_else(|| "/dev/shm".to_owned());
    let mib: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or(256);
    let rounds: usize = words.next().and_then(|word| word.parse().ok()).unwrap_or(7);
    let folder = tempfile::tempdir_in(folder).unwrap();
    let root = folder.path();
    // nginx runs as the current user, and the folder belongs to this user.
    fs::create_dir_all(root.join("www")).unwrap();
    let (_nginx, port) = start_nginx(root);

    let mut world = World::new();
    let mut served = Vec::new();
    for (place, number) in (1..).zip(0..FILES) {
        let kb = format!("KB510000{number}");
        let stem = format!("windows11.0-{}-arm64", kb.to_lowercase());
        let mut file = FileSpec::package(&stem, "msu", bytes(number, mib << 20));
        let url = format!("http://127.0.0.1:{port}/{}", file.name);
        fs::write(root.join("www").join(&file.name), &file.bytes).unwrap();
        let sha256 = HEXLOWER.encode(&Sha256::digest(&file.bytes));
        // Computed once. Otherwise the test Catalog would compute them for every response.
        file.sha1_stated = StatedDigest::Text(BASE64.encode(&Sha1::digest(&file.bytes)));
        file.sha256_stated = StatedDigest::Text(BASE64.encode(&Sha256::digest(&file.bytes)));
        served.push(ServedFile { name: file.name.clone(), url: url.clone(), sha256 });
        file.url = Some(url);
        let title = format!(
            "2024-0{} Cumulative Update for Windows 11 Version 24H2 for arm64-based Systems ({kb}) (26100.{})",
            number + 1,
            900 + number
        );
        world = world.update(UpdateSpec { files: vec![file], ..UpdateSpec::new(&id(place), &title) });
    }
    let catalog = Loopback::start(world);

    let mut columns: Vec<(&str, Vec<f64>, u64)> = Vec::new();
    println!("{FILES} x {mib} MiB, {rounds} rounds, seconds");
    for round in 1..=rounds {
        let at = |name: &str| -> PathBuf {
            let path = root.join("out").join(name);
            let _not_there = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            path
        };
        let report = root.join("peak");
        let mut row = Vec::new();

        let out = at("kbmirror");
        row.push((
            "kbmirror fetch, both digests",
            timed(&report, |run| {
                let mut command = Command::new(env!("CARGO_BIN_EXE_kbmirror"));
                command.arg("--mirror").arg(&out).args(["--catalog-url", &catalog.catalog_url()]);
                command.args([
                    "--allow-host",
                    &format!("127.0.0.1:{port}"),
                    "--catalog-rate",
                    "100000",
                    "-q",
                    "fetch",
                ]);
                command.args((0..FILES).map(|number| format!("KB510000{number}"))).arg("--no-closure");
                run(&mut command);
            }),
        ));
        let out = at("curl");
        let curl = |out: &Path| {
            let mut command = Command::new("curl");
            command.args(["--silent", "--fail", "--parallel", "--parallel-max", "4"]);
            for file in &served {
                command.arg("-o").arg(out.join(&file.name)).arg(&file.url);
            }
            command
        };
        row.push(("curl --parallel, no check", timed(&report, |run| run(&mut curl(&out)))));
        let out = at("aria2c");
        let list: Vec<String> = served
            .iter()
            .map(|file| format!("{}\n  checksum=sha-256={}\n  out={}\n", file.url, file.sha256, file.name))
            .collect();
        fs::write(root.join("list"), list.concat()).unwrap();
        row.push((
            "aria2c, SHA-256",
            timed(&report, |run| {
                let mut command = Command::new("aria2c");
                command
                    .args(["--quiet", "-j", "4", "-x", "4", "-d"])
                    .arg(&out)
                    .arg("-i")
                    .arg(root.join("list"));
                run(&mut command);
            }),
        ));
        let out = at("checked");
        row.push((
            "curl, sha1sum, sha256sum",
            timed(&report, |run| {
                run(&mut curl(&out));
                for program in ["sha1sum", "sha256sum"] {
                    run(Command::new(program).args(served.iter().map(|file| out.join(&file.name))));
                }
            }),
        ));
        let cells: Vec<String> =
            row.iter().map(|(name, (seconds, _))| format!("{name} {seconds:.3}")).collect();
        println!("{round}: {}", cells.join(" | "));
        if columns.is_empty() {
            columns = row.iter().map(|(name, _)| (*name, Vec::new(), 0)).collect();
        }
        for ((_, times, peak), (_, (seconds, memory))) in columns.iter_mut().zip(row) {
            times.push(seconds);
            *peak = memory.max(*peak);
        }
        let _gone = fs::remove_dir_all(root.join("out"));
    }
    let curl = median(columns[1].1.clone());
    println!("\n{:<30} {:>8} {:>12} {:>9}", "", "median s", "x curl alone", "peak MiB");
    for (name, times, peak) in columns {
        let seconds = median(times);
        println!("{name:<30} {seconds:>8.3} {:>12.2} {peak:>9}", seconds / curl);
    }
}
