//! The pages of `examples/front-ends`: no block of them goes without a test.

use std::{collections::HashSet, fs, path::Path};

use super::support::files;

/// Blocks that no test takes out of the page with `block`, and why.
const EXCEPTIONS: &[(&str, &str, &str)] = &[];

/// The first lines of a page's blocks.
fn heads(page: &str) -> Vec<&str> {
    let blocks = page.split("\n```").skip(1).step_by(2);
    blocks.map(|block| block.lines().nth(1).expect("a block has lines")).collect()
}

#[test]
fn every_block_is_run_by_a_test() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &Path| fs::read_to_string(path).expect("a file of ours");
    let mut sources = files(&root.join("tests/interop"));
    sources.retain(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let without_blanks = |text: &str| text.replace([' ', '\n'], "");
    let sources: String = sources.iter().map(|path| without_blanks(&read(path))).collect();
    let mut excused: Vec<_> = EXCEPTIONS.iter().map(|(page, head, _)| format!("{page}: {head}")).collect();

    for path in files(&root.join("examples/front-ends")) {
        let page = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = read(&path);
        let heads = heads(&text);
        let distinct: HashSet<_> = heads.iter().collect();
        assert_eq!(distinct.len(), heads.len(), "{page} has two blocks with one first line: {heads:?}");
        for head in heads {
            let call = without_blanks(&format!("block(\"{page}\", \"{head}\")"));
            if !sources.contains(&call) {
                let excuse = excused.iter().position(|excuse| *excuse == format!("{page}: {head}"));
                excused.remove(excuse.unwrap_or_else(|| panic!("{page}: no test runs the block {head:?}")));
            }
        }
    }
    assert!(excused.is_empty(), "these are no exceptions any more: {excused:?}");
}
