//! Files that may change while the process runs, such as certificates and tokens: read again and again.
//!
//! **Invariant:** what is in use was whole and right. A file that is neither leaves in use what was there before, and is said.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

/// How often the files are read. They are small, and renewed in any way: written anew, renamed, linked to.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A file, and the setting that names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedFile {
    /// The setting, such as `tls_cert_file`.
    pub setting: &'static str,
    /// The file.
    pub path: PathBuf,
}

/// What is wrong with a file that a setting names.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{setting}: {} {why}", path.display())]
pub struct WrongFile {
    setting: &'static str,
    path: PathBuf,
    why: String,
}

impl NamedFile {
    /// A file that is named by this setting.
    pub fn new(setting: &'static str, path: impl Into<PathBuf>) -> Self {
        Self { setting, path: path.into() }
    }

    /// Says what is wrong with it.
    pub fn wrong(&self, why: impl Into<String>) -> WrongFile {
        WrongFile { setting: self.setting, path: self.path.clone(), why: why.into() }
    }

    /// What is in it.
    pub(crate) fn read(&self) -> Result<Vec<u8>, WrongFile> {
        std::fs::read(&self.path).map_err(|error| self.unreadable(&error))
    }

    fn unreadable(&self, error: &std::io::Error) -> WrongFile {
        self.wrong(format!("can't be read: {error}"))
    }
}

/// What was made of files, as they are now. Cheap to clone.
pub struct Watched<T>(watch::Receiver<Arc<T>>);

impl<T> Clone for Watched<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> std::fmt::Debug for Watched<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watched(..)")
    }
}

impl<T: Send + Sync + 'static> Watched<T> {
    /// Reads the files and makes something of what is in them, in their order; and again whenever that has changed, as long as
    /// anybody has this. Needs a runtime of tokio.
    pub fn start(
        files: Vec<NamedFile>,
        make: impl Fn(&[Vec<u8>]) -> Result<T, WrongFile> + Send + Sync + 'static,
    ) -> Result<Self, WrongFile> {
        let held = files.iter().map(NamedFile::read).collect::<Result<Vec<_>, _>>()?;
        let (current, shown) = watch::channel(Arc::new(make(&held)?));
        let look = Look { files, make, held, current, suspected: None, told: false };
        tokio::spawn(look.again_and_again());
        Ok(Self(shown))
    }

    /// As it is now.
    pub fn current(&self) -> Arc<T> {
        Arc::clone(&self.0.borrow())
    }
}

struct Look<T, F> {
    files: Vec<NamedFile>,
    make: F,
    /// What was in the files of which the current one was made.
    held: Vec<Vec<u8>>,
    current: watch::Sender<Arc<T>>,
    /// What was wrong at the last look.
    suspected: Option<WrongFile>,
    /// Whether that was said.
    told: bool,
}

impl<T, F> Look<T, F>
where
    T: Send + Sync + 'static,
    F: Fn(&[Vec<u8>]) -> Result<T, WrongFile> + Send + Sync,
{
    async fn again_and_again(mut self) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = ticks.tick() => {}
                () = self.current.closed() => return,
            }
            self.look().await;
            let broken = if self.told { 1.0 } else { 0.0 };
            metrics::gauge!("docket_files_broken", "setting" => self.setting()).set(broken);
        }
    }

    async fn look(&mut self) {
        let found = match self.read().await {
            Ok(found) => found,
            Err(wrong) => return self.suspect(wrong),
        };
        if found == self.held {
            return self.is_right("the files are again as they are in use");
        }
        match (self.make)(&found) {
            Ok(made) => {
                self.held = found;
                drop(self.current.send_replace(Arc::new(made)));
                metrics::counter!("docket_files_renewed_total", "setting" => self.setting())
                    .increment(1);
                tracing::info!(setting = self.setting(), "what is new in the files is in use");
                self.is_right("the files can be used again");
            }
            Err(wrong) => self.suspect(wrong),
        }
    }

    async fn read(&self) -> Result<Vec<Vec<u8>>, WrongFile> {
        let mut found = Vec::with_capacity(self.files.len());
        for file in &self.files {
            let read = tokio::fs::read(&file.path).await;
            found.push(read.map_err(|error| file.unreadable(&error))?);
        }
        Ok(found)
    }

    /// Two files are not renewed in the same moment: what is wrong counts when it still is at the next look.
    fn suspect(&mut self, wrong: WrongFile) {
        let is_same = self.suspected.as_ref() == Some(&wrong);
        if is_same && !self.told {
            let error = wrong.to_string();
            tracing::error!(
                setting = self.setting(),
                error,
                "a file was changed and can't be used; what was there before stays in use"
            );
            self.told = true;
        }
        if !is_same {
            (self.suspected, self.told) = (Some(wrong), false);
        }
    }

    fn is_right(&mut self, words: &'static str) {
        self.suspected = None;
        if std::mem::replace(&mut self.told, false) {
            tracing::info!(setting = self.setting(), "{words}");
        }
    }

    fn setting(&self) -> &'static str {
        self.files.first().map_or("", |file| file.setting)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn watch(path: &Path) -> Result<Watched<u32>, WrongFile> {
        let file = NamedFile::new("number_file", path);
        let named = file.clone();
        Watched::start(vec![file], move |found| {
            let text = String::from_utf8_lossy(&found[0]);
            text.trim().parse().map_err(|_| named.wrong("holds no number"))
        })
    }

    /// Time passes by itself while all wait, reading a file is real.
    async fn until(watched: &Watched<u32>, expected: u32) {
        let mut seen = watched.0.clone();
        let there = seen.wait_for(|number| **number == expected);
        tokio::time::timeout(Duration::from_mins(1), there).await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn what_is_renewed_is_used_and_what_is_broken_leaves_the_last_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        std::fs::write(&path, "1\n").unwrap();
        let watched = watch(&path).unwrap();
        assert_eq!(*watched.current(), 1);
        std::fs::write(&path, "none").unwrap();
        tokio::time::sleep(LOOK_EVERY * 2).await;
        assert_eq!(*watched.current(), 1);
        std::fs::remove_file(&path).unwrap();
        tokio::time::sleep(LOOK_EVERY * 2).await;
        assert_eq!(*watched.current(), 1);
        std::fs::write(folder.path().join("new"), "2").unwrap();
        std::fs::rename(folder.path().join("new"), &path).unwrap();
        until(&watched, 2).await;
    }

    #[tokio::test]
    async fn it_does_not_begin_with_a_file_that_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("number");
        let said = watch(&path).unwrap_err().to_string();
        assert!(said.contains("number_file") && said.contains("can't be read"), "{said}");
        std::fs::write(&path, "").unwrap();
        let said = watch(&path).unwrap_err().to_string();
        assert_eq!(said, format!("number_file: {} holds no number", path.display()));
    }
}
