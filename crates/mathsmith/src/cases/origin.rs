//! What stands beside a table of results for people: the machine, the day, the commit, and how long each case took. None of
//! it steers anything.

use mathsmith_bench::run::cpu_name;
use std::path::Path;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

/// Name of the file with the seconds of a case, in its run's folder.
const SECONDS: &str = "seconds.txt";

/// How long the run in a folder took, if that was kept.
pub fn seconds(dir: &Path) -> Option<f64> {
    std::fs::read_to_string(dir.join(SECONDS)).ok()?.trim().parse().ok()
}

/// Keeps it. A figure that cannot be kept is missing in a later table, and nothing else.
pub fn keep_seconds(dir: &Path, seconds: f64) {
    let _ = std::fs::write(dir.join(SECONDS), format!("{seconds:.1}\n"));
}

/// Machine, threads, day, and the commit of the repository in which the cases are.
pub fn describe(folder: &Path, threads: usize) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    let (year, month, day) = civil((now / 86_400) as i64);
    let mut text = format!("{}, {threads} threads, {year}-{month:02}-{day:02}", cpu_name());
    if let Some(commit) = commit(folder) {
        text.push_str(&format!(", commit {commit}"));
    }
    text
}

/// The commit that is checked out, with `-dirty` where files differ from it; none outside of a repository.
fn commit(folder: &Path) -> Option<String> {
    let out = Command::new("git").arg("-C").arg(folder).args(["describe", "--always", "--dirty", "--match="]).output();
    let out = out.ok().filter(|o| o.status.success())?;
    let text = String::from_utf8(out.stdout).ok()?;
    Some(text.trim().to_owned()).filter(|t| !t.is_empty())
}

/// Year, month and day of a day counted from 1970-01-01, which is 0 or later, in the Gregorian calendar.
fn civil(day: i64) -> (i64, i64, i64) {
    let leap = |y: i64| y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
    let (mut year, mut left) = (1970, day);
    loop {
        let days = if leap(year) { 366 } else { 365 };
        if left < days {
            break;
        }
        left -= days;
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for days in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if left < days {
            break;
        }
        left -= days;
        month += 1;
    }
    (year, month, left + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        for (day, date) in [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (20_819, (2027, 1, 1)),
        ] {
            assert_eq!(civil(day), date);
        }
    }

    #[test]
    fn seconds_are_kept() {
        let dir = tempfile::tempdir().expect("a folder");
        assert_eq!(seconds(dir.path()), None);
        keep_seconds(dir.path(), 12.34);
        assert_eq!(seconds(dir.path()), Some(12.3));
    }
}
