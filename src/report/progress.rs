//! The progress of a run: the work that is done, its speed, the time that is left, and the waits. Pure: events and
//! times in, numbers out. Lines, bars, and JSON show the same numbers.
//!
//! A speed counts the bytes of the last seconds, without bytes of earlier runs. Without a speed, no time is estimated.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::event::{Event, TransferDirection, TransferOutcome};

/// The window of a speed. A retry does not make the estimate jump in a window of this length, and a stalled transfer
/// soon shows.
const WINDOW: Duration = Duration::from_secs(15);
/// The least time between two samples: at most 60 samples in a window, for any number of events.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(250);
/// The least time over which a speed is meaningful.
const MIN_INTERVAL: Duration = Duration::from_secs(1);

/// The progress of a run.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// The work in progress, and its start.
    pub(super) status: (String, Duration),
    /// The number of requests to the Catalog.
    pub(super) requests: u64,
    /// The wait of the complete run.
    pub(super) wait: Option<ActiveWait>,
    /// The direction of the transfers.
    pub(super) doing: TransferDirection,
    /// The transfers of the current plan.
    pub(super) transfers: Option<Transfers>,
    /// The bytes that are read for a check.
    pub(super) reading: Option<ReadProgress>,
    /// `true` after a stop request.
    pub(super) is_stopping: bool,
}

/// A wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ActiveWait {
    /// The end of the wait.
    pub(super) until: Duration,
    /// The retry budget that is left after the wait.
    pub(super) left: Option<Duration>,
    /// The reason of the wait.
    pub(super) why: String,
}

/// The files of one plan.
#[derive(Debug, Default)]
pub(super) struct Transfers {
    /// The number of files.
    pub(super) files: usize,
    /// The bytes of all files, if known.
    pub(super) of: Option<u64>,
    /// The number of complete files.
    pub(super) arrived: usize,
    /// The number of failed files.
    pub(super) failed: usize,
    arrived_bytes: u64,
    /// The files in progress, by their ids.
    pub(super) in_progress: BTreeMap<u64, FileProgress>,
    speed: Speed,
}

/// A file in progress.
#[derive(Debug)]
pub(super) struct FileProgress {
    /// The name of the file.
    pub(super) name: String,
    /// The size of the file, if known.
    pub(super) size: Option<u64>,
    /// The bytes that are on disk.
    pub(super) bytes: u64,
    /// The present wait of the file.
    pub(super) wait: Option<ActiveWait>,
    /// The number of waits of the file.
    pub(super) waits: u32,
    speed: Speed,
}

/// The bytes that are read for a check.
#[derive(Debug)]
pub(super) struct ReadProgress {
    /// The bytes that were read.
    pub(super) bytes: u64,
    /// The bytes to read.
    pub(super) of: u64,
    speed: Speed,
}

impl Progress {
    /// Handles an event that was sent at this time.
    pub(super) fn take(&mut self, at: Duration, event: &Event) {
        match event {
            Event::Phase(what) => self.begin(at, what.clone()),
            Event::CatalogRequest { number, what } => {
                self.requests = *number;
                self.begin(at, format!("request {number}: {what}"));
            }
            Event::Waiting { of, duration, left, why } => {
                let wait = ActiveWait { until: at + *duration, left: *left, why: why.clone() };
                match of.and_then(|id| self.file(id)) {
                    Some(file) => {
                        file.wait = Some(wait);
                        file.waits += 1;
                    }
                    None => self.wait = Some(wait),
                }
            }
            Event::TransfersPlanned { doing, files, bytes } => {
                self.doing = *doing;
                self.reading = None;
                self.begin(at, doing.progress_verb().to_owned());
                let speed = Speed::begin(at);
                self.transfers = Some(Transfers { files: *files, of: *bytes, speed, ..Transfers::default() });
            }
            Event::TransferStarted { id, name, size } => {
                let file = FileProgress {
                    name: name.clone(),
                    size: *size,
                    bytes: 0,
                    wait: None,
                    waits: 0,
                    speed: Speed::begin(at),
                };
                self.transfers.get_or_insert_default().in_progress.insert(*id, file);
            }
            Event::TransferAnswered { id, from, size } => {
                if let Some(file) = self.file(*id) {
                    file.size = size.or(file.size);
                    file.bytes = *from;
                    file.wait = None;
                }
            }
            Event::TransferProgress { id, bytes } => {
                if let Some(transfers) = &mut self.transfers
                    && let Some(file) = transfers.in_progress.get_mut(id)
                {
                    // A file that restarted has fewer bytes.
                    let more = bytes.saturating_sub(file.bytes);
                    file.bytes = *bytes;
                    file.wait = None;
                    file.speed.add(at, more);
                    transfers.speed.add(at, more);
                }
            }
            Event::TransferFinished { id, bytes, outcome } => {
                if let Some(transfers) = &mut self.transfers
                    && let Some(file) = transfers.in_progress.remove(id)
                {
                    transfers.arrived_bytes += bytes;
                    transfers.speed.add(at, bytes.saturating_sub(file.bytes));
                    match outcome {
                        TransferOutcome::Complete => transfers.arrived += 1,
                        TransferOutcome::Stopped => {}
                        TransferOutcome::Failed(_) => transfers.failed += 1,
                    }
                }
            }
            Event::Checked { bytes, of } => {
                // The read-back of written files follows in the same run.
                if self.reading.as_ref().is_none_or(|reading| reading.of != *of) {
                    self.transfers = None;
                    self.reading = Some(ReadProgress { bytes: 0, of: *of, speed: Speed::begin(at) });
                }
                if let Some(reading) = &mut self.reading {
                    reading.speed.add(at, bytes.saturating_sub(reading.bytes));
                    reading.bytes = *bytes;
                }
            }
            Event::Stopping => self.is_stopping = true,
            Event::Warning(_) | Event::End => {}
        }
    }

    fn begin(&mut self, at: Duration, what: String) {
        self.status = (what, at);
        self.wait = None;
    }

    fn file(&mut self, id: u64) -> Option<&mut FileProgress> {
        self.transfers.as_mut()?.in_progress.get_mut(&id)
    }

    /// Returns the name of a file in progress.
    pub(super) fn name_of(&self, id: u64) -> Option<&str> {
        Some(self.transfers.as_ref()?.in_progress.get(&id)?.name.as_str())
    }
}

impl ActiveWait {
    /// Returns the time that is left of the wait.
    pub(super) fn rest(&self, at: Duration) -> Duration {
        self.until.saturating_sub(at)
    }
}

impl Transfers {
    /// Returns the bytes that are on disk, including those of earlier runs.
    pub(super) fn bytes(&self) -> u64 {
        self.arrived_bytes + self.in_progress.values().map(|file| file.bytes).sum::<u64>()
    }

    /// Returns the bytes per second, or `None` if they are not known yet.
    pub(super) fn speed(&self, at: Duration) -> Option<u64> {
        self.speed.per_second(at)
    }

    /// Returns the time that is left, or `None` if it is unknown.
    pub(super) fn rest(&self, at: Duration) -> Option<Duration> {
        rest(self.bytes(), self.of?, self.speed(at)?)
    }

    /// Returns the files in progress, the largest first. A file of unknown size counts as the smallest.
    pub(super) fn largest(&self) -> Vec<&FileProgress> {
        let mut files: Vec<&FileProgress> = self.in_progress.values().collect();
        files.sort_by_key(|file| std::cmp::Reverse(file.size));
        files
    }
}

impl FileProgress {
    /// Returns the present wait, or `None` if it is over.
    pub(super) fn active_wait(&self, at: Duration) -> Option<&ActiveWait> {
        self.wait.as_ref().filter(|wait| !wait.rest(at).is_zero())
    }

    /// Returns the bytes per second, or `None` if they are not known yet.
    pub(super) fn speed(&self, at: Duration) -> Option<u64> {
        self.speed.per_second(at)
    }

    /// Returns the time that is left, or `None` if it is unknown.
    pub(super) fn rest(&self, at: Duration) -> Option<Duration> {
        rest(self.bytes, self.size?, self.speed(at)?)
    }
}

impl ReadProgress {
    /// Returns the bytes per second, or `None` if they are not known yet.
    pub(super) fn speed(&self, at: Duration) -> Option<u64> {
        self.speed.per_second(at)
    }

    /// Returns the time that is left, or `None` if it is unknown.
    pub(super) fn rest(&self, at: Duration) -> Option<Duration> {
        rest(self.bytes, self.of, self.speed(at)?)
    }
}

/// Returns the time for the remaining bytes at a speed, or `None` at a speed of 0.
fn rest(bytes: u64, of: u64, speed: u64) -> Option<Duration> {
    of.saturating_sub(bytes).checked_div(speed).map(Duration::from_secs)
}

/// Returns the share in percent, and 100 for an empty total.
pub(super) fn percent(bytes: u64, of: u64) -> u64 {
    if of == 0 { 100 } else { u64::try_from(u128::from(bytes.min(of)) * 100 / u128::from(of)).unwrap_or(100) }
}

/// The received bytes, with samples over time.
#[derive(Debug, Default)]
struct Speed {
    received: u64,
    /// The samples: times with the bytes received until then. The oldest one is at the beginning of the window or
    /// before it.
    samples: VecDeque<(Duration, u64)>,
}

impl Speed {
    fn begin(at: Duration) -> Self {
        Self { received: 0, samples: VecDeque::from([(at, 0)]) }
    }

    fn add(&mut self, at: Duration, bytes: u64) {
        self.received += bytes;
        if self.samples.back().is_none_or(|(last, _)| at.saturating_sub(*last) >= SAMPLE_INTERVAL) {
            self.samples.push_back((at, self.received));
        }
        let begins = at.saturating_sub(WINDOW);
        while self.samples.get(1).is_some_and(|(second, _)| *second <= begins) {
            self.samples.pop_front();
        }
    }

    fn per_second(&self, at: Duration) -> Option<u64> {
        let begins = at.saturating_sub(WINDOW);
        let before = self.samples.iter().take_while(|(time, _)| *time <= begins).last();
        let (since, bytes_before) = before.or(self.samples.front())?;
        let elapsed = at.checked_sub(*since).filter(|elapsed| *elapsed >= MIN_INTERVAL)?;
        let millis = elapsed.as_millis().max(1);
        u64::try_from(u128::from(self.received - bytes_before) * 1000 / millis).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1024 * 1024;

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn begun(files: usize, of: Option<u64>) -> Progress {
        let mut progress = Progress::default();
        progress.take(
            at(0),
            &Event::TransfersPlanned { doing: TransferDirection::Downloading, files, bytes: of },
        );
        progress
    }

    fn start(progress: &mut Progress, seconds: u64, id: u64, size: Option<u64>) {
        let name = format!("{id}.msu");
        progress.take(at(seconds), &Event::TransferStarted { id, name, size });
    }

    #[test]
    fn bytes_of_earlier_runs_do_not_count_for_the_speed() {
        let mut progress = begun(1, Some(1000 * MB));
        start(&mut progress, 0, 1, None);
        progress.take(at(0), &Event::TransferAnswered { id: 1, from: 900 * MB, size: Some(1000 * MB) });
        for second in 1..=10 {
            let bytes = (900 + second) * MB;
            progress.take(at(second), &Event::TransferProgress { id: 1, bytes });
        }
        let transfers = progress.transfers.as_ref().unwrap();
        assert_eq!(transfers.bytes(), 910 * MB);
        assert_eq!(transfers.speed(at(10)), Some(MB));
        assert_eq!(transfers.rest(at(10)), Some(at(90)));
        let file = &transfers.in_progress[&1];
        assert_eq!((file.size, file.bytes, file.speed(at(10))), (Some(1000 * MB), 910 * MB, Some(MB)));
        assert_eq!(percent(910 * MB, 1000 * MB), 91);
    }

    #[test]
    fn speed_covers_the_last_seconds_and_falls_to_zero() {
        let mut progress = begun(1, Some(1000 * MB));
        start(&mut progress, 0, 1, Some(1000 * MB));
        for second in 1..=100 {
            // The first fifty seconds are ten times as fast.
            let received = if second <= 50 { 10 * second } else { 500 + second - 50 };
            progress.take(at(second), &Event::TransferProgress { id: 1, bytes: received * MB });
        }
        let transfers = progress.transfers.as_ref().unwrap();
        assert_eq!(transfers.speed(at(100)), Some(MB));
        assert_eq!(transfers.rest(at(100)), Some(at(450)));
        assert_eq!(transfers.speed(at(120)), Some(0));
        assert_eq!(transfers.rest(at(120)), None, "the time is unknown");
        assert!(transfers.speed.samples.len() <= 62, "{}", transfers.speed.samples.len());
    }

    #[test]
    fn a_restarted_file_does_not_lower_the_speed() {
        let mut progress = begun(1, None);
        start(&mut progress, 0, 1, Some(100 * MB));
        progress.take(at(4), &Event::TransferProgress { id: 1, bytes: 40 * MB });
        progress.take(at(5), &Event::TransferAnswered { id: 1, from: 0, size: Some(100 * MB) });
        progress.take(at(6), &Event::TransferProgress { id: 1, bytes: 5 * MB });
        let transfers = progress.transfers.as_ref().unwrap();
        assert_eq!(transfers.bytes(), 5 * MB);
        assert_eq!(transfers.speed(at(9)), Some(5 * MB));
        assert_eq!(transfers.rest(at(9)), None, "the bytes of all are not known");
    }

    #[test]
    fn a_wait_belongs_to_its_file_and_ends() {
        let mut progress = begun(2, None);
        start(&mut progress, 0, 1, None);
        start(&mut progress, 0, 2, Some(5));
        let (duration, left) = (at(15), Some(at(585)));
        let why = "connection reset".to_owned();
        progress.take(at(1), &Event::Waiting { of: Some(1), duration, left, why });
        let wait = progress.transfers.as_ref().unwrap().in_progress[&1].wait.clone().unwrap();
        assert_eq!((wait.rest(at(6)), wait.left, wait.why.as_str()), (at(10), left, "connection reset"));
        assert_eq!(progress.wait, None);
        progress.take(at(16), &Event::TransferAnswered { id: 1, from: 0, size: None });
        assert_eq!(progress.transfers.as_ref().unwrap().in_progress[&1].wait, None);
        let why = "details of x: status 503".to_owned();
        progress.take(at(20), &Event::Waiting { of: None, duration, left, why });
        assert_eq!(progress.wait.as_ref().unwrap().rest(at(100)), Duration::ZERO);
        progress.take(at(36), &Event::CatalogRequest { number: 7, what: "details of x".to_owned() });
        assert_eq!(progress.wait, None);
        let names: Vec<&str> =
            progress.transfers.as_ref().unwrap().largest().iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["2.msu", "1.msu"]);
    }
}
