//! Recorded download dialogs.

use kbmirror::catalog::{DialogFile, parse_download_dialog};
use kbmirror::update::{Sha1, Sha256};

use super::body;

/// Returns a file whose name is the last part of its URL.
fn file(url: &str, sha1: &str, sha256: &str, architectures: &str, languages: &str) -> DialogFile {
    DialogFile {
        url: url.to_owned(),
        sha1: (!sha1.is_empty()).then(|| sha1.parse::<Sha1>().unwrap()),
        sha256: (!sha256.is_empty()).then(|| sha256.parse::<Sha256>().unwrap()),
        file_name: url.rsplit('/').next().map(str::to_owned),
        architectures: architectures.to_owned(),
        languages: languages.to_owned(),
        fault: None,
    }
}

fn dialog(name: &str, id: &str, title: &str, files: &[DialogFile]) {
    let Some(text) = body(name) else { return };
    let dialog = parse_download_dialog(&text).unwrap();
    assert_eq!((dialog.updates.len(), dialog.warnings), (1, Vec::new()));
    let update = &dialog.updates[0];
    assert_eq!((update.update_id.to_string().as_str(), update.title.as_str()), (id, title));
    assert_eq!(update.files, files);
}

#[test]
fn dialog_with_a_checkpoint_and_both_digests() {
    let host = "https://catalog.sf.dl.delivery.mp.microsoft.com/filestreamingservice/files";
    dialog(
        "dialog-KB5129195-checkpoint-2files-2026-retyped.js",
        "be656f78-0714-440c-a0be-b27b4f9e5d71",
        "2026-09 Cumulative Update for Windows 11, version 26H2 for x64-based Systems (KB5129195) (26300.9457)",
        &[
            file(
                &format!(
                    "{host}/471c8f54-b9fc-491d-9944-234d5db009f0/public/windows11.0-kb5129195-x64_ed361878ec2b56a7dfdb8f256565263a7fdc8eaa.msu"
                ),
                "ed361878ec2b56a7dfdb8f256565263a7fdc8eaa",
                "b33ff7aab5bbbbb73867f3f5c2f492fe97c0129b96aa1941bc270610d7876dfa",
                "",
                "",
            ),
            file(
                &format!(
                    "{host}/d8b7f92b-bd35-4b4c-96e5-46ce984b31e0/public/windows11.0-kb5043080-x64_953449672073f8fb99badb4cc6d5d7849b9c83e8.msu"
                ),
                "953449672073f8fb99badb4cc6d5d7849b9c83e8",
                "819632610a101af11c72907fb13ff05b5fb4222c0e263ee9a03bcc1d1d5f26a4",
                "",
                "",
            ),
        ],
    );
}

#[test]
fn dialog_with_a_prerequisite_and_no_digests() {
    let host = "http://download.windowsupdate.com/d/msdownload/update/software";
    dialog(
        "dialog-KB3172729-prerequisite-2files-2016-retyped.js",
        "cdde339c-ebdb-4a16-add4-fb196a5053a8",
        "Security Update for Windows Server 2012 R2 (KB3172729)",
        &[
            file(
                &format!(
                    "{host}/crup/2016/06/windows8.1-kb3173424-x64_9a1c9e0082978d92abee71f2cfed5e0f4b6ce85c.msu"
                ),
                "",
                "",
                "AMD64",
                "all",
            ),
            file(
                &format!(
                    "{host}/secu/2016/07/windows8.1-kb3172729-x64_e8003822a7ef4705cbb65623b72fd3cec73fe222.msu"
                ),
                "",
                "",
                "AMD64",
                "all",
            ),
        ],
    );
}

#[test]
fn dialog_of_2019_with_http_headers() {
    dialog(
        "dialog-KB4461444-1file-2019.http",
        "7f659ce1-a58f-41a8-bcf0-18fe434f0916",
        "Update for Microsoft Office 2013 (KB4461444) 64-Bit Edition",
        &[file(
            "http://download.windowsupdate.com/c/msdownload/update/software/crup/2019/01/oart-x-none_e3fa9c9103bc509dcdf7e971ca3cbea0c18a7b0d.cab",
            "e3fa9c9103bc509dcdf7e971ca3cbea0c18a7b0d",
            "",
            "",
            "all",
        )],
    );
}
