//! What a refused form brought: a photo or a signature is not asked for twice.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pages::http::FORM_BYTES_MAX;
use pages::visit::{Upload, Visit};

/// The field by which a form says that its files came before.
pub(crate) const FIELD: &str = "kept";

/// Forms whose files are kept at a time: one person works on one or two pages.
const FORMS_MAX: usize = 4;

/// The files of the last refused forms, until the form is taken or newer ones need the room.
#[derive(Debug, Default)]
pub struct Kept(Mutex<VecDeque<(String, Vec<Upload>)>>);

impl Kept {
    /// Returns one that keeps nothing yet.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    /// Forgets all: the home was locked.
    pub(crate) fn forget_all(&self) {
        self.forms().clear();
    }

    /// Keeps the files of a form and returns the name under which they come again.
    pub(crate) fn keep(&self, files: &[Upload]) -> String {
        let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
        for file in files {
            hash.update(file.field.as_bytes());
            hash.update(&file.bytes);
        }
        let name = records::hex::of(hash.finish().as_ref());
        let mut forms = self.forms();
        forms.retain(|(known, _)| *known != name);
        forms.push_back((name.clone(), files.to_vec()));
        while forms.len() > FORMS_MAX || (forms.len() > 1 && bytes(&forms) > FORM_BYTES_MAX) {
            forms.pop_front();
        }
        name
    }

    /// Returns the visit with the files that its form brought before, where it brings no others in their place.
    pub(crate) fn again<'v>(&self, visit: &'v Visit) -> Cow<'v, Visit> {
        let forms = self.forms();
        let named = visit.form.get(FIELD).and_then(|name| forms.iter().find(|(known, _)| known == name));
        let Some((_, files)) = named else { return Cow::Borrowed(visit) };
        let missing = |file: &&Upload| visit.uploads(&file.field).next().is_none();
        let mut visit = Cow::Borrowed(visit);
        let found: Vec<Upload> = files.iter().filter(missing).cloned().collect();
        visit.to_mut().files.extend(found);
        visit
    }

    /// Returns one kept file.
    pub(crate) fn file(&self, name: &str, at: usize) -> Option<Vec<u8>> {
        let forms = self.forms();
        let (_, files) = forms.iter().find(|(known, _)| known == name)?;
        files.get(at).map(|file| file.bytes.clone())
    }

    /// Forgets the files of a form that was taken.
    pub(crate) fn forget(&self, visit: &Visit) {
        if let Some(name) = visit.form.get(FIELD) {
            self.forms().retain(|(known, _)| known != name);
        }
    }

    fn forms(&self) -> MutexGuard<'_, VecDeque<(String, Vec<Upload>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn bytes(forms: &VecDeque<(String, Vec<Upload>)>) -> usize {
    forms.iter().flat_map(|(_, files)| files).map(|file| file.bytes.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upload(field: &str, bytes: &[u8]) -> Upload {
        Upload { field: field.to_owned(), name: "a.jpg".to_owned(), bytes: bytes.to_vec() }
    }

    #[test]
    fn a_form_brings_its_files_again_unless_it_brings_others() {
        let kept = Kept::default();
        let name = kept.keep(&[upload("photo", b"slip"), upload("signature", b"ink")]);
        let mut visit = Visit::to("/vouchers").sending(&[(FIELD, &name)]);
        visit.files = vec![upload("photo", b"better")];
        let again = kept.again(&visit).into_owned();
        assert_eq!(again.files, [upload("photo", b"better"), upload("signature", b"ink")]);
        assert_eq!(kept.file(&name, 1), Some(b"ink".to_vec()));
        kept.forget(&again);
        assert_eq!(kept.again(&visit).files.len(), 1);
    }

    #[test]
    fn only_the_last_forms_are_kept_and_no_more_than_one_forms_bytes() {
        let kept = Kept::default();
        let names: Vec<String> =
            (0..=FORMS_MAX).map(|n| kept.keep(&[upload("photo", &n.to_le_bytes())])).collect();
        assert_eq!(kept.file(&names[0], 0), None);
        assert!(kept.file(&names[1], 0).is_some());
        let large = kept.keep(&[upload("photo", &vec![1; FORM_BYTES_MAX])]);
        assert!(kept.file(&names[FORMS_MAX], 0).is_none() && kept.file(&large, 0).is_some());
    }
}
