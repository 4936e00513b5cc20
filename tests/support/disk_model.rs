//! A model of a disk with the minimum of guarantees that a program may rely on:
//!
//! - The bytes and the mode of a file are as they were at its last sync. Later writes may have arrived, or zeros, or
//!   the first half.
//! - A change of names is durable after a sync of a folder that the change concerns. Of the other changes, the first
//!   ones of each folder may have arrived. A rename arrives completely or not at all.
//! - A synced folder may be lost if its own name was not synced.
//!
//! ext4, XFS, and NTFS keep a stricter order, so a program that is correct here is correct there.
//!
//! A call below the folders that the model does not know panics and is never ignored.
#![expect(clippy::disallowed_methods, reason = "trees are read as they are")]
#![expect(clippy::unwrap_used, reason = "a test's helper fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};

use super::system_calls::SystemCall;

/// The tree of each root: files by path, and folders as `None`.
pub(super) type Trees = BTreeMap<String, BTreeMap<String, Option<DiskFile>>>;

/// The choice of the changes that arrive without a sync.
pub(super) trait CrashChoice {
    /// Returns the number of changes of a folder that arrive: the first ones.
    fn names(&mut self, changes: usize) -> usize;
    /// Returns the state of a file that was written to since its last sync.
    fn file(&mut self, file: &TrackedFile) -> DiskFile;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct DiskFile {
    pub(super) bytes: Vec<u8>,
    pub(super) mode: u32,
}

/// A file as the program sees it, and as it was at its last sync.
#[derive(Debug, Clone)]
pub(super) struct TrackedFile {
    pub(super) now: DiskFile,
    pub(super) synced_state: DiskFile,
}

impl TrackedFile {
    /// Returns the file with its new length and mode after the first `length` bytes arrived. The rest are the old
    /// bytes, or zeros.
    pub(super) fn with_arrived_bytes(&self, length: usize) -> DiskFile {
        let mut arrived = self.now.clone();
        for (index, byte) in arrived.bytes.iter_mut().enumerate().skip(length) {
            *byte = self.synced_state.bytes.get(index).copied().unwrap_or(0);
        }
        arrived
    }
}

#[derive(Debug, Clone)]
enum Node {
    File(TrackedFile),
    /// The names in a folder, as the program sees them.
    Folder(BTreeMap<String, usize>),
}

/// A change of names: entries that are removed and entries that are added, each in a folder.
#[derive(Debug, Clone, Default)]
struct Change {
    removed: Vec<(usize, String)>,
    added: Vec<(usize, String, usize)>,
    is_durable: bool,
}

impl Change {
    fn affects(&self, folder: usize) -> bool {
        self.removed.iter().any(|(concerned, _)| *concerned == folder)
            || self.added.iter().any(|(concerned, ..)| *concerned == folder)
    }
}

/// An open file or folder, with its position.
#[derive(Debug, Clone, Copy)]
struct OpenFile {
    node: usize,
    position: usize,
    is_append: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    roots: Vec<(String, Utf8PathBuf, usize)>,
    nodes: Vec<Node>,
    /// The names at the beginning, which are durable.
    first: BTreeMap<usize, BTreeMap<String, usize>>,
    changes: Vec<Change>,
    open: BTreeMap<i64, OpenFile>,
}

impl Disk {
    /// Reads the folders in their current state. All content is durable.
    pub(super) fn read(roots: &[(&str, &Utf8Path)]) -> Self {
        let mut disk = Self::default();
        for (name, path) in roots {
            fs::create_dir_all(path).unwrap();
            let node = disk.read_folder(path);
            disk.roots.push(((*name).to_owned(), (*path).to_owned(), node));
        }
        let folders = disk.nodes.iter().enumerate();
        disk.first = folders
            .filter_map(|(number, node)| match node {
                Node::Folder(names) => Some((number, names.clone())),
                Node::File(_) => None,
            })
            .collect();
        disk
    }

    fn read_folder(&mut self, path: &Utf8Path) -> usize {
        let mut names = BTreeMap::new();
        for entry in path.read_dir_utf8().unwrap() {
            let entry = entry.unwrap();
            let node = if entry.file_type().unwrap().is_dir() {
                self.read_folder(entry.path())
            } else {
                let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
                let file = DiskFile { bytes: fs::read(entry.path()).unwrap(), mode };
                self.add(Node::File(TrackedFile { now: file.clone(), synced_state: file }))
            };
            names.insert(entry.file_name().to_owned(), node);
        }
        self.add(Node::Folder(names))
    }

    fn add(&mut self, node: Node) -> usize {
        self.nodes.push(node);
        self.nodes.len() - 1
    }

    fn names(&mut self, folder: usize) -> &mut BTreeMap<String, usize> {
        match &mut self.nodes[folder] {
            Node::Folder(names) => names,
            Node::File(_) => panic!("not a folder"),
        }
    }

    /// Returns the folder and the name of a path, given by a descriptor and a text, or `None` outside the roots. The
    /// name of a root is empty.
    fn place(&self, call: &SystemCall, index: usize) -> Option<(usize, String)> {
        let text = call.path(index)?;
        let (mut folder, rest) = if text.starts_with('/') {
            let below = |(_, root, node): &(String, Utf8PathBuf, usize)| {
                Some((*node, Utf8Path::new(&text).strip_prefix(root).ok()?.to_owned()))
            };
            self.roots.iter().find_map(below)?
        } else {
            let open = self.open.get(&call.number(index.checked_sub(1)?)?)?;
            (open.node, Utf8PathBuf::from(text))
        };
        let mut names: Vec<&str> =
            rest.as_str().split('/').filter(|name| !matches!(*name, "" | ".")).collect();
        let last = names.pop().unwrap_or_default();
        for name in names {
            let Node::Folder(inside) = &self.nodes[folder] else { return None };
            folder = *inside.get(name)?;
        }
        Some((folder, last.to_owned()))
    }

    fn at(&self, place: &(usize, String)) -> Option<usize> {
        match &self.nodes[place.0] {
            _ if place.1.is_empty() => Some(place.0),
            Node::Folder(names) => names.get(&place.1).copied(),
            Node::File(_) => None,
        }
    }

    /// Returns the file or folder that a call syncs, or `None` for other calls.
    pub(super) fn synced(&self, call: &SystemCall) -> Option<usize> {
        let is_sync = matches!(call.name.as_str(), "fsync" | "fdatasync");
        let open = self.open.get(&call.number(0)?).filter(|_| is_sync)?;
        Some(open.node)
    }

    /// Applies a call to the model.
    pub(super) fn take(&mut self, call: &SystemCall) {
        match call.name.as_str() {
            "open" | "creat" => self.open(call, 0),
            "openat" | "openat2" => self.open(call, 1),
            "close" => drop(call.number(0).and_then(|number| self.open.remove(&number))),
            "read" | "readv" => {
                if let Some(open) = self.open_file(call) {
                    open.position += usize::try_from(call.result).unwrap();
                }
            }
            "lseek" => {
                if let Some(open) = self.open_file(call) {
                    open.position = usize::try_from(call.result).unwrap();
                }
            }
            "write" | "writev" => self.write(call, None),
            "pwrite64" => self.write(call, call.number(3)),
            "ftruncate" => {
                let Some(node) = self.open_file(call).map(|open| open.node) else { return };
                let length = usize::try_from(call.number(1).unwrap()).unwrap();
                self.file(node).now.bytes.resize(length, 0);
            }
            "fsync" | "fdatasync" => {
                if let Some(node) = self.synced(call) {
                    self.sync(node);
                }
            }
            "rename" => self.rename(call, self.place(call, 0), self.place(call, 1)),
            "renameat" | "renameat2" => self.rename(call, self.place(call, 1), self.place(call, 3)),
            "link" => self.link(self.place(call, 0), self.place(call, 1)),
            "linkat" => self.link(self.place(call, 1), self.place(call, 3)),
            "unlink" | "rmdir" => self.remove(self.place(call, 0)),
            "unlinkat" => self.remove(self.place(call, 1)),
            "mkdir" => self.make_folder(self.place(call, 0)),
            "mkdirat" => self.make_folder(self.place(call, 1)),
            "chmod" => self.set_mode(self.place(call, 0), call.mode(1)),
            "fchmodat" => self.set_mode(self.place(call, 1), call.mode(2)),
            "fchmod" => {
                if let Some(node) = self.open_file(call).map(|open| open.node) {
                    self.file(node).now.mode = call.mode(1).unwrap();
                }
            }
            "fcntl" if !call.has("F_DUPFD_CLOEXEC") && !call.has("F_DUPFD") => {}
            "dup" | "dup2" | "dup3" | "fcntl" => {
                if let Some(open) = self.open_file(call).copied() {
                    self.open.insert(call.result, open);
                }
            }
            _ => {
                let affects = (0..4).any(|index| {
                    self.place(call, index).is_some()
                        || call.number(index).is_some_and(|number| self.open.contains_key(&number))
                });
                assert!(!affects, "the model does not support {call:?}");
            }
        }
    }

    fn open_file(&mut self, call: &SystemCall) -> Option<&mut OpenFile> {
        self.open.get_mut(&call.number(0)?)
    }

    fn file(&mut self, node: usize) -> &mut TrackedFile {
        match &mut self.nodes[node] {
            Node::File(file) => file,
            Node::Folder(_) => panic!("not a file"),
        }
    }

    fn open(&mut self, call: &SystemCall, index: usize) {
        // Any older descriptor with this number is closed.
        self.open.remove(&call.result);
        let Some(place) = self.place(call, index) else { return };
        if call.has("O_TMPFILE") {
            return;
        }
        let node = self.at(&place).unwrap_or_else(|| {
            assert!(call.has("O_CREAT") || call.name == "creat", "{call:?} opened a missing file");
            // The usual umask of a process, which strace does not report.
            let argument = if call.name == "openat2" { index + 1 } else { index + 2 };
            let mode = call.mode(argument).unwrap_or(0o666) & !0o022;
            let file = DiskFile { bytes: Vec::new(), mode };
            let node = self.add(Node::File(TrackedFile { now: file.clone(), synced_state: file }));
            self.change(Change { added: vec![(place.0, place.1, node)], ..Change::default() });
            node
        });
        if call.has("O_TRUNC") {
            self.file(node).now.bytes.clear();
        }
        self.open.insert(call.result, OpenFile { node, position: 0, is_append: call.has("O_APPEND") });
    }

    fn write(&mut self, call: &SystemCall, position: Option<i64>) {
        let Some(open) = self.open_file(call).copied() else { return };
        let written = usize::try_from(call.result).unwrap();
        let bytes = call.bytes(1);
        let file = &mut self.file(open.node).now.bytes;
        let start = match position {
            Some(position) => usize::try_from(position).unwrap(),
            None if open.is_append => file.len(),
            None => open.position,
        };
        file.resize(file.len().max(start + written), 0);
        file[start..start + written].copy_from_slice(&bytes[..written]);
        if position.is_none() {
            self.open.insert(call.number(0).unwrap(), OpenFile { position: start + written, ..open });
        }
    }

    fn sync(&mut self, node: usize) {
        match &mut self.nodes[node] {
            Node::File(file) => file.synced_state = file.now.clone(),
            Node::Folder(_) => {
                for change in self.changes.iter_mut().filter(|change| change.affects(node)) {
                    change.is_durable = true;
                }
            }
        }
    }

    fn change(&mut self, change: Change) {
        for (folder, name) in &change.removed {
            self.names(*folder).remove(name);
        }
        for (folder, name, node) in &change.added {
            self.names(*folder).insert(name.clone(), *node);
        }
        self.changes.push(change);
    }

    fn rename(&mut self, call: &SystemCall, from: Option<(usize, String)>, to: Option<(usize, String)>) {
        let (from, to) = match (from, to) {
            (Some(from), Some(to)) => (from, to),
            (None, None) => return,
            _ => panic!("{call:?} leaves the folders"),
        };
        let node = self.at(&from).unwrap();
        let mut change = Change { removed: vec![from.clone()], ..Change::default() };
        if call.has("RENAME_EXCHANGE") {
            let other = self.at(&to).unwrap();
            change.removed.push(to.clone());
            change.added.push((from.0, from.1, other));
        }
        change.added.push((to.0, to.1, node));
        self.change(change);
    }

    fn link(&mut self, from: Option<(usize, String)>, to: Option<(usize, String)>) {
        let Some(to) = to else { return };
        let node = self.at(&from.unwrap()).unwrap();
        self.change(Change { added: vec![(to.0, to.1, node)], ..Change::default() });
    }

    fn remove(&mut self, place: Option<(usize, String)>) {
        if let Some(place) = place {
            self.change(Change { removed: vec![place], ..Change::default() });
        }
    }

    fn make_folder(&mut self, place: Option<(usize, String)>) {
        if let Some((folder, name)) = place {
            let node = self.add(Node::Folder(BTreeMap::new()));
            self.change(Change { added: vec![(folder, name, node)], ..Change::default() });
        }
    }

    fn set_mode(&mut self, place: Option<(usize, String)>, mode: Option<u32>) {
        let Some(node) = place.and_then(|place| self.at(&place)) else { return };
        if let Node::File(file) = &mut self.nodes[node] {
            file.now.mode = mode.unwrap();
        }
    }

    /// Returns the trees after a power cut.
    pub(super) fn cut(&self, chance: &mut dyn CrashChoice) -> Trees {
        let mut concerned: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (number, change) in self.changes.iter().enumerate().filter(|(_, change)| !change.is_durable) {
            let folders = change.removed.iter().map(|(folder, _)| *folder);
            let folders: BTreeSet<usize> =
                folders.chain(change.added.iter().map(|(folder, ..)| *folder)).collect();
            for folder in folders {
                concerned.entry(folder).or_default().push(number);
            }
        }
        let mut arrived: BTreeSet<usize> = BTreeSet::new();
        for changes in concerned.values() {
            arrived.extend(changes.iter().take(chance.names(changes.len())));
        }
        let mut names = self.first.clone();
        for (number, change) in self.changes.iter().enumerate() {
            if !change.is_durable && !arrived.contains(&number) {
                continue;
            }
            for (folder, name) in &change.removed {
                names.entry(*folder).or_default().remove(name);
            }
            for (folder, name, node) in &change.added {
                names.entry(*folder).or_default().insert(name.clone(), *node);
            }
        }
        let files: BTreeMap<usize, DiskFile> = self
            .nodes
            .iter()
            .enumerate()
            .filter_map(|(number, node)| match node {
                Node::File(file) if file.now == file.synced_state => {
                    Some((number, file.synced_state.clone()))
                }
                Node::File(file) => Some((number, chance.file(file))),
                Node::Folder(_) => None,
            })
            .collect();
        let trees = self.roots.iter().map(|(name, _, root)| {
            let mut tree = BTreeMap::new();
            walk(*root, "", &names, &files, &mut tree);
            (name.clone(), tree)
        });
        trees.collect()
    }

    /// Returns the kind of a file's or folder's place, with digests, numbers, and temporary names replaced.
    pub(super) fn kind(&self, node: usize) -> String {
        let of_root = |(name, _, root): &(String, Utf8PathBuf, usize)| {
            Some(format!("{name}{}", self.path_to(*root, node)?))
        };
        let path = self.roots.iter().find_map(of_root).unwrap_or_else(|| "removed".to_owned());
        let what = match &self.nodes[node] {
            Node::File(_) => "file",
            Node::Folder(_) => "folder",
        };
        format!("{what} {}", path.split('/').map(generic).collect::<Vec<_>>().join("/"))
    }

    fn path_to(&self, folder: usize, node: usize) -> Option<String> {
        if folder == node {
            return Some(String::new());
        }
        let Node::Folder(names) = &self.nodes[folder] else { return None };
        names.iter().find_map(|(name, inside)| Some(format!("/{name}{}", self.path_to(*inside, node)?)))
    }
}

/// Returns a name without parts that differ between runs or files.
fn generic(name: &str) -> String {
    let is_hex = |text: &str| text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if name.starts_with(".new-") {
        "<new>".to_owned()
    } else if is_hex(name) {
        "<digest>".to_owned()
    } else if name.len() == 2 && name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        "<2 hex>".to_owned()
    } else if name.strip_prefix("KB").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit())) {
        "<kb>".to_owned()
    } else {
        name.to_owned()
    }
}

/// Collects all entries below a folder.
fn walk(
    folder: usize,
    path: &str,
    names: &BTreeMap<usize, BTreeMap<String, usize>>,
    files: &BTreeMap<usize, DiskFile>,
    tree: &mut BTreeMap<String, Option<DiskFile>>,
) {
    for (name, node) in names.get(&folder).into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}/{name}") };
        // SQLite's shared memory file is not persistent and is created again.
        if name.ends_with("-shm") {
            continue;
        }
        let file = files.get(node);
        tree.insert(path.clone(), file.cloned());
        if file.is_none() {
            walk(*node, &path, names, files, tree);
        }
    }
}
