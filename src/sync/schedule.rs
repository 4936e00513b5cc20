//! The schedules of `sync`: systemd units, crontab lines, and a Windows task, as texts. Pure; nothing is installed.
//!
//! Microsoft publishes on the second Tuesday at 10:00 Pacific time, which is Tuesday evening in Europe and Wednesday in
//! Asia. Some architectures follow hours later. One run is therefore scheduled on the morning of the Wednesday after
//! the second Tuesday, the 9th to the 15th. Another run is scheduled every day, because out-of-band updates appear on
//! any day; a run without news makes about ten searches.
//!
//! Every path is absolute and quoted for its reader. A path that a schedule cannot quote is refused.

use camino::{Utf8Path, Utf8PathBuf};

use crate::error::{Error, Result};

/// The command that a schedule runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledCommand {
    /// The program.
    pub program: Utf8PathBuf,
    /// The folder of the mirror.
    pub mirror: Utf8PathBuf,
    /// The configuration of the mirror.
    pub config: Utf8PathBuf,
    /// The index, if it is outside of the mirror.
    pub index: Option<Utf8PathBuf>,
}

impl ScheduledCommand {
    fn words(&self) -> Vec<&str> {
        let mut words =
            vec![self.program.as_str(), "--mirror", self.mirror.as_str(), "--config", self.config.as_str()];
        if let Some(index) = &self.index {
            words.extend(["--index", index.as_str()]);
        }
        words.extend(["--no-progress", "sync"]);
        words
    }

    fn command(&self, quote: impl Fn(&str) -> String) -> Result<String> {
        let words = self.words();
        if let Some(word) = words.iter().find(|word| word.chars().any(char::is_control)) {
            return Err(Error::usage(format!(
                "{word:?} contains a control character, which no schedule can contain"
            )));
        }
        Ok(words.into_iter().map(quote).collect::<Vec<_>>().join(" "))
    }

    /// Returns the folders that the run writes to.
    fn folders(&self) -> Vec<&Utf8Path> {
        let mut folders = vec![self.mirror.as_path()];
        folders.extend(self.index.as_deref().and_then(Utf8Path::parent));
        folders
    }
}

/// Returns the systemd service and its timer: file names and texts.
pub fn systemd_units(job: &ScheduledCommand) -> Result<[(&'static str, String); 2]> {
    // systemd interprets quotes, backslashes, specifiers (%), and variables ($).
    let quote = |word: &str| {
        let word = word.replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%").replace('$', "$$");
        format!("\"{word}\"")
    };
    let command = job.command(quote)?;
    let writable = job.folders().into_iter().map(|folder| {
        let folder = folder.as_str().replace('\\', "\\\\").replace('"', "\\\"").replace('%', "%%");
        format!("\"{folder}\"")
    });
    let writable = writable.collect::<Vec<_>>().join(" ");
    let service = format!(
        "# /etc/systemd/system/kbmirror.service
[Unit]
Description=Mirror of the Microsoft Update Catalog
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
ExecStart={command}
# 13: the budget was reached, and the next run continues.
SuccessExitStatus=13
# User=kbmirror
Nice=10
IOSchedulingClass=idle
UMask=0022
NoNewPrivileges=yes
CapabilityBoundingSet=
ProtectSystem=strict
ReadWritePaths={writable}
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
"
    );
    let timer = "# /etc/systemd/system/kbmirror.timer
[Unit]
Description=Mirror of the Microsoft Update Catalog, after Patch Tuesday and daily

[Timer]
# The morning after the second Tuesday.
OnCalendar=Wed *-*-09..15 06:00
# Out-of-band updates appear on any day.
OnCalendar=*-*-* 03:00
# A run that was missed because the machine was off runs at the next start.
Persistent=true
# Spreads the load on the Catalog.
RandomizedDelaySec=45min

[Install]
WantedBy=timers.target
";
    Ok([("kbmirror.service", service), ("kbmirror.timer", timer.to_owned())])
}

/// Returns two lines for a crontab. cron cannot express "second Tuesday", so the command checks the day of the month.
pub fn cron_line(job: &ScheduledCommand) -> Result<String> {
    // In a crontab, % ends the command, even within quotes.
    let quote = |word: &str| {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-=:,@+".contains(letter);
        let quoted = if word.chars().all(plain) {
            word.to_owned()
        } else {
            format!("'{}'", word.replace('\'', r"'\''"))
        };
        quoted.replace('%', r"\%")
    };
    let command = job.command(quote)?;
    Ok(format!(
        "# minute hour day month weekday  command
# Daily, because out-of-band updates appear on any day.
17 3 * * *  {command}
# The morning after the second Tuesday. cron combines day and weekday with \"or\", so the command checks the day.
17 6 * * 3  d=$(date +\\%d); [ \"$d\" -ge 9 ] && [ \"$d\" -le 15 ] && {command}
"
    ))
}

/// Returns a task for `schtasks /Create /XML`.
pub fn windows_task(job: &ScheduledCommand) -> Result<String> {
    // This refuses control characters, which XML cannot contain either.
    job.command(str::to_owned)?;
    let arguments = job.words().into_iter().skip(1).map(windows_quoted).collect::<Vec<_>>().join(" ");
    Ok(format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo>
    <Description>Mirror of the Microsoft Update Catalog, after Patch Tuesday and daily</Description>
  </RegistrationInfo>
  <Triggers>
    <CalendarTrigger>
      <StartBoundary>2026-01-01T03:00:00</StartBoundary>
      <RandomDelay>PT45M</RandomDelay>
      <ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay>
    </CalendarTrigger>
    <!-- Every Wednesday, which includes the day after the second Tuesday; a run without news is short. -->
    <CalendarTrigger>
      <StartBoundary>2026-01-01T06:00:00</StartBoundary>
      <RandomDelay>PT45M</RandomDelay>
      <ScheduleByWeek><WeeksInterval>1</WeeksInterval><DaysOfWeek><Wednesday /></DaysOfWeek></ScheduleByWeek>
    </CalendarTrigger>
  </Triggers>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <StartWhenAvailable>true</StartWhenAvailable>
    <RunOnlyIfNetworkAvailable>true</RunOnlyIfNetworkAvailable>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT23H</ExecutionTimeLimit>
    <Priority>8</Priority>
  </Settings>
  <Actions>
    <Exec>
      <Command>{program}</Command>
      <Arguments>{arguments}</Arguments>
    </Exec>
  </Actions>
</Task>
"#,
        program = xml(job.program.as_str()),
        arguments = xml(&arguments),
    ))
}

/// Quotes a word for the command line parser of Windows programs, in which a backslash is special only before a quote.
fn windows_quoted(word: &str) -> String {
    if !word.is_empty() && !word.contains([' ', '"']) {
        return word.to_owned();
    }
    let mut quoted = String::from("\"");
    let mut backslashes = 0;
    for letter in word.chars() {
        match letter {
            '\\' => backslashes += 1,
            other => {
                let doubled = if other == '"' { backslashes * 2 + 1 } else { backslashes };
                quoted.extend(std::iter::repeat_n('\\', doubled));
                backslashes = 0;
                quoted.push(other);
            }
        }
    }
    quoted.extend(std::iter::repeat_n('\\', backslashes * 2));
    quoted.push('"');
    quoted
}

fn xml(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(mirror: &str) -> ScheduledCommand {
        ScheduledCommand {
            program: "/usr/bin/kbmirror".into(),
            mirror: mirror.into(),
            config: format!("{mirror}/kbmirror.toml").into(),
            index: None,
        }
    }

    #[test]
    fn paths_are_quoted_for_each_reader() {
        let job = job("/srv/it's 100% $here");
        let [(_, service), _] = systemd_units(&job).unwrap();
        assert!(service.contains(r#""--mirror" "/srv/it's 100%% $$here" "--config""#), "{service}");
        assert!(service.contains(r#"ReadWritePaths="/srv/it's 100%% $here""#), "{service}");
        let line = cron_line(&job).unwrap();
        assert!(line.contains(r"/usr/bin/kbmirror --mirror '/srv/it'\''s 100\% $here' --config"), "{line}");
        let task = windows_task(&ScheduledCommand { mirror: r"C:\kb & more\".into(), ..job }).unwrap();
        assert!(task.contains(r"--mirror &quot;C:\kb &amp; more\\&quot; --config"), "{task}");
    }

    #[test]
    fn path_with_control_character_is_refused() {
        for made in [cron_line(&job("/srv/a\nb")), windows_task(&job("/srv/a\nb"))] {
            assert_eq!(made.unwrap_err().code().number(), 2);
        }
        assert!(systemd_units(&job("/srv/a\nb")).is_err());
    }

    #[test]
    fn separate_index_is_named_and_writable() {
        let job = ScheduledCommand { index: Some("/var/lib/kb/mirror.db".into()), ..job("/mnt/share") };
        let [(_, service), (_, timer)] = systemd_units(&job).unwrap();
        assert!(service.contains(r#""--index" "/var/lib/kb/mirror.db""#), "{service}");
        assert!(service.contains(r#"ReadWritePaths="/mnt/share" "/var/lib/kb""#), "{service}");
        assert!(timer.contains("Persistent=true") && timer.contains("Wed *-*-09..15"), "{timer}");
    }
}
