//! The system calls of the program that change files, recorded with the standard program strace.
//!
//! Strings are recorded as hexadecimal digits, so that commas and brackets in them have no meaning. A failed call has
//! no effect and is left out. Calls are ordered by their ends. Only `close` is ordered by its start, because another
//! thread may get the same descriptor number before the call ends.
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::BTreeMap;

use camino::Utf8Path;

/// The calls that change files, move a position in a file, or return a descriptor.
pub(crate) const CALLS: &str = "open,openat,openat2,creat,close,dup,dup2,dup3,fcntl,read,readv,lseek,\
    write,writev,pwrite64,pwritev,pwritev2,ftruncate,truncate,fsync,fdatasync,syncfs,sync,rename,renameat,renameat2,link,\
    linkat,symlink,symlinkat,unlink,unlinkat,rmdir,mkdir,mkdirat,chmod,fchmod,fchmodat,copy_file_range,sendfile";

/// Returns the options of strace for a recording of all threads into a file.
pub(crate) fn options(to: &Utf8Path) -> Vec<String> {
    let calls = format!("trace={CALLS}");
    // The string length exceeds every file of these tests.
    let options =
        ["-f", "-qq", "-xx", "-s", "16777216", "--seccomp-bpf", "-e", &calls, "-e", "signal=none", "-o"];
    options.into_iter().chain([to.as_str()]).map(str::to_owned).collect()
}

/// A successful call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SystemCall {
    pub(crate) name: String,
    /// The text between the brackets, with strings as `\x` and digits.
    arguments: Vec<String>,
    /// The return value.
    pub(crate) result: i64,
}

impl SystemCall {
    /// Returns a number or a descriptor, or `None` for `AT_FDCWD` and other words.
    pub(crate) fn number(&self, index: usize) -> Option<i64> {
        self.arguments.get(index)?.parse().ok()
    }

    /// Returns the mode of a file, written by strace in octal digits: an argument, or a field of one.
    pub(crate) fn mode(&self, index: usize) -> Option<u32> {
        let argument = self.arguments.get(index)?;
        let field = argument.split_once("mode=").map_or(argument.as_str(), |(_, rest)| rest);
        let digits = field.split(|letter: char| !letter.is_digit(8)).next()?;
        u32::from_str_radix(digits, 8).ok()
    }

    /// Returns a string argument that is a path, or `None`.
    pub(crate) fn path(&self, index: usize) -> Option<String> {
        String::from_utf8(strings(self.arguments.get(index)?).next()?).ok()
    }

    /// Returns the bytes of all strings of an argument, which may be an array.
    pub(crate) fn bytes(&self, index: usize) -> Vec<u8> {
        self.arguments.get(index).map(|text| strings(text).flatten().collect()).unwrap_or_default()
    }

    /// Returns `true` if an argument contains a flag.
    pub(crate) fn has(&self, flag: &str) -> bool {
        let is_word = |letter: char| !(letter.is_ascii_alphanumeric() || letter == '_');
        self.arguments.iter().any(|argument| argument.split(is_word).any(|word| word == flag))
    }
}

/// Returns the decoded strings of a text.
fn strings(text: &str) -> impl Iterator<Item = Vec<u8>> + '_ {
    text.split('"').skip(1).step_by(2).map(|digits| {
        let bytes = digits.split("\\x").skip(1);
        bytes.map(|digits| u8::from_str_radix(digits, 16).unwrap()).collect()
    })
}

/// Parses a recording.
pub(crate) fn parse(recording: &str) -> Vec<SystemCall> {
    let mut begun: BTreeMap<&str, String> = BTreeMap::new();
    let mut calls = Vec::new();
    for line in recording.lines() {
        let (thread, text) = line.split_once(' ').unwrap();
        let text = text.trim_start();
        if let Some(start) = text.strip_suffix(" <unfinished ...>") {
            if start.starts_with("close(") {
                calls.extend(call(&format!("{start}) = 0")));
            } else {
                begun.insert(thread, start.to_owned());
            }
            continue;
        }
        let Some(resumed) = text.strip_prefix("<... ") else {
            calls.extend(call(text));
            continue;
        };
        let rest = resumed.split_once(" resumed>").unwrap().1;
        // A `close` call was added at its start.
        if let Some(start) = begun.remove(thread) {
            calls.extend(call(&(start + rest)));
        }
    }
    calls
}

/// Parses a complete line. Returns `None` for a failed call and for other events, such as the end of a thread.
fn call(text: &str) -> Option<SystemCall> {
    let (name, rest) = text.split_once('(')?;
    let (inside, result) = rest.rsplit_once(" = ")?;
    let result = result.split_whitespace().next()?.parse().ok().filter(|result| *result >= 0)?;
    let inside = inside.trim_end().strip_suffix(')')?;
    Some(SystemCall { name: name.to_owned(), arguments: split(inside), result })
}

/// Splits a text at the commas outside of all brackets.
fn split(inside: &str) -> Vec<String> {
    let (mut depth, mut arguments) = (0, vec![String::new()]);
    for letter in inside.chars() {
        match letter {
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => depth -= 1,
            ',' if depth == 0 => {
                arguments.push(String::new());
                continue;
            }
            _ => {}
        }
        arguments.last_mut().unwrap().push(letter);
    }
    arguments.into_iter().map(|argument| argument.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strace_output_is_parsed() {
        let recording = concat!(
            "10 openat(AT_FDCWD, \"\\x2f\\x61\", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = 3\n",
            "11 openat(AT_FDCWD, \"\\x2f\\x62\", O_RDONLY) = -1 ENOENT (No such file or directory)\n",
            "11 close(3 <unfinished ...>\n",
            "10 writev(4, [{iov_base=\"\\x2c\\x5d\", iov_len=2}, {iov_base=\"\\x21\", iov_len=1}], 2 <unfinished ...>\n",
            "11 <... close resumed>)            = 0\n",
            "10 <... writev resumed>)           = 3\n",
            "10 openat2(5, \"\\x61\", {flags=O_WRONLY|O_EXCL|O_CREAT, mode=0666, resolve=RESOLVE_BENEATH}, 24) = 6\n",
            "10 +++ exited with 0 +++\n",
        );
        let calls = parse(recording);
        let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
        assert_eq!(names, ["openat", "close", "writev", "openat2"]);
        let [opened, closed, written, beneath] = &calls[..] else { panic!("{calls:?}") };
        assert_eq!((opened.path(1).as_deref(), opened.mode(3), opened.result), (Some("/a"), Some(0o644), 3));
        assert!(opened.has("O_CREAT") && !opened.has("O_TRUNC") && opened.number(0).is_none());
        assert_eq!((closed.number(0), closed.result), (Some(3), 0));
        assert_eq!((written.bytes(1), written.result), (b",]!".to_vec(), 3));
        assert!(beneath.has("O_EXCL") && beneath.number(0) == Some(5));
        assert_eq!(beneath.mode(2), Some(0o666));
    }
}
