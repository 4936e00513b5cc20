//! The meaning of an installer's exit code and the advice for it. The scripts take numbers and sentences from one
//! table.

/// An exit code with its sentences.
#[derive(Debug)]
struct Code {
    /// The code, as written in logs and articles.
    number: u32,
    /// The meaning of the code.
    meaning: &'static str,
    /// The advice to the operator.
    advice: &'static str,
}

const fn code(number: u32, meaning: &'static str, advice: &'static str) -> Code {
    Code { number, meaning, advice }
}

/// Codes for a package that does not apply to this system: other product, architecture, or .NET, or already newer.
const NOT_APPLICABLE: [u32; 2] = [0x800f_081e, 0x8024_0017];

/// The code for a module that was not found. Servicing stacks cause it in recovery images, without harm.
const MODULE_NOT_FOUND: u32 = 0x8007_007e;

/// The table of codes. `echo` prints the sentences unquoted, so they contain no special characters of `cmd.exe`.
const CODES: &[Code] = &[
    code(
        0x800f_081e,
        "the package is not applicable",
        "It is for another product, architecture, or version of .NET, or something newer is installed already.",
    ),
    code(
        0x8024_0017,
        "the package is not applicable",
        "It is for another product or architecture, something newer is installed, or a prerequisite is missing.",
    ),
    code(
        0x800f_0838,
        "a checkpoint (an earlier cumulative update on which this one is based) is missing",
        "Copy the complete folder of the set again: the checkpoint must be beside the target.",
    ),
    code(
        0x800f_0823,
        "a newer servicing stack is required first",
        "Install the newest servicing stack update of this Windows, then run this script again.",
    ),
    code(
        0x800f_0831,
        "an earlier update on which this one is based is missing or damaged",
        "Find the update in CBS.log and install it again, then run this script again.",
    ),
    code(
        0x8007_3712,
        "the component store is damaged, or a checkpoint was forced onto a newer build",
        "Run: dism.exe /Online /Cleanup-Image /RestoreHealth - for a boot image, omit the checkpoint instead.",
    ),
    code(
        0x8007_3701,
        "a part of an earlier update is missing in the component store",
        "Run: dism.exe /Online /Cleanup-Image /RestoreHealth - with /Source and /LimitAccess if the machine has no Internet.",
    ),
    code(
        0x8007_0228,
        "a checkpoint was applied to a newer build, or the update agent refused the package",
        "Use this script and the unchanged folder of the set; never install a checkpoint alone.",
    ),
    code(
        0x8004_01e3,
        "the update agent, which must install the package, could not be started",
        "Use dism.exe, as this script does; DISM installs the checkpoint by itself.",
    ),
    code(0x800f_0806, "an earlier operation is still pending", "Restart, then run this script again."),
    code(0x800f_082f, "a restart is due first", "Restart, then run this script again."),
    code(
        0x800f_081f,
        "files on which the package is based are missing",
        "Repair the system from its own install media: it was reduced in size, or it is another base image.",
    ),
    code(
        0x800f_0915,
        "the source of a feature or a repair was not found",
        "Pass the install media of the same build with /Source.",
    ),
    code(
        0x800f_0922,
        "the update could not be finished, often because the system or recovery partition is full",
        "Free about 500 MB on the recovery and 15 MB on the system partition, then run this script again.",
    ),
    code(
        0x8007_0070,
        "the disk is full",
        "Free space on the system drive and on the drive of TEMP, then run this script again.",
    ),
    code(
        MODULE_NOT_FOUND,
        "a module was not found",
        "In winre.wim this is harmless if the Safe OS update was installed; otherwise see the log.",
    ),
    code(
        0x8007_0032,
        "the request is not supported",
        "The package is not for this WinPE, or DISM is older than the image: use the DISM of a newer Windows.",
    ),
    code(
        0x8007_00a1,
        "the path is not accepted; wusa refuses some network shares",
        "Copy the folder of this KB to a local disk and run the script there.",
    ),
    code(
        0x8007_0005,
        "access was denied",
        "Run as administrator on the machine itself; wusa does not work in a remote session.",
    ),
    code(
        0x8007_02e4,
        "administrator's rights are needed",
        "Open the command prompt with Run as administrator.",
    ),
    code(
        0x8007_0057,
        "DISM did not understand its arguments",
        "DISM may be too old: before Windows 10, it does not accept an .msu on a running machine.",
    ),
    code(
        0x8007_000d,
        "the package cannot be read",
        "The file may be damaged: compare it with SHA256SUMS, and copy it again.",
    ),
    code(
        0x8009_2004,
        "the signature could not be checked",
        "Windows 7 and 2008 R2 need KB4490628 and KB4474419 first; otherwise the file is damaged: compare it with SHA256SUMS.",
    ),
];

/// Returns the forms of a code in `%errorlevel%`: signed (`cmd.exe`), unsigned (other tools), and without its upper
/// half. DISM uses the last form for codes of Windows itself (0x80070070 becomes 112).
fn forms(code: u32) -> Vec<String> {
    /// The upper half of these codes.
    const FROM_WINDOWS: u32 = 0x8007;
    let mut forms = vec![code.cast_signed().to_string(), code.to_string()];
    if code >> 16 == FROM_WINDOWS {
        forms.push((code & 0xffff).to_string());
    }
    forms
}

/// Returns all forms of the "not applicable" codes, for a `for` loop.
pub(super) fn not_applicable() -> String {
    NOT_APPLICABLE.iter().flat_map(|&code| forms(code)).collect::<Vec<_>>().join(" ")
}

/// Returns all forms of the code for a module that was not found, for a `for` loop.
pub(super) fn module_not_found() -> String {
    forms(MODULE_NOT_FOUND).join(" ")
}

/// Returns the subroutine `:advise`, which explains `RESULT`.
pub(super) fn routine() -> String {
    let mut lines = vec![
        "rem Explains the code in RESULT: signed, unsigned, or without its upper half, as DISM may show it."
            .to_owned(),
        ":advise".to_owned(),
    ];
    for row in CODES {
        let forms = forms(row.number).join(" ");
        lines.push(format!("for %%C in ({forms}) do if \"%RESULT%\"==\"%%C\" goto code_{:08x}", row.number));
    }
    lines.push("echo This script has no explanation for the code.".to_owned());
    lines.push("exit /b 0".to_owned());
    for row in CODES {
        lines.push(format!(":code_{:08x}", row.number));
        lines.push(format!("echo The code is 0x{:08x}: {}.", row.number, row.meaning));
        lines.push(format!("echo {}", row.advice));
        lines.push("exit /b 0".to_owned());
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn code_forms_equal_those_of_cmd() {
        assert_eq!(forms(0x800f_0838), ["-2146498504", "2148468792"]);
        assert_eq!(forms(0x8007_0228), ["-2147024344", "2147942952", "552"]);
        assert_eq!(forms(0x8007_3712), ["-2147010798", "2147956498", "14098"]);
        assert_eq!(forms(0x8004_01e3), ["-2147221021", "2147746275"]);
    }

    #[test]
    fn codes_are_unique_and_sentences_safe_for_echo() {
        let mut seen = BTreeSet::new();
        for row in CODES {
            for form in forms(row.number) {
                assert!(seen.insert(form), "{:08x}", row.number);
            }
            for text in [row.meaning, row.advice] {
                assert!(
                    text.is_ascii() && !text.contains(['%', '&', '|', '<', '>', '^', '"', '!']),
                    "{text}"
                );
            }
            assert!(row.advice.ends_with('.') && !row.meaning.ends_with('.'), "{}", row.advice);
        }
        assert!(NOT_APPLICABLE.iter().all(|code| CODES.iter().any(|row| row.number == *code)));
    }
}
