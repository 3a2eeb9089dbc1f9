//! Writing the pieces of an export into files, none of which is there unless it is whole.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::super::super::Failure;
use super::readable;
use crate::io::new_file::{self, NewFile};
use crate::wire::export_v1::{Message, Piece, PlanV1};

/// More files than a person would carry; more words than one would read.
const MAX_FILES: usize = 1000;
const MAX_WORDS: usize = 50;

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Saved {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) files: Vec<SavedFile>,
    /// What ought to be in there and isn't, in words.
    pub(super) left_out: Vec<String>,
    pub(super) more_left_out: usize,
}

#[derive(Debug)]
pub(super) struct SavedFile {
    pub(super) path: PathBuf,
    pub(super) events: u64,
    pub(super) photos: u64,
    pub(super) bytes: u64,
}

#[derive(Debug)]
pub(super) struct Saving {
    path: PathBuf,
    /// What is still to come, in bytes, by file.
    planned: Vec<u64>,
    current: Option<NewFile>,
    done: bool,
    saved: Saved,
}

impl Saving {
    pub(super) fn to(path: &Path) -> Result<Saving, Failure> {
        let path = path.to_owned();
        let saving = Saving { path, planned: Vec::new(), current: None, done: false, saved: Saved::default() };
        // Said before anything is read.
        saving.is_free(&saving.name(0))?;
        Ok(saving)
    }

    /// FILE, FILE.2, FILE.3, ...
    fn name(&self, nth: usize) -> PathBuf {
        if nth == 0 {
            return self.path.clone();
        }
        let mut name = OsString::from(&self.path);
        name.push(format!(".{}", nth + 1));
        PathBuf::from(name)
    }

    pub(super) fn piece(&mut self, piece: Piece) -> Result<(), Failure> {
        let out_of_turn = || Failure::other("the agent's answer has no order: is it another version?");
        match piece {
            Piece::Append(bytes) => {
                let written = self.current.as_mut().ok_or_else(out_of_turn)?.append(&bytes);
                written.map_err(|error| self.refused(&error))
            }
            Piece::Patch { at, bytes } => {
                let written = self.current.as_mut().ok_or_else(out_of_turn)?.patch(at, &bytes);
                written.map_err(|error| self.refused(&error))
            }
            Piece::Message(Message::Plan(plan)) => self.plan(plan),
            Piece::Message(Message::Begin) => {
                let path = self.name(self.saved.files.len());
                self.current = Some(NewFile::create(&path).map_err(|error| self.refused(&error))?);
                Ok(())
            }
            Piece::Message(Message::End(done)) => {
                let file = self.current.take().ok_or_else(out_of_turn)?;
                file.finish().map_err(|error| self.refused(&error))?;
                let path = self.name(self.saved.files.len());
                self.saved.files.push(SavedFile { path, events: done.events, photos: done.photos, bytes: done.bytes });
                Ok(())
            }
            Piece::Message(Message::LeftOut(words)) => {
                if self.saved.left_out.len() < MAX_WORDS {
                    self.saved.left_out.push(words);
                } else {
                    self.saved.more_left_out += 1;
                }
                Ok(())
            }
            Piece::Message(Message::Done) => {
                self.done = true;
                Ok(())
            }
            Piece::Message(Message::Failed(why)) => Err(Failure::Other(why)),
        }
    }

    fn plan(&mut self, plan: PlanV1) -> Result<(), Failure> {
        let PlanV1 { name, url, files } = plan;
        if files.len() > MAX_FILES {
            return Err(Failure::other(format!("that would be {} files: take a larger --split", files.len())));
        }
        (0..files.len()).try_for_each(|nth| self.is_free(&self.name(nth)))?;
        let needed = files.iter().fold(0, |sum: u64, file| sum.saturating_add(*file));
        let room = new_file::room_for(&self.path).map_err(|error| self.refused(&error))?;
        self.planned = files;
        (self.saved.name, self.saved.url) = (name, url);
        if needed > room {
            return Err(self.too_small(room));
        }
        Ok(())
    }

    fn is_free(&self, path: &Path) -> Result<(), Failure> {
        match path.symlink_metadata() {
            Ok(_) => Err(Failure::other(format!(
                "{} is there already and is not overwritten: name another file",
                path.display()
            ))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(self.refused(&error)),
        }
    }

    fn too_small(&self, room: u64) -> Failure {
        let needed = readable(self.planned.iter().sum());
        Failure::other(format!(
            "{} is on a disk with {} free, and {needed} are needed: take another, or make room on it",
            self.path.display(),
            readable(room)
        ))
    }

    fn refused(&self, error: &io::Error) -> Failure {
        let path = self.name(self.saved.files.len());
        let path = path.display();
        let is = |kinds: &[io::ErrorKind]| kinds.contains(&error.kind());
        if is(&[io::ErrorKind::AlreadyExists]) {
            Failure::other(format!("{path} came into being meanwhile and is not overwritten: name another file"))
        } else if is(&[io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded]) {
            self.too_small(0)
        } else if is(&[io::ErrorKind::FileTooLarge]) {
            Failure::other(format!("{path} is too large for that disk's format: write several, with --split 90MB"))
        } else if is(&[io::ErrorKind::NotFound]) {
            Failure::other(format!("{path}: its folder is not there"))
        } else {
            Failure::other(format!("{path} could not be written: {error}. Try another disk"))
        }
    }

    /// What is left after it went wrong: `failure`, and which files are good all the same.
    pub(super) fn ended(self, failure: Failure) -> Failure {
        let Failure::Other(why) = failure else { return failure };
        let whole: Vec<String> = self.saved.files.iter().map(|file| file.path.display().to_string()).collect();
        let left = match whole.as_slice() {
            [] => "No file was left behind".to_owned(),
            whole => format!("{} can be imported as they are; the rest is not written", whole.join(", ")),
        };
        Failure::Other(format!("{why}. {left}. All that waits is still on the device"))
    }

    pub(super) fn finish(self) -> Result<Saved, Failure> {
        if self.done {
            return Ok(self.saved);
        }
        let cut = Failure::other("the agent stopped in the middle of it: export again");
        Err(self.ended(cut))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::export_v1::BundleV1;

    fn plan(files: Vec<u64>) -> Piece {
        Piece::Message(Message::Plan(PlanV1 { name: "DOCK".into(), url: "https://o".into(), files }))
    }

    fn whole_file(saving: &mut Saving) {
        saving.piece(Piece::Message(Message::Begin)).unwrap();
        saving.piece(Piece::Append(b"bundle".to_vec())).unwrap();
        saving.piece(Piece::Message(Message::End(BundleV1::default()))).unwrap();
    }

    fn said<T>(result: Result<T, Failure>) -> String {
        match result {
            Err(Failure::Other(words)) => words,
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("it went well"),
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn an_export_that_is_cut_off_leaves_only_files_that_are_whole() {
        let folder = tempfile::tempdir().unwrap();
        let mut saving = Saving::to(&folder.path().join("b")).unwrap();
        saving.piece(plan(vec![10, 10])).unwrap();
        whole_file(&mut saving);
        saving.piece(Piece::Message(Message::Begin)).unwrap();
        saving.piece(Piece::Append(b"half".to_vec())).unwrap();
        let words = said(saving.finish());
        assert!(words.contains("stopped in the middle") && words.contains("/b can be imported"), "{words}");
        assert_eq!(names(folder.path()), ["b"]);
    }

    #[test]
    fn what_does_not_fit_is_known_before_it_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let mut saving = Saving::to(&folder.path().join("b")).unwrap();
        assert!(said(saving.piece(plan(vec![u64::MAX / 2]))).contains("are needed"));
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn bytes_without_a_file_to_put_them_in_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut saving = Saving::to(&folder.path().join("b")).unwrap();
        assert!(said(saving.piece(Piece::Append(vec![1]))).contains("another version"));
        assert!(said(saving.piece(Piece::Message(Message::Failed("why".into())))) == "why");
    }
}
