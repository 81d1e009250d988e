//! Files: read with a limit, replaced at once or not at all.
//!
//! A file is replaced by writing a temporary one beside it, syncing that, renaming it over the old one and syncing the
//! folder, so a reader sees the old text or the new one and a crash leaves no half. Several files are one change as far
//! as a file system can do that: every temporary file is complete before the first rename.
//!
//! Everything that the disk is asked for on the way to a new text passes [`attempt`], where a test lets it fail.
//!
//! Deliberately absent: decisions about what to write, and when to hold a lock (`io::local` knows).

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// Who may read a file that we make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever the system's mask lets.
    Usual,
    /// The user alone.
    Private,
}

/// What the disk is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A file is opened and read.
    Read,
    /// A folder is made.
    Folder,
    /// A temporary file is made.
    Create,
    /// It is filled.
    Write,
    /// What was written reaches the disk.
    Sync,
    /// A file gets its name, or another one.
    Rename,
    /// A name reaches the disk.
    SyncFolder,
    /// The file is opened on which the lock is taken.
    OpenLock,
    /// The lock is taken.
    Lock,
    /// A file that was left behind goes away.
    Remove,
}

/// The moment before a step. It is nothing but that: only a test can make something of it.
#[cfg(not(test))]
pub fn attempt(_: Step, _: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
pub use seam::{attempt, link, mode, with_hook};

#[cfg(test)]
mod seam {
    use super::Step;
    use std::cell::RefCell;
    use std::io;
    use std::path::Path;

    type Hook = Box<dyn FnMut(Step, &Path) -> io::Result<()>>;

    thread_local! {
        static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) };
    }

    /// The moment before a step, at which the hook may refuse it.
    pub fn attempt(step: Step, path: &Path) -> io::Result<()> {
        let hook = HOOK.take();
        let Some(mut hook) = hook else { return Ok(()) };
        // what the hook itself does with files is not looked at
        let result = hook(step, path);
        HOOK.set(Some(hook));
        result
    }

    /// Runs `work` on this thread, with `hook` before every step.
    pub fn with_hook<T>(hook: impl FnMut(Step, &Path) -> io::Result<()> + 'static, work: impl FnOnce() -> T) -> T {
        HOOK.set(Some(Box::new(hook)));
        let done = work();
        HOOK.set(None);
        done
    }

    /// Who may do what with a file, where the system says that in nine bits.
    pub fn mode(path: &Path) -> Option<u32> {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::metadata(path).ok().map(|about| about.permissions().mode() & 0o777)
        }
        #[cfg(not(unix))]
        None
    }

    /// Makes a link to a folder, where that needs no rights of its own.
    pub fn link(to: &Path, at: &Path) -> bool {
        #[cfg(unix)]
        return std::os::unix::fs::symlink(to, at).is_ok();
        #[cfg(not(unix))]
        false
    }
}

/// Reads a file of at most `limit` bytes as UTF-8.
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    attempt(Step::Read, path)?;
    text(read_limited(open(path)?, limit)?)
}

/// Reads standard input, at most `limit` bytes, as UTF-8.
pub fn read_input(limit: u64) -> io::Result<String> {
    text(read_limited(io::stdin().lock(), limit)?)
}

fn text(bytes: Vec<u8>) -> io::Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let why = match kind(error.as_bytes()) {
            Some(kind) => format!("{kind}, not UTF-8"),
            None => format!("not UTF-8 at byte {at}"),
        };
        io::Error::new(io::ErrorKind::InvalidData, why)
    })
}

/// What a file is that is no text of ours, where its first bytes say it.
pub fn kind(bytes: &[u8]) -> Option<&'static str> {
    const KINDS: [(&[u8], &str); 7] = [
        (b"\x1f\x8b", "compressed with gzip"),
        (b"\x28\xb5\x2f\xfd", "compressed with zstd"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\xff\xfe", "UTF-16"),
        (b"\xfe\xff", "UTF-16"),
        (b"PAR1", "a Parquet file"),
        (b"\x7fELF", "a program"),
    ];
    KINDS.iter().find(|(start, _)| bytes.starts_with(start)).map(|(_, kind)| *kind)
}

fn open(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "is a folder"));
    }
    Ok(file)
}

fn read_limited(from: impl Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("longer than {limit} bytes")));
    }
    Ok(bytes)
}

/// A file in pieces of at most `size` bytes, in constant memory. It ends after the first error.
pub fn chunks(path: &Path, size: usize) -> io::Result<impl Iterator<Item = io::Result<Vec<u8>>>> {
    let mut file = Some(open(path)?);
    Ok(std::iter::from_fn(move || {
        let mut piece = vec![0; size];
        match file.as_mut()?.read(&mut piece) {
            Ok(0) => None,
            Ok(length) => {
                piece.truncate(length);
                Some(Ok(piece))
            }
            Err(error) => {
                file = None;
                Some(Err(error))
            }
        }
    }))
}

/// What the names of temporary files begin with.
const PREFIX: &str = ".aoai-lb-";

/// Takes away the temporary files in a folder that processes left behind when they died. Nobody else may be writing there.
pub fn sweep(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX)) {
            attempt(Step::Remove, &entry.path())?;
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Gives a file another name, where none has it.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    attempt(Step::Rename, from)?;
    fs::rename(from, to)
}

/// Opens the file on which a lock is taken, for the user alone where it is new.
pub fn lock_file(path: &Path) -> io::Result<File> {
    attempt(Step::OpenLock, path)?;
    let mut options = fs::OpenOptions::new();
    options.create(true).truncate(false).read(true).write(true);
    private(&mut options);
    options.open(path)
}

/// Replaces one file at once.
pub fn replace(path: &Path, text: &[u8], access: Access) -> io::Result<()> {
    stage(path, text, access)?.put()?;
    sync_folder(folder_of(path))
}

/// A file that is written whole, but does not have its name yet.
struct Staged {
    file: NamedTempFile,
    path: PathBuf,
}

impl Staged {
    fn put(self) -> io::Result<()> {
        attempt(Step::Rename, &self.path)?;
        self.file.persist(&self.path).map(drop).map_err(|error| error.error)
    }
}

fn stage(path: &Path, text: &[u8], access: Access) -> io::Result<Staged> {
    attempt(Step::Create, path)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX);
    if access == Access::Usual {
        usual_permissions(&mut builder);
    }
    let mut file = builder.tempfile_in(folder_of(path))?;
    attempt(Step::Write, path)?;
    file.write_all(text)?;
    attempt(Step::Sync, path)?;
    file.as_file().sync_all()?;
    Ok(Staged { file, path: path.to_owned() })
}

/// What [`replace_all`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Files that are new or have a new text.
    pub written: Vec<PathBuf>,
    /// Files that had the right text already.
    pub unchanged: Vec<PathBuf>,
}

/// Replaces several files below `root` as one: nothing gets its name before everything is on the disk.
///
/// A file that has the right text already is not touched. The names are relative, with `/`.
pub fn replace_all<'a>(root: &Path, files: impl IntoIterator<Item = (&'a str, &'a str)>) -> io::Result<Written> {
    let mut done = Written::default();
    let mut staged = Vec::new();
    for (name, text) in files {
        let path = root.join(name);
        if holds(&path, text) {
            done.unchanged.push(path);
            continue;
        }
        fs::create_dir_all(folder_of(&path))?;
        staged.push(stage(&path, text.as_bytes(), Access::Usual)?);
    }
    for file in staged {
        let path = file.path.clone();
        file.put()?;
        done.written.push(path);
    }
    let mut folders: Vec<&Path> = done.written.iter().map(|path| folder_of(path)).collect();
    folders.sort_unstable();
    folders.dedup();
    folders.into_iter().try_for_each(sync_folder)?;
    Ok(done)
}

/// Whether the file has exactly this text.
pub fn holds(path: &Path, text: &str) -> bool {
    open(path).and_then(|file| read_limited(file, text.len() as u64)).is_ok_and(|bytes| bytes == text.as_bytes())
}

/// The folder that a file stands in; `.` for a bare name.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(unix)]
fn usual_permissions(builder: &mut tempfile::Builder<'_, '_>) {
    use std::os::unix::fs::PermissionsExt;
    // the system's mask takes away what it takes away from any new file
    builder.permissions(fs::Permissions::from_mode(0o666));
}

#[cfg(not(unix))]
fn usual_permissions(_: &mut tempfile::Builder<'_, '_>) {}

#[cfg(unix)]
fn private(options: &mut fs::OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600);
}

#[cfg(not(unix))]
fn private(_: &mut fs::OpenOptions) {}

/// Makes a folder, and those above it, that only the user can enter.
#[cfg(unix)]
pub fn private_folder(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    attempt(Step::Folder, path)?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Makes a folder, and those above it; a new folder of a user's is private to that user on Windows.
#[cfg(not(unix))]
pub fn private_folder(path: &Path) -> io::Result<()> {
    attempt(Step::Folder, path)?;
    fs::create_dir_all(path)
}

/// After this a rename in the folder outlives a power cut.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    attempt(Step::SyncFolder, folder)?;
    File::open(folder)?.sync_all()
}

/// Windows has no such call; its file systems keep a journal of names.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_files_are_written_or_none_is() {
        let root = tempfile::tempdir().expect("a folder");
        fs::write(root.path().join("a"), "old").expect("a file");
        // `b` cannot be made, since a file stands where its folder should
        let failed = replace_all(root.path(), [("a", "new"), ("a/b", "new")]);
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(root.path().join("a")).expect("a text"), "old");
        let names: Vec<_> = fs::read_dir(root.path()).expect("a folder").map(|e| e.expect("an entry").path()).collect();
        assert_eq!(names, [root.path().join("a")], "a temporary file stayed");

        let first = replace_all(root.path(), [("a", "new"), ("m/b", "x")]).expect("written");
        assert_eq!((first.written.len(), first.unchanged.len()), (2, 0));
        let again = replace_all(root.path(), [("a", "new"), ("m/b", "y")]).expect("written");
        assert_eq!((again.written.len(), again.unchanged.len()), (1, 1));
    }

    #[test]
    fn reading_has_a_limit_and_says_what_is_wrong() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("a");
        fs::write(&path, b"12345").expect("a file");
        assert_eq!(read_text(&path, 5).expect("a text"), "12345");
        assert_eq!(read_text(&path, 4).expect_err("too long").kind(), io::ErrorKind::FileTooLarge);
        fs::write(&path, b"ab\xff").expect("a file");
        assert_eq!(read_text(&path, 9).expect_err("no text").to_string(), "not UTF-8 at byte 2");
        fs::write(&path, b"\xff\xfea\0").expect("a file");
        assert_eq!(read_text(&path, 9).expect_err("no text").to_string(), "UTF-16, not UTF-8");
        assert_eq!(read_text(root.path(), 9).expect_err("a folder").to_string(), "is a folder");
        assert!(!holds(&path, "x") && !holds(&root.path().join("none"), ""));
    }

    #[test]
    fn pieces_make_up_the_file() {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join("a");
        fs::write(&path, b"1234567").expect("a file");
        let pieces: Vec<Vec<u8>> = chunks(&path, 3).expect("a file").map(|piece| piece.expect("a piece")).collect();
        assert_eq!(pieces.concat(), b"1234567");
        assert!(pieces.iter().all(|piece| (1..=3).contains(&piece.len())));
        assert!(chunks(root.path(), 3).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_private_file_is_private_and_a_usual_one_is_not() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().expect("a folder");
        let mode = |name: &str| fs::metadata(root.path().join(name)).expect("there").permissions().mode() & 0o777;
        replace(&root.path().join("secret"), b"x", Access::Private).expect("written");
        replace(&root.path().join("usual"), b"x", Access::Usual).expect("written");
        private_folder(&root.path().join("folder/inner")).expect("made");
        assert_eq!((mode("secret"), mode("folder"), mode("folder/inner")), (0o600, 0o700, 0o700));
        assert!(mode("usual") & 0o400 != 0 && mode("usual") & 0o111 == 0);
    }
}
