//! PDFs of others: whole, broken and encrypted ones.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use criba::{
    budget::Budget,
    media::{self, Extract, Kind, Limits},
};

use crate::support::{files, suite};

fn look(path: &Path) -> Result<Extract, media::Error> {
    let bytes = fs::read(path).expect("a readable document");
    // Pictures of pages are not what is tested here, and take long.
    let limits = Limits { ocr_pages: 0, ..Limits::default() };
    media::extract(Kind::Pdf, &bytes, &limits, &Budget::new(Duration::from_secs(600)))
}

fn documents(folder: &str) -> Option<Vec<PathBuf>> {
    let mut found = files(&suite(folder)?);
    found.retain(|path| path.extension().is_some_and(|extension| extension == "pdf"));
    Some(found)
}

#[test]
fn no_document_is_too_broken_to_be_looked_at() {
    for folder in ["pdf/pypdf", "pdf/pypdf_sample_files", "mail/mxguardian_plugins/pdfinfo2"] {
        let Some(documents) = documents(folder) else { return };
        assert!(documents.len() > 10, "{folder}");
        let read = documents.iter().filter(|path| look(path).is_ok()).count();
        // What needs a password is the rest.
        assert!(read * 10 >= documents.len() * 8, "{folder}: {read} of {}", documents.len());
    }
}

#[test]
fn encrypted_documents_open_where_the_password_is_empty() {
    let Some(folder) = suite("pdf/pypdf/files/resources/encryption") else { return };
    let plain = look(&folder.join("unencrypted.pdf")).expect("a document").text;
    assert!(!plain.is_empty());
    for path in files(&folder) {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with("empty-password.pdf") || name.ends_with("owner-password.pdf") {
            assert_eq!(look(&path).map(|extract| extract.text).ok(), Some(plain.clone()), "{name}");
        } else if ["r2", "r3", "r4"].iter().any(|revision| name.starts_with(revision))
            && name.contains("-password")
        {
            // Those of revision 5 and 6 open all the same: their reader gets by without the password.
            let error = look(&path).expect_err(name).to_string();
            assert_eq!(error, "encrypted with a password", "{name}");
        }
    }
}

#[test]
fn text_is_what_a_person_reads() {
    let Some(documents) = documents("pdf") else { return };
    let text = |name: &str| {
        let path =
            documents.iter().find(|path| path.ends_with(name)).unwrap_or_else(|| panic!("{name} is there"));
        look(path).unwrap_or_else(|error| panic!("{name}: {error}")).text
    };
    let crazy = text("crazyones.pdf");
    for line in
        ["to the crazy ones. The misfits. The rebels.", "who see things differently", "the ones who do."]
    {
        assert!(crazy.contains(line), "{line} in {crazy}");
    }
    assert!(text("pdflatex-4-pages.pdf").contains("Hello, here is some text"));
}
