//! The tests that apply to every script, whatever the job.

use proptest::prelude::*;

use super::*;
use crate::servicing::Installation;
use crate::update::{Architecture, Kb};

/// The maximum length of a line in a batch file.
const LONGEST_LINE: usize = 8191;

fn stage(kb: u32, path: &str) -> ScriptStage {
    ScriptStage {
        kb: Kb::from_number(kb),
        role: "target".to_owned(),
        path: path.to_owned(),
        needed_below: None,
        brings: None,
        restart_after: false,
        in_folder_of_target: false,
        may_not_apply: false,
    }
}

fn job() -> ScriptJob {
    let target = "windows-11-24h2-x64\\windows11.0-kb5086672-x64.msu";
    ScriptJob {
        kb: "KB5086672".parse().unwrap(),
        product: "Windows 11, version 24H2".to_owned(),
        family: "Windows 11 24H2".to_owned(),
        architecture: Some(Architecture::X64),
        builds: vec![26100, 26200],
        installation: Some(Installation::Client),
        method: InstallTool::Dism,
        form: ScriptTarget::Online,
        expected_revision: Some(8117),
        editions_excluded: vec!["Starter".to_owned()],
        stages: vec![ScriptStage { brings: Some(8117), ..stage(5_086_672, target) }],
        folder_files: vec!["windows11.0-kb5086672-x64.msu".to_owned()],
        notes: vec![r"media need \EFI\boot.stl (0xc0430001)".to_owned()],
        total_bytes: Some(5_000_000_000),
        knowledge_date: "2026-10-05".to_owned(),
        is_demo: false,
    }
}

const TARGETS: [ScriptTarget; 4] =
    [ScriptTarget::Online, ScriptTarget::Image, ScriptTarget::Winpe, ScriptTarget::Winre];

/// Returns jobs with every method and form, with and without optional facts.
fn jobs() -> Vec<ScriptJob> {
    let mut jobs = Vec::new();
    for method in [InstallTool::Dism, InstallTool::Wusa, InstallTool::Expand] {
        for form in TARGETS {
            let full = ScriptJob { method, form, ..job() };
            let bare = ScriptJob {
                architecture: None,
                builds: Vec::new(),
                installation: None,
                expected_revision: None,
                editions_excluded: Vec::new(),
                folder_files: Vec::new(),
                notes: Vec::new(),
                total_bytes: None,
                ..full.clone()
            };
            jobs.extend([ScriptJob { is_demo: true, ..full.clone() }, full, bare]);
        }
    }
    jobs
}

/// Checks labels, jumps, and line forms that `cmd.exe` cannot process.
fn check(text: &str) {
    assert!(text.is_ascii());
    assert!(text.ends_with("\r\n"));
    assert_eq!(text.matches('\n').count(), text.matches("\r\n").count());
    assert_eq!(text.matches('\r').count(), text.matches("\r\n").count());
    let lower = text.to_ascii_lowercase();
    for word in ["/resetbase", "add-windowspackage", "powershell"] {
        assert!(!lower.contains(word), "{word}");
    }
    let labels: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix(':')).map(str::trim).collect();
    let jump = regex::Regex::new(r"(?:goto|call) :?(\w+)").unwrap();
    for line in text.lines() {
        assert!(line.len() <= LONGEST_LINE, "{}", line.len());
        if line.starts_with("rem ") || line.starts_with("echo ") {
            continue;
        }
        for found in jump.captures_iter(line) {
            let count = labels.iter().filter(|label| **label == &found[1]).count();
            assert_eq!(count, 1, "the label {:?} of {line:?}", &found[1]);
        }
        // An empty variable in a numeric comparison ends the script; these two variables are never empty.
        let compares = line.contains(" GEQ ") || line.contains(" LSS ");
        assert!(!compares || line.starts_with("if %UBR% ") || line.starts_with("if %FREE_MB% "), "{line}");
        // Blocks are not allowed, because a parenthesis in a path would end them.
        assert!(!line.trim_end().ends_with('('), "{line}");
    }
}

#[test]
fn every_script_is_valid() {
    for text in jobs().iter().map(install_script).chain([collect_script()]) {
        check(&text);
        assert!(!text.contains("{{") && !text.contains("}}"), "a placeholder was not filled");
    }
}

#[test]
fn target_is_installed_and_files_beside_it_are_not() {
    let checkpoint = ScriptStage {
        in_folder_of_target: true,
        ..stage(5_043_080, "windows-11-24h2-x64\\windows11.0-kb5043080-x64.msu")
    };
    let mut job = job();
    job.stages.insert(0, checkpoint);
    for form in TARGETS {
        let text = install_script(&ScriptJob { form, ..job.clone() });
        let files: Vec<&str> = text.lines().filter(|line| line.starts_with("set \"FILE=%HERE%")).collect();
        assert_eq!(files, [r#"set "FILE=%HERE%windows-11-24h2-x64\windows11.0-kb5086672-x64.msu""#]);
        assert!(text.contains(r"if not exist "), "{text}");
        assert!(text.contains(r#"echo Missing: "%HERE%windows-11-24h2-x64\windows11.0-kb5043080-x64.msu""#));
    }
}

#[test]
fn sizes_beyond_32_bits_are_compared_in_millions() {
    let text = |bytes| install_script(&ScriptJob { total_bytes: Some(bytes), ..job() });
    assert!(text(5_173_184_334).contains("LSS 10347 goto no_space"));
    assert!(text(1).contains("LSS 100 goto no_space"));
    assert!(text(u64::MAX).contains("LSS 2147483647 goto no_space"));
}

#[test]
fn demo_script_ends_before_any_change() {
    for form in TARGETS {
        let text = install_script(&ScriptJob { is_demo: true, form, ..job() });
        let refusal = text.find("exit /b 18\r\n").unwrap();
        assert!(refusal < text.find("/Add-Package").unwrap());
        assert!(refusal < text.find("call :").unwrap_or(usize::MAX));
    }
}

#[test]
fn used_and_documented_exit_codes_are_the_same() {
    let used = regex::Regex::new(r"(?m)^exit /b (\d+)\r").unwrap();
    let documented = regex::Regex::new(r"(?m)^rem   (\d+) +\w").unwrap();
    for form in TARGETS {
        let text = install_script(&ScriptJob { is_demo: true, form, ..job() });
        let numbers = |pattern: &regex::Regex| -> std::collections::BTreeSet<u32> {
            pattern.captures_iter(&text).map(|found| found[1].parse().unwrap()).collect()
        };
        // Code 22 (state unknown) is not used if a revision is expected.
        let mut documented = numbers(&documented);
        documented.remove(&22);
        assert_eq!(numbers(&used), documented);
    }
}

/// Returns a job with untrusted text in every field that accepts some.
fn strange_job(form: ScriptTarget, product: &str, file: &str, name: &str, word: &str) -> ScriptJob {
    let mut job = ScriptJob {
        product: product.to_owned(),
        family: word.to_owned(),
        knowledge_date: word.to_owned(),
        editions_excluded: vec![word.to_owned()],
        notes: vec![product.to_owned()],
        folder_files: vec![name.to_owned()],
        form,
        ..job()
    };
    job.stages.insert(0, ScriptStage { role: word.to_owned(), ..stage(5_043_080, file) });
    job
}

#[test]
fn each_place_has_a_script_of_its_own() {
    let texts = TARGETS.map(|form| install_script(&ScriptJob { form, ..job() }));
    for (number, text) in texts.iter().enumerate() {
        assert!(!texts[..number].contains(text));
        assert!(text.contains(r"media need \EFI\boot.stl"), "the notes travel with the script");
    }
}

proptest! {
    #[test]
    fn untrusted_text_cannot_break_out(product in ".{1,60}", file in ".{1,60}", name in ".{1,40}", word in ".{1,20}") {
        for form in TARGETS {
            let text = install_script(&strange_job(form, &product, &file, &name, &word));
            check(&text);
            // The numbers of lines and quotes equal those with plain text: nothing was added or left open.
            let plain = install_script(&strange_job(form, "p", "f", "n", "w"));
            prop_assert_eq!(text.lines().count(), plain.lines().count());
            prop_assert_eq!(text.matches('"').count(), plain.matches('"').count());
        }
    }
}
