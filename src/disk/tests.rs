//! Tests of complete files and folders.

use super::*;

fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = Utf8PathBuf::try_from(folder.path().to_owned()).unwrap();
    (folder, path)
}

#[test]
fn atomic_write_replaces_the_file_and_leaves_no_temporary() {
    let (_guard, folder) = folder();
    let path = folder.join("a").join("file.json");
    write_atomic(&path, b"one").unwrap();
    write_atomic(&path, b"two").unwrap();
    assert_eq!(read(&path, 10).unwrap(), b"two");
    assert_eq!(list(&folder.join("a")).unwrap(), ["file.json"]);
}

#[test]
fn errors_name_the_path() {
    let (_guard, folder) = folder();
    let missing = folder.join("missing");
    let error = read(&missing, 10).unwrap_err();
    assert!(error.message().contains(missing.as_str()), "{error}");
    assert_eq!(list(&missing).unwrap(), Vec::<String>::new());
    assert_eq!(file_size(&missing).unwrap(), None);
    assert!(!is_folder(&missing).unwrap());
    assert!(read_in_pieces(&missing, |_| ()).is_err());
    remove_file(&missing).unwrap();
    remove_dir_all(&missing).unwrap();
}

#[test]
fn file_over_the_cap_is_not_read() {
    let (_guard, folder) = folder();
    let path = folder.join("file");
    write_atomic(&path, b"12345").unwrap();
    assert!(read(&path, 4).is_err());
    assert_eq!(read(&path, 5).unwrap(), b"12345");
    let mut bytes = Vec::new();
    read_in_pieces(&path, |piece| bytes.extend_from_slice(piece)).unwrap();
    assert_eq!(bytes, b"12345");
    assert!(is_folder(&folder).unwrap() && !is_folder(&path).unwrap());
}
