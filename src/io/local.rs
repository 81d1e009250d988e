//! The local Azure on disk: `--cloud local` and the emulator.
//!
//! The folder `.aoai-lb/local/` holds `state.json` and `state.lock`, for the user alone. A request takes the lock, reads the
//! state, lets [`World`] handle it, and writes the state only where it changed, as one file that replaces the other. So
//! any number of processes can work in one folder, and the state is whole whenever one of them dies.
//!
//! A file that cannot be understood is never overwritten: damaged, it is moved aside; newer, it stays.
//!
//! Deliberately absent: a process in the background, and any knowledge of Azure. What happens between two requests is a
//! function of the state and the wall clock, in [`World`].

use super::files::{self, Access};
use crate::azure::{Unreadable, World};
use crate::diagnostic::{Diagnostic, code};
use crate::time::Time;
use crate::wire::{Request, Response, Transport};
use fd_lock::RwLock;
use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

/// The folder, from the current one.
pub const FOLDER: &str = ".aoai-lb/local";

/// The subscription that a local Azure has where nobody names one.
pub const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

/// The tenant of every local Azure.
const TENANT: &str = "00000000-0000-0000-0000-00000000007e";

/// No state is longer; it is some kilobytes a resource.
const STATE_LIMIT: u64 = 256 << 20;

/// How long the lock is waited for, and how often it is asked for.
const PATIENCE: Duration = Duration::from_secs(10);
const KNOCK: Duration = Duration::from_millis(3);

/// The local Azure of one folder.
#[derive(Clone, Debug)]
pub struct Local {
    folder: PathBuf,
    subscription: String,
    scale: u32,
    origin: Option<String>,
    patience: Duration,
}

impl Local {
    /// The local Azure in `folder`, which is made when the first request comes. A new one has this subscription and is
    /// `scale` times as fast as Azure.
    pub fn new(folder: impl Into<PathBuf>, subscription: impl Into<String>, scale: u32) -> Local {
        Local { folder: folder.into(), subscription: subscription.into(), scale, origin: None, patience: PATIENCE }
    }

    /// The same, whose operation addresses begin with `origin` instead of Azure's own address.
    pub fn with_origin(mut self, origin: impl Into<String>) -> Local {
        self.origin = Some(origin.into());
        self
    }

    /// One request, whole.
    pub async fn handle(&self, request: Request) -> Result<Response, Transport> {
        self.under_lock(|| self.exchange(&request)).await.map_err(Transport::Refused)
    }

    /// Runs `work` while no other process does. The lock goes away with the process that holds it.
    async fn under_lock<T>(&self, work: impl FnOnce() -> Result<T, Box<Diagnostic>>) -> Result<T, Box<Diagnostic>> {
        let mut lock = RwLock::new(self.lock_file()?);
        let deadline = tokio::time::Instant::now() + self.patience;
        loop {
            match lock.try_write() {
                Ok(_guard) => return work(),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(self.unreachable("the lock cannot be taken", &error)),
            }
            if tokio::time::Instant::now() >= deadline {
                let message = format!("another process has held `{}` for {:?}", self.lock().display(), self.patience);
                let help = "continue or end the other `aoai-lb` in this folder";
                return Err(Box::new(Diagnostic::new(code::STATE_LOCKED, message).help(help)));
            }
            tokio::time::sleep(KNOCK).await;
        }
    }

    fn lock_file(&self) -> Result<File, Box<Diagnostic>> {
        let open = || {
            files::private_folder(&self.folder)?;
            // nothing of this belongs into a repository
            let ignore = self.folder.parent().map(|above| above.join(".gitignore"));
            if let Some(ignore) = ignore.filter(|path| !path.exists()) {
                files::replace(&ignore, b"*\n", Access::Usual)?;
            }
            OpenOptions::new().create(true).truncate(false).read(true).write(true).open(self.lock())
        };
        open().map_err(|error| self.unreachable("the folder cannot be used", &error))
    }

    /// What somebody sees who only looks.
    pub async fn look<T>(&self, work: impl FnOnce(&mut World, Time) -> T) -> Result<T, Transport> {
        let looked = self.under_lock(|| Ok(work(&mut self.world()?, super::now())));
        looked.await.map_err(Transport::Refused)
    }

    fn world(&self) -> Result<World, Box<Diagnostic>> {
        let world = match self.read()? {
            Some(text) => World::from_json(&text).map_err(|why| self.unreadable(&why))?,
            None => World::new(self.subscription.as_str(), TENANT, self.scale).with_seed(super::entropy()?),
        };
        let world = world.with_scale(self.scale);
        Ok(match &self.origin {
            Some(origin) => world.with_origin(origin.as_str()),
            None => world,
        })
    }

    fn exchange(&self, request: &Request) -> Result<Response, Box<Diagnostic>> {
        let mut world = self.world()?;
        let before = world.revision();
        let response = world.handle(super::now(), request);
        if world.revision() != before {
            files::replace(&self.state(), world.to_json().as_bytes(), Access::Private)
                .map_err(|error| self.unreachable("the state cannot be written", &error))?;
        }
        Ok(response)
    }

    fn read(&self) -> Result<Option<String>, Box<Diagnostic>> {
        match files::read_text(&self.state(), STATE_LIMIT) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => Err(self.set_aside(&error.to_string())),
            Err(error) => Err(self.unreachable("the state cannot be read", &error)),
        }
    }

    fn state(&self) -> PathBuf {
        self.folder.join("state.json")
    }

    fn lock(&self) -> PathBuf {
        self.folder.join("state.lock")
    }

    fn unreadable(&self, why: &Unreadable) -> Box<Diagnostic> {
        match why {
            Unreadable::Malformed(why) => self.set_aside(why),
            Unreadable::Format(_) => {
                let message = format!("the local Azure's state `{}` has {why}", self.state().display());
                Box::new(
                    Diagnostic::new(code::STATE_NEWER, message)
                        .note("it was left as it is")
                        .help(format!("use the program that wrote it, or move `{}` away", self.folder.display())),
                )
            }
        }
    }

    /// Moves a damaged state out of the way, under a name that is free.
    fn set_aside(&self, why: &str) -> Box<Diagnostic> {
        let free = (1u32..).map(|n| self.folder.join(format!("state.json.damaged-{n}"))).find(|path| !path.exists());
        let aside = free.unwrap_or_else(|| self.folder.join("state.json.damaged"));
        let message = format!("the local Azure's state `{}` is damaged: {why}", self.state().display());
        let problem = Diagnostic::new(code::STATE_DAMAGED, message);
        Box::new(match std::fs::rename(self.state(), &aside) {
            Ok(()) => problem
                .note(format!("it was moved to `{}`; nothing was changed in it", aside.display()))
                .help("run the command again to begin with an empty local Azure"),
            Err(error) => problem.note(format!("it was left where it is: {error}")).help("move it away"),
        })
    }

    fn unreachable(&self, what: &str, error: &io::Error) -> Box<Diagnostic> {
        let message = format!("the local Azure in `{}`: {what}: {error}", self.folder.display());
        let help = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                "make room, and run the command again: what was there before is still there"
            }
            _ => "run the command in a folder that you may write to, or give that folder back to yourself",
        };
        Box::new(Diagnostic::new(code::STATE_UNREACHABLE, message).help(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Method;
    use serde_json::json;

    const GROUP: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourcegroups/rg?api-version=2021-04-01";

    fn put() -> Request {
        Request::arm(Method::Put, GROUP).json(&json!({ "location": "eastus2" }))
    }

    fn get() -> Request {
        Request::arm(Method::Get, GROUP)
    }

    fn local(folder: &std::path::Path) -> Local {
        Local::new(folder.join("a/local"), SUBSCRIPTION, 600)
    }

    fn send(local: &Local, request: Request) -> Result<u16, Transport> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(local.handle(request)).map(|response| response.status)
    }

    fn refusal(local: &Local) -> Diagnostic {
        match send(local, get()) {
            Err(Transport::Refused(problem)) => *problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_one_process_puts_another_gets() {
        let root = tempfile::tempdir().expect("a folder");
        assert_eq!(send(&local(root.path()), get()), Ok(404));
        assert!(!root.path().join("a/local/state.json").exists(), "looking wrote something");
        assert_eq!(send(&local(root.path()), put()), Ok(201));
        assert_eq!(send(&local(root.path()), get()), Ok(200));
        assert_eq!(std::fs::read_to_string(root.path().join("a/.gitignore")).expect("a file"), "*\n");
    }

    #[test]
    fn a_damaged_state_is_moved_aside_and_kept() {
        let root = tempfile::tempdir().expect("a folder");
        let local = local(root.path());
        assert_eq!(send(&local, put()), Ok(201));
        let folder = root.path().join("a/local");
        for (n, damage) in [&b"{\"format\": 1, "[..], b"\xff\xfe", b""].into_iter().enumerate() {
            std::fs::write(folder.join("state.json"), damage).expect("written");
            let problem = refusal(&local);
            assert_eq!(problem.code, code::STATE_DAMAGED);
            let aside = folder.join(format!("state.json.damaged-{}", n + 1));
            assert!(problem.notes[0].contains("damaged-"), "{problem:?}");
            assert_eq!(std::fs::read(aside).expect("kept"), damage);
            assert_eq!(send(&local, get()), Ok(404), "begins anew");
        }
    }

    #[test]
    fn a_newer_state_stays_where_it_is() {
        let root = tempfile::tempdir().expect("a folder");
        let local = local(root.path());
        assert_eq!(send(&local, put()), Ok(201));
        let path = root.path().join("a/local/state.json");
        std::fs::write(&path, "{\"format\": 99}").expect("written");
        assert_eq!(refusal(&local).code, code::STATE_NEWER);
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "{\"format\": 99}");
    }

    #[test]
    fn a_lock_that_somebody_keeps_is_said_and_one_that_is_let_go_is_taken() {
        let root = tempfile::tempdir().expect("a folder");
        let local = Local { patience: Duration::from_millis(30), ..local(root.path()) };
        assert_eq!(send(&local, put()), Ok(201));
        let mut other = RwLock::new(local.lock_file().expect("a file"));
        let kept = other.write().expect("the lock");
        assert_eq!(refusal(&local).code, code::STATE_LOCKED);
        drop(kept);
        assert_eq!(send(&local, get()), Ok(200));
    }

    #[test]
    fn a_folder_that_cannot_be_is_said() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("a"), "a file").expect("written");
        assert_eq!(refusal(&local(root.path())).code, code::STATE_UNREACHABLE);
    }
}
