//! The keys of the file that `collect.cmd` writes about a machine. The file is text with one `key=value` per line.
//! The schema describes it as an object, in which a key that may be repeated is a list. [`crate::resolve::host`]
//! reads the file.

use schemars::JsonSchema;

/// The facts about a machine. Unknown keys are ignored, and a value that cannot be parsed counts as missing.
#[derive(Debug, JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "the fields exist for their schema")]
pub struct HostFile {
    /// The format: 1.
    format: String,
    /// The name of the computer.
    computer: Option<String>,
    /// Build and revision, such as `26100.863`.
    build: Option<String>,
    /// The number of the build.
    current_build: Option<String>,
    /// The revision of the build, decimal or hexadecimal.
    ubr: Option<String>,
    /// The lab string of the build, such as `7601.24545.amd64fre.win7sp1_ldr_escrow.200102-1707`.
    build_lab_ex: Option<String>,
    /// The service pack of older Windows versions.
    csd_version: Option<String>,
    /// The version name, such as `24H2`.
    display_version: Option<String>,
    /// The architecture as Windows names it: `AMD64`, `ARM64`, `x86`.
    architecture: Option<String>,
    /// `Client`, `Server`, or `Server Core`.
    installation_type: Option<String>,
    /// The edition, such as `Professional`.
    edition: Option<String>,
    /// The release number of .NET Framework in the registry.
    dotnet_release: Option<String>,
    /// `yes` if the script ran with administrator rights.
    elevated: Option<String>,
    /// `yes` if a restart is pending.
    pending_restart: Option<String>,
    /// The free bytes of the system drive.
    free_bytes: Option<String>,
    /// The version of DISM.
    dism_version: Option<String>,
    /// The packages in the registry: `IDENTITY;STATE`.
    package: Option<Vec<String>>,
    /// The packages that DISM lists: `IDENTITY | STATE | TYPE | TIME`.
    dism_package: Option<Vec<String>>,
    /// The installed updates that Windows lists: `KB5091572`.
    qfe: Option<Vec<String>>,
}
