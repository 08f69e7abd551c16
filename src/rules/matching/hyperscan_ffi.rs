//! Hyperscan's C library behind safe types: compile, serialise, scan. Block mode only.
//!
//! Every `unsafe` of the rules is in this file. Databases are immutable after they were made, so
//! threads share them; a scratch belongs to one scan at a time, which `&mut` says.
#![allow(unsafe_code)]

use std::{
    any::Any,
    ffi::{CStr, CString, c_char, c_int, c_uint, c_ulonglong, c_void},
    fmt, mem,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    ptr::{self, NonNull},
};

use hyperscan_sys as hs;

// SAFETY: declared as in <stdlib.h>.
unsafe extern "C" {
    // Hyperscan's default allocator is malloc, and what it returns is the caller's to free.
    fn free(pointer: *mut c_void);
}

/// One regular expression of a database.
#[derive(Clone, Debug)]
pub struct Expression {
    pub text: CString,
    pub flags: Flags,
    /// What a match reports; several expressions may share it.
    pub id: u32,
    /// Characters that may be inserted, deleted or replaced.
    pub edit_distance: u32,
}

/// How an expression is compiled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Flags {
    pub caseless: bool,
    pub dot_all: bool,
    pub multi_line: bool,
    /// Report an expression once a scan, not at each of its ends.
    pub single_match: bool,
    /// Accept what can't be decided here, and report a superset of its matches.
    pub prefilter: bool,
}

impl Flags {
    fn bits(self) -> c_uint {
        [
            (self.caseless, hs::HS_FLAG_CASELESS),
            (self.dot_all, hs::HS_FLAG_DOTALL),
            (self.multi_line, hs::HS_FLAG_MULTILINE),
            (self.single_match, hs::HS_FLAG_SINGLEMATCH),
            (self.prefilter, hs::HS_FLAG_PREFILTER),
        ]
        .into_iter()
        .filter(|(on, _)| *on)
        .fold(0, |bits, (_, bit)| bits | bit)
    }
}

/// Why an expression or a set of them does not compile, or a scan failed.
#[derive(Clone, Debug)]
pub struct Error {
    pub message: String,
    /// Which expression, where the library knows.
    pub expression: Option<usize>,
}

impl Error {
    #[cold]
    fn code(what: &str, code: c_int) -> Error {
        Error { message: format!("Hyperscan: {what} failed with code {code}"), expression: None }
    }

    /// Takes over and frees an error that the compiler made.
    #[cold]
    fn take(error: *mut hs::hs_compile_error_t, code: c_int) -> Error {
        if error.is_null() {
            return Error::code("compiling", code);
        }
        // SAFETY: the library returned this error; its message is NUL-terminated or null, and both
        // live until hs_free_compile_error, which is called once.
        unsafe {
            let message = match (*error).message {
                message if message.is_null() => String::new(),
                message => CStr::from_ptr(message).to_string_lossy().into_owned(),
            };
            let expression = usize::try_from((*error).expression).ok();
            hs::hs_free_compile_error(error);
            Error { message, expression }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// A compiled set of expressions: immutable, shared by all threads.
pub struct Database {
    raw: NonNull<hs::hs_database_t>,
}

// SAFETY: a database is never changed after it was made; hs_scan takes it const and documents that
// threads may share it.
unsafe impl Send for Database {}
// SAFETY: as above.
unsafe impl Sync for Database {}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Database({} bytes)", self.size())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // SAFETY: `raw` came from the library and is freed once, here.
        unsafe { hs::hs_free_database(self.raw.as_ptr()) };
    }
}

impl Database {
    /// Compiles a set; an error names the expression that is to blame, if one is.
    pub fn compile(expressions: &[Expression]) -> Result<Database, Error> {
        let texts: Vec<*const c_char> = expressions.iter().map(|e| e.text.as_ptr()).collect();
        let flags: Vec<c_uint> = expressions.iter().map(|e| e.flags.bits()).collect();
        let ids: Vec<c_uint> = expressions.iter().map(|e| e.id).collect();
        let extended: Vec<hs::hs_expr_ext_t> = expressions.iter().map(extended).collect();
        let extended: Vec<*const hs::hs_expr_ext_t> = extended.iter().map(ptr::from_ref).collect();
        let count = c_uint::try_from(expressions.len()).map_err(|_| Error::code("counting", -1))?;
        let (mut raw, mut error) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: four arrays of `count` entries that outlive the call, with NUL-terminated texts, and
        // two places for results; a null platform means this machine.
        let code = unsafe {
            hs::hs_compile_ext_multi(
                texts.as_ptr(),
                flags.as_ptr(),
                ids.as_ptr(),
                extended.as_ptr(),
                count,
                hs::HS_MODE_BLOCK,
                ptr::null(),
                &mut raw,
                &mut error,
            )
        };
        match NonNull::new(raw) {
            Some(raw) if code == 0 => Ok(Database { raw }),
            _ => Err(Error::take(error, code)),
        }
    }

    /// Makes a database of what [`Database::serialize`] gave. The library checks version, platform and
    /// checksum; bytes of unknown origin must be checked by the caller first.
    pub fn deserialize(bytes: &[u8]) -> Result<Database, Error> {
        let mut raw = ptr::null_mut();
        // SAFETY: `bytes` is readable for its length; the library copies it.
        let code = unsafe { hs::hs_deserialize_database(bytes.as_ptr().cast(), bytes.len(), &mut raw) };
        match NonNull::new(raw) {
            Some(raw) if code == 0 => Ok(Database { raw }),
            _ => Err(Error::code("loading a compiled database", code)),
        }
    }

    /// The database as bytes for [`Database::deserialize`] on the same kind of machine.
    pub fn serialize(&self) -> Result<Vec<u8>, Error> {
        let (mut bytes, mut length) = (ptr::null_mut(), 0);
        // SAFETY: `raw` is a valid database; the library allocates the bytes with malloc.
        let code = unsafe { hs::hs_serialize_database(self.raw.as_ptr(), &mut bytes, &mut length) };
        if code != 0 || bytes.is_null() {
            return Err(Error::code("serialising a database", code));
        }
        // SAFETY: `bytes` holds `length` initialised bytes and is freed once, after the copy.
        unsafe {
            let copy = std::slice::from_raw_parts(bytes.cast::<u8>(), length).to_vec();
            free(bytes.cast());
            Ok(copy)
        }
    }

    /// Bytes of memory that the database takes.
    pub fn size(&self) -> usize {
        let mut size = 0;
        // SAFETY: `raw` is a valid database.
        match unsafe { hs::hs_database_size(self.raw.as_ptr(), &mut size) } {
            0 => size,
            _ => 0,
        }
    }

    /// Scans `data` and calls `found(id, end)` for each match; ends at any offset, order of offsets.
    /// What is beyond 4 GiB of `data` is not looked at.
    ///
    /// # Errors
    /// The scratch was not made for this database.
    #[inline]
    pub fn scan<F: FnMut(u32, usize)>(
        &self,
        data: &[u8],
        scratch: &mut Scratch,
        found: F,
    ) -> Result<(), Error> {
        let length = c_uint::try_from(data.len()).unwrap_or(c_uint::MAX);
        let mut context = Context { found, panic: None };
        // SAFETY: `data` is readable for `length` bytes; database and scratch are valid, and `&mut` keeps
        // the scratch from being used twice at once; `context` outlives the call and has the type that
        // the callback of the same `F` expects.
        let code = unsafe {
            hs::hs_scan(
                self.raw.as_ptr(),
                data.as_ptr().cast(),
                length,
                0,
                scratch.raw.as_ptr(),
                Some(on_match::<F>),
                ptr::from_mut(&mut context).cast(),
            )
        };
        match (context.panic, code) {
            (Some(panic), _) => resume_unwind(panic),
            (None, 0) => Ok(()),
            (None, code) => Err(Error::code("scanning", code)),
        }
    }
}

struct Context<F> {
    found: F,
    panic: Option<Box<dyn Any + Send>>,
}

/// A panic must not unwind into C: it is kept, ends the scan and goes on behind it.
// SAFETY: only `hs_scan` calls it, with the context that was handed to it.
unsafe extern "C" fn on_match<F: FnMut(u32, usize)>(
    id: c_uint,
    _from: c_ulonglong,
    to: c_ulonglong,
    _flags: c_uint,
    context: *mut c_void,
) -> c_int {
    // SAFETY: `Database::scan` passes a `Context` of this `F` that nobody else touches meanwhile.
    let context = unsafe { &mut *context.cast::<Context<F>>() };
    match catch_unwind(AssertUnwindSafe(|| (context.found)(id, to as usize))) {
        Ok(()) => 0,
        Err(panic) => {
            context.panic = Some(panic);
            1
        }
    }
}

fn extended(expression: &Expression) -> hs::hs_expr_ext_t {
    let mut extended = hs::hs_expr_ext_t::default();
    if expression.edit_distance > 0 {
        extended.flags = c_ulonglong::from(hs::HS_EXT_FLAG_EDIT_DISTANCE);
        extended.edit_distance = expression.edit_distance;
    }
    extended
}

/// The shortest match of an expression that the compiler accepts.
///
/// # Errors
/// It is not supported under its flags.
pub fn shortest_match(expression: &Expression) -> Result<usize, Error> {
    let (mut info, mut error) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: the text is NUL-terminated; results go to two places of ours.
    let code = unsafe {
        hs::hs_expression_ext_info(
            expression.text.as_ptr(),
            expression.flags.bits(),
            &extended(expression),
            &mut info,
            &mut error,
        )
    };
    if code != 0 || info.is_null() {
        return Err(Error::take(error, code));
    }
    // SAFETY: the library allocated `info` with malloc; it is read and freed once.
    unsafe {
        let shortest = (*info).min_width;
        free(info.cast());
        Ok(shortest as usize)
    }
}

/// What a compiled database depends on beside its expressions: library version and processor.
pub fn platform() -> String {
    let mut info = hs::hs_platform_info_t::default();
    // SAFETY: `info` is a place for the result.
    unsafe { hs::hs_populate_platform(&mut info) };
    let version = hyperscan::version_str().to_string_lossy();
    format!("{version}/{}/{:x}/{}", info.tune, info.cpu_features, mem::size_of::<usize>())
}

/// Working memory for scans with the databases that it was made for.
pub struct Scratch {
    raw: NonNull<hs::hs_scratch_t>,
}

// SAFETY: a scratch may move between threads; only one uses it at a time (`&mut`).
unsafe impl Send for Scratch {}
// SAFETY: `&Scratch` gives access to nothing but cloning, which only reads it.
unsafe impl Sync for Scratch {}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scratch")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // SAFETY: `raw` came from the library and is freed once, here.
        unsafe { hs::hs_free_scratch(self.raw.as_ptr()) };
    }
}

impl Scratch {
    /// One scratch that serves all of `databases`; `None` where there are none.
    pub fn for_all<'a>(databases: impl IntoIterator<Item = &'a Database>) -> Result<Option<Scratch>, Error> {
        let mut raw = ptr::null_mut();
        for database in databases {
            // SAFETY: `raw` is null or a scratch of the calls before, which this one may replace.
            let code = unsafe { hs::hs_alloc_scratch(database.raw.as_ptr(), &mut raw) };
            if code != 0 {
                // SAFETY: on failure the old scratch is still ours (freeing null is allowed).
                unsafe { hs::hs_free_scratch(raw) };
                return Err(Error::code("allocating scratch", code));
            }
        }
        Ok(NonNull::new(raw).map(|raw| Scratch { raw }))
    }

    /// Another scratch of the same size, for another thread.
    pub fn try_clone(&self) -> Result<Scratch, Error> {
        let mut raw = ptr::null_mut();
        // SAFETY: `self.raw` is a valid scratch that no scan uses, as we hold a reference to it.
        let code = unsafe { hs::hs_clone_scratch(self.raw.as_ptr(), &mut raw) };
        NonNull::new(raw).map(|raw| Scratch { raw }).ok_or_else(|| Error::code("cloning scratch", code))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expression(text: &str, id: u32) -> Expression {
        let flags = Flags { single_match: true, ..Flags::default() };
        Expression { text: CString::new(text).unwrap(), flags, id, edit_distance: 0 }
    }

    fn matches(expressions: &[Expression], data: &[u8]) -> Vec<u32> {
        let database = Database::compile(expressions).unwrap();
        let mut scratch = Scratch::for_all([&database]).unwrap().unwrap();
        let mut found = Vec::new();
        database.scan(data, &mut scratch, |id, _| found.push(id)).unwrap();
        found.sort_unstable();
        found
    }

    #[test]
    fn the_classes_are_those_of_the_rule_language() {
        // \s takes the vertical tab, \h the no-break space of Latin-1, and letters are ASCII's
        assert_eq!(matches(&[expression(r"a\sb", 1), expression(r"a\hb", 2)], b"a\x0bb"), [1]);
        assert_eq!(matches(&[expression(r"a\sb", 1), expression(r"a\hb", 2)], b"a\xa0b"), [2]);
        assert_eq!(matches(&[expression(r"a\wb", 1), expression(r"a\Wb", 2)], b"a\xe9b"), [2]);
        assert_eq!(matches(&[expression(r"a\vb", 1)], b"a\x0cb"), [1]);
    }

    #[test]
    fn a_dollar_matches_before_a_last_line_feed_only() {
        let set = [expression("a$", 1), expression(r"a\z", 2), expression(r"a\Z", 3)];
        assert_eq!(matches(&set, b"a\n"), [1, 3]);
        assert_eq!(matches(&set, b"a"), [1, 2, 3]);
        assert_eq!(matches(&set, b"a\n\n"), Vec::<u32>::new());
        assert_eq!(matches(&set, b"a\nb"), Vec::<u32>::new());
    }

    #[test]
    fn a_panic_in_the_callback_passes_around_the_library() {
        let database = Database::compile(&[expression("a", 0)]).unwrap();
        let mut scratch = Scratch::for_all([&database]).unwrap().unwrap();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            let _ = database.scan(b"a", &mut scratch, |_, _| panic!("in the callback"));
        }));
        assert!(panicked.is_err());
        // and the scratch is usable afterwards
        let mut hits = 0;
        database.scan(b"aaa", &mut scratch, |_, _| hits += 1).unwrap();
        assert_eq!(hits, 1);
    }

    #[test]
    fn a_serialised_database_comes_back_and_a_damaged_one_does_not() {
        let database = Database::compile(&[expression("spam", 7)]).unwrap();
        let mut bytes = database.serialize().unwrap();
        let back = Database::deserialize(&bytes).unwrap();
        let mut scratch = Scratch::for_all([&back]).unwrap().unwrap();
        let mut found = Vec::new();
        back.scan(b"some spam", &mut scratch, |id, end| found.push((id, end))).unwrap();
        assert_eq!(found, [(7, 9)]);
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        assert!(Database::deserialize(&bytes).is_err());
        assert!(Database::deserialize(&bytes[..20]).is_err());
    }

    #[test]
    fn an_error_names_the_expression() {
        let error = Database::compile(&[expression("a", 0), expression("(?=a)b", 1)]).unwrap_err();
        assert_eq!(error.expression, Some(1));
    }

    #[test]
    fn words_are_found_within_an_edit_distance() {
        let fuzzy = Expression { edit_distance: 2, ..expression("viagra", 0) };
        assert_eq!(matches(std::slice::from_ref(&fuzzy), b"buy v1agro now"), [0]);
        assert_eq!(matches(&[fuzzy], b"buy v1xgro now"), Vec::<u32>::new());
    }
}
