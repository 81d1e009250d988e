//! The local Azure on disk: `--cloud local` and the emulator.
//!
//! The folder `.aoai-lb/local/` holds `state.json` and `state.lock`, for the user alone. A request takes the lock, reads the
//! state, lets [`World`] handle it, and writes the state only where it changed, as one file that replaces the other. So
//! any number of processes can work in one folder, and the state is whole whenever one of them dies.
//!
//! A file that cannot be understood is never overwritten: damaged, it is moved aside; newer, it stays. What a process
//! leaves behind that dies while it writes is taken away by the next that writes.
//!
//! Deliberately absent: a process in the background, and any knowledge of Azure. What happens between two requests is a
//! function of the state and the wall clock, in [`World`].

use super::files::{self, Access, Step};
use crate::azure::{Unknown, Unreadable, World};
use crate::diagnostic::{Diagnostic, code};
use crate::time::Time;
use crate::wire::{Request, Response, Transport};
use fd_lock::RwLock;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::PathBuf;
use std::time::Duration;

/// The folder, from the current one.
pub const FOLDER: &str = ".aoai-lb/local";

/// The subscription that a local Azure has where nobody names one.
pub const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000001";

/// The tenant of every local Azure.
pub const TENANT: &str = "00000000-0000-0000-0000-00000000007e";

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
    unknown: Unknown,
    patience: Duration,
}

impl Local {
    /// The local Azure in `folder`, which is made when the first request comes. A new one has this subscription and is
    /// `scale` times as fast as Azure.
    pub fn new(folder: impl Into<PathBuf>, subscription: impl Into<String>, scale: u32) -> Local {
        Local {
            folder: folder.into(),
            subscription: subscription.into(),
            scale,
            origin: None,
            unknown: Unknown::Refused,
            patience: PATIENCE,
        }
    }

    /// The same, whose operation addresses begin with `origin` instead of Azure's own address.
    pub fn with_origin(mut self, origin: impl Into<String>) -> Local {
        self.origin = Some(origin.into());
        self
    }

    /// The same, which takes or refuses types that it does not know.
    pub fn with_unknown_types(mut self, unknown: Unknown) -> Local {
        self.unknown = unknown;
        self
    }

    /// One request, whole.
    pub async fn handle(&self, request: Request) -> Result<Response, Transport> {
        self.change(|world, now| world.exchange(now, &request)).await?
    }

    /// Lets somebody change what is there, and keeps what became of it before anybody is told.
    pub async fn change<T>(&self, work: impl FnOnce(&mut World, Time) -> T) -> Result<T, Transport> {
        let changed = self.under_lock(|| {
            let mut world = self.world()?;
            let before = world.revision();
            let answer = work(&mut world, super::now());
            if world.revision() != before {
                self.write(&world).map_err(|error| self.unreachable("the state cannot be written", &error))?;
            }
            Ok(answer)
        });
        changed.await.map_err(Transport::Refused)
    }

    /// Replaces the state, with nobody else at work.
    fn write(&self, world: &World) -> io::Result<()> {
        files::sweep(&self.folder)?;
        files::replace(&self.state(), world.to_json().as_bytes(), Access::Private)
    }

    /// Runs `work` while no other process does. The lock goes away with the process that holds it.
    async fn under_lock<T>(&self, work: impl FnOnce() -> Result<T, Box<Diagnostic>>) -> Result<T, Box<Diagnostic>> {
        let mut lock = RwLock::new(self.lock_file()?);
        let deadline = tokio::time::Instant::now() + self.patience;
        loop {
            let taken = files::attempt(Step::Lock, &self.lock()).and_then(|()| lock.try_write());
            match taken {
                Ok(_guard) => return self.ignore().and_then(|()| work()),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => {
                    let help = "its file system gives no lock: work in a folder on a disk of this machine";
                    let problem = *self.unreachable("the lock cannot be taken", &error);
                    return Err(Box::new(problem.help(help)));
                }
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
        let file = files::private_folder(&self.folder).and_then(|()| files::lock_file(&self.lock()));
        file.map_err(|error| self.unreachable("the folder cannot be used", &error))
    }

    /// Nothing of this belongs into a repository. With nobody else at work.
    fn ignore(&self) -> Result<(), Box<Diagnostic>> {
        let Some(above) = self.folder.parent() else { return Ok(()) };
        let ignore = above.join(".gitignore");
        if ignore.exists() {
            return Ok(());
        }
        let written = files::sweep(above).and_then(|()| files::replace(&ignore, b"*\n", Access::Usual));
        written.map_err(|error| self.unreachable("the folder cannot be used", &error))
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
        let world = world.with_scale(self.scale).with_unknown_types(self.unknown);
        Ok(match &self.origin {
            Some(origin) => world.with_origin(origin.as_str()),
            None => world,
        })
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
        Box::new(match files::rename(&self.state(), &aside) {
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
            ErrorKind::ReadOnlyFilesystem => "its file system is read-only: run the command in another folder",
            ErrorKind::StaleNetworkFileHandle | ErrorKind::HostUnreachable | ErrorKind::TimedOut => {
                "its file system is somewhere else and does not answer: work in a folder on a disk of this machine"
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
    use std::cell::{Cell, RefCell};
    use std::path::Path;
    use std::rc::Rc;

    fn url(group: &str) -> String {
        format!("/subscriptions/{SUBSCRIPTION}/resourcegroups/{group}?api-version=2021-04-01")
    }

    fn put(group: &str) -> Request {
        Request::arm(Method::Put, url(group)).json(&json!({ "location": "eastus2" }))
    }

    fn get(group: &str) -> Request {
        Request::arm(Method::Get, url(group))
    }

    fn local(folder: &std::path::Path) -> Local {
        Local::new(folder.join("a/local"), SUBSCRIPTION, 600)
    }

    fn send(local: &Local, request: Request) -> Result<u16, Transport> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(local.handle(request)).map(|response| response.status)
    }

    fn refusal(local: &Local) -> Diagnostic {
        match send(local, get("rg")) {
            Err(Transport::Refused(problem)) => *problem,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_one_process_puts_another_gets() {
        let root = tempfile::tempdir().expect("a folder");
        assert_eq!(send(&local(root.path()), get("rg")), Ok(404));
        assert!(!root.path().join("a/local/state.json").exists(), "looking wrote something");
        assert_eq!(send(&local(root.path()), put("rg")), Ok(201));
        assert_eq!(send(&local(root.path()), get("rg")), Ok(200));
        assert_eq!(std::fs::read_to_string(root.path().join("a/.gitignore")).expect("a file"), "*\n");
    }

    #[test]
    fn a_damaged_state_is_moved_aside_and_kept() {
        let root = tempfile::tempdir().expect("a folder");
        let local = local(root.path());
        assert_eq!(send(&local, put("rg")), Ok(201));
        let folder = root.path().join("a/local");
        let whole = std::fs::read(folder.join("state.json")).expect("a state");
        let mut half_a_character = whole[..whole.len() / 2].to_vec();
        half_a_character.push(0xc3);
        let damages: Vec<Vec<u8>> = vec![
            b"{\"format\": 2, ".to_vec(),
            b"\xff\xfe".to_vec(),
            Vec::new(),
            vec![0; 4096],
            whole[..whole.len() - 1].to_vec(),
            half_a_character,
            String::from_utf8_lossy(&whole).replacen("\"groups\":{", "\"groups\":[", 1).into_bytes(),
            String::from_utf8_lossy(&whole).replacen("\"scale\":600", "\"scale\":\"600\"", 1).into_bytes(),
            [&whole[..], b"}"].concat(),
            [b"[".repeat(100_000), b"]".repeat(100_000)].concat(),
        ];
        for (n, damage) in damages.into_iter().enumerate() {
            std::fs::write(folder.join("state.json"), &damage).expect("written");
            let problem = refusal(&local);
            assert_eq!(problem.code, code::STATE_DAMAGED, "{n}");
            let aside = folder.join(format!("state.json.damaged-{}", n + 1));
            assert!(problem.notes[0].contains("damaged-"), "{problem:?}");
            assert_eq!(std::fs::read(aside).expect("kept"), damage);
            assert_eq!(send(&local, get("rg")), Ok(404), "begins anew");
        }
    }

    #[test]
    fn a_state_of_strange_size_or_kind_is_left_where_it_is() {
        let root = tempfile::tempdir().expect("a folder");
        let local = local(root.path());
        assert_eq!(send(&local, put("rg")), Ok(201));
        let state = root.path().join("a/local/state.json");
        // a hole, so it takes no room
        std::fs::File::create(&state).and_then(|file| file.set_len(STATE_LIMIT + 1)).expect("a hole");
        let problem = refusal(&local);
        assert_eq!(problem.code, code::STATE_UNREACHABLE);
        assert!(problem.message.contains("longer than"), "{problem:?}");
        assert_eq!(std::fs::metadata(&state).expect("there").len(), STATE_LIMIT + 1);
        std::fs::remove_file(&state).and_then(|()| std::fs::create_dir(&state)).expect("a folder");
        assert_eq!(refusal(&local).code, code::STATE_UNREACHABLE);
        assert!(state.is_dir());
    }

    #[test]
    fn a_newer_state_stays_where_it_is() {
        let root = tempfile::tempdir().expect("a folder");
        let local = local(root.path());
        assert_eq!(send(&local, put("rg")), Ok(201));
        let path = root.path().join("a/local/state.json");
        std::fs::write(&path, "{\"format\": 99}").expect("written");
        assert_eq!(refusal(&local).code, code::STATE_NEWER);
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "{\"format\": 99}");
    }

    #[test]
    fn a_lock_that_somebody_keeps_is_said_and_one_that_is_let_go_is_taken() {
        let root = tempfile::tempdir().expect("a folder");
        let local = Local { patience: Duration::from_millis(30), ..local(root.path()) };
        assert_eq!(send(&local, put("rg")), Ok(201));
        let mut other = RwLock::new(local.lock_file().expect("a file"));
        let kept = other.write().expect("the lock");
        assert_eq!(refusal(&local).code, code::STATE_LOCKED);
        drop(kept);
        assert_eq!(send(&local, get("rg")), Ok(200));
    }

    #[test]
    fn a_folder_that_cannot_be_is_said() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::write(root.path().join("a"), "a file").expect("written");
        assert_eq!(refusal(&local(root.path())).code, code::STATE_UNREACHABLE);
    }

    #[test]
    fn another_disk_does_what_it_does_and_that_is_said() {
        for (step, error, word) in [
            (Step::Lock, ErrorKind::Unsupported, "a disk of this machine"),
            (Step::OpenLock, ErrorKind::ReadOnlyFilesystem, "read-only"),
            (Step::Folder, ErrorKind::PermissionDenied, "give that folder back"),
            (Step::Read, ErrorKind::StaleNetworkFileHandle, "somewhere else"),
            (Step::Write, ErrorKind::StorageFull, "make room"),
            (Step::Sync, ErrorKind::QuotaExceeded, "make room"),
        ] {
            let root = tempfile::tempdir().expect("a folder");
            let local = local(root.path());
            assert_eq!(send(&local, put("rg")), Ok(201));
            let hook = move |now: Step, _: &Path| if now == step { Err(error.into()) } else { Ok(()) };
            let sent = files::with_hook(hook, || send(&local, put("rg2")));
            let Err(Transport::Refused(problem)) = sent else { panic!("{step:?}: {sent:?}") };
            assert_eq!(problem.code, code::STATE_UNREACHABLE);
            assert!(problem.help.as_deref().is_some_and(|help| help.contains(word)), "{step:?}: {problem:?}");
            assert_eq!((send(&local, get("rg")), send(&local, get("rg2"))), (Ok(200), Ok(404)), "{step:?}");
        }
    }

    #[test]
    fn a_folder_behind_a_link_is_as_good() {
        let root = tempfile::tempdir().expect("a folder");
        std::fs::create_dir_all(root.path().join("a")).expect("a folder");
        std::fs::create_dir_all(root.path().join("elsewhere")).expect("a folder");
        let link = root.path().join("a/local");
        if !files::link(Path::new("../elsewhere"), &link) {
            println!("skipped: no links here");
            return;
        }
        assert_eq!(send(&local(root.path()), put("rg")), Ok(201));
        assert_eq!(send(&local(root.path()), get("rg")), Ok(200));
        assert!(root.path().join("elsewhere/state.json").is_file() && link.is_symlink());
        // one that leads nowhere is said
        std::fs::remove_dir_all(root.path().join("elsewhere")).expect("gone");
        assert_eq!(refusal(&local(root.path())).code, code::STATE_UNREACHABLE);
    }

    #[test]
    fn two_at_once_lose_nothing() {
        let root = tempfile::tempdir().expect("a folder");
        let work = |name: &'static str| {
            let local = local(root.path());
            move || (0..25).map(|n| send(&local, put(&format!("{name}{n}")))).collect::<Vec<_>>()
        };
        let (a, b) = std::thread::scope(|scope| {
            let (a, b) = (scope.spawn(work("a")), scope.spawn(work("b")));
            (a.join().expect("a"), b.join().expect("b"))
        });
        assert!(a.iter().chain(&b).all(|sent| *sent == Ok(201)), "{a:?} {b:?}");
        for name in (0..25).flat_map(|n| [format!("a{n}"), format!("b{n}")]) {
            assert_eq!(send(&local(root.path()), get(&name)), Ok(200), "{name}");
        }
    }

    /// What the disk was asked for, in order, by one request.
    fn steps(local: &Local, request: Request) -> usize {
        let count = Rc::new(Cell::new(0));
        let counter = Rc::clone(&count);
        let hook = move |_: Step, _: &Path| {
            counter.set(counter.get() + 1);
            Ok(())
        };
        files::with_hook(hook, || send(local, request)).expect("it works");
        count.get()
    }

    /// Everything in the local Azure's folder is as it should be.
    fn assert_well(local: &Local, litter: usize) {
        let folder = &local.folder;
        let names: Vec<String> = std::fs::read_dir(folder)
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        let left = names.iter().filter(|name| name.starts_with(".aoai-lb-")).count();
        assert!(left <= litter, "{names:?}");
        assert!(names.iter().all(|name| name.starts_with(".aoai-lb-") || name == "state.json" || name == "state.lock"));
        if let Ok(text) = std::fs::read_to_string(folder.join("state.json")) {
            World::from_json(&text).expect("whole");
        }
        if let Some(mode) = files::mode(folder) {
            assert_eq!(mode, 0o700);
            for name in names {
                assert_eq!(files::mode(&folder.join(&name)), Some(0o600), "{name}");
            }
        }
    }

    #[test]
    fn whatever_the_disk_refuses_the_state_is_the_old_or_the_new_one() {
        for (kind, old) in [(ErrorKind::StorageFull, false), (ErrorKind::StorageFull, true), (ErrorKind::Other, true)] {
            let root = tempfile::tempdir().expect("a folder");
            let prepare = |name: &str| {
                let local = local(&root.path().join(name));
                if old {
                    assert_eq!(send(&local, put("old")), Ok(201));
                }
                local
            };
            let total = steps(&prepare("count"), put("new"));
            assert!(total >= if old { 9 } else { 14 }, "{total} steps");
            for k in 0..total {
                let local = prepare(&k.to_string());
                let mut left = k;
                let hook = move |_: Step, _: &Path| match left.checked_sub(1) {
                    Some(fewer) => {
                        left = fewer;
                        Ok(())
                    }
                    // from then on nothing works, until somebody has made room
                    None => Err(kind.into()),
                };
                let sent = files::with_hook(hook, || send(&local, put("new")));
                assert!(
                    matches!(&sent, Err(Transport::Refused(p)) if p.code == code::STATE_UNREACHABLE),
                    "{k}: {sent:?}"
                );
                if local.folder.exists() {
                    assert_well(&local, 0);
                }
                if old {
                    assert_eq!(send(&local, get("old")), Ok(200), "step {k}");
                }
                let there = send(&local, get("new"));
                assert!([Ok(200), Ok(404)].contains(&there), "step {k}: {there:?}");
                // the next one works
                let again = send(&local, put("new"));
                assert_eq!(again, Ok(if there == Ok(200) { 200 } else { 201 }), "step {k}");
                assert_well(&local, 0);
            }
        }
    }

    #[test]
    fn wherever_a_process_dies_the_next_goes_on() {
        let root = tempfile::tempdir().expect("a folder");
        let dying = local(&root.path().join("dying"));
        let left: Rc<RefCell<Vec<PathBuf>>> = Rc::default();
        for round in ["one", "two"] {
            let (leave, base, from) = (Rc::clone(&left), root.path().to_owned(), root.path().join("dying"));
            // what the disk holds at a step is what a process leaves that is killed there
            let hook = move |step: Step, _: &Path| {
                let to = base.join(format!("{round}-{}-{step:?}", leave.borrow().len()));
                copy(&from, &to);
                leave.borrow_mut().push(to);
                Ok(())
            };
            assert_eq!(files::with_hook(hook, || send(&dying, put(round))), Ok(201));
        }
        let left = left.borrow();
        assert!(left.len() > 20, "{}", left.len());
        let mut litter = 0;
        for place in left.iter() {
            let local = local(place);
            if local.folder.exists() {
                assert_well(&local, 1);
            }
            litter += usize::from(!local.folder.exists() || local.folder.read_dir().expect("a folder").count() > 2);
            for group in ["one", "two", "three"] {
                let there = send(&local, get(group));
                assert!([Ok(200), Ok(404)].contains(&there), "{} {group}: {there:?}", place.display());
                assert_eq!(send(&local, put(group)), Ok(if there == Ok(200) { 200 } else { 201 }));
            }
            assert_well(&local, 0);
            let above = place.join("a");
            let names: Vec<_> = above.read_dir().expect("a folder").map(|e| e.expect("an entry").file_name()).collect();
            assert_eq!(names.len(), 2, "{names:?}");
        }
        assert!(litter > 2, "nothing was ever left behind: the test sees no temporary file");
    }

    fn copy(from: &Path, to: &Path) {
        let Ok(entries) = std::fs::read_dir(from) else { return };
        std::fs::create_dir_all(to).expect("a folder");
        if let Ok(about) = std::fs::metadata(from) {
            std::fs::set_permissions(to, about.permissions()).expect("permissions");
        }
        for entry in entries {
            let path = entry.expect("an entry").path();
            let target = to.join(path.file_name().expect("a name"));
            match path.is_dir() {
                true => copy(&path, &target),
                false => drop(std::fs::copy(&path, &target).expect("a copy")),
            }
        }
    }
}
