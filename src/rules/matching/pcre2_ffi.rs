//! PCRE2's compiled machine code, called without ceremony: all patterns of a thread share one place for the result. The
//! `pcre2` crate keeps one a pattern and thread behind a lock, which takes as long as most searches and some megabytes.
#![allow(unsafe_code)]

use std::{
    ffi::c_int,
    fmt,
    ops::Range,
    ptr::{self, NonNull},
};

use pcre2_sys as pcre2;

use crate::rules::regex::Flags;

/// Where a text without bytes stands.
static NOWHERE: [u8; 1] = [0];

/// A pattern as machine code: immutable, shared by all threads.
pub struct Code(NonNull<pcre2::pcre2_code_8>);

// SAFETY: code is never changed after it was made; PCRE2 documents that threads may share it.
unsafe impl Send for Code {}
// SAFETY: as above.
unsafe impl Sync for Code {}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code")
    }
}

impl Drop for Code {
    fn drop(&mut self) {
        // SAFETY: the code came from the library and is freed once, here.
        unsafe { pcre2::pcre2_code_free_8(self.0.as_ptr()) };
    }
}

impl Code {
    /// Compiles a pattern; `None` where PCRE2 does not take it, or has no machine code for it.
    pub fn compile(pattern: &str, flags: Flags) -> Option<Code> {
        let options = [
            (flags.caseless, pcre2::PCRE2_CASELESS),
            (flags.dot_all, pcre2::PCRE2_DOTALL),
            (flags.multi_line, pcre2::PCRE2_MULTILINE),
        ];
        let options = options.iter().filter(|(on, _)| *on).fold(0, |all, (_, option)| all | option);
        let (mut error, mut offset) = (0, 0);
        // SAFETY: the pattern is readable for its length; two places take what may be wrong with it; a null context
        // stands for the defaults.
        let raw = unsafe {
            pcre2::pcre2_compile_8(
                pattern.as_ptr(),
                pattern.len(),
                options,
                &mut error,
                &mut offset,
                ptr::null_mut(),
            )
        };
        let code = Code(NonNull::new(raw)?);
        // SAFETY: the code is valid, and nobody else has it yet.
        let failed = unsafe { pcre2::pcre2_jit_compile_8(code.0.as_ptr(), pcre2::PCRE2_JIT_COMPLETE) };
        (failed == 0).then_some(code)
    }

    /// The first match that starts at or behind `at`; what is before it counts as context.
    ///
    /// # Errors
    /// PCRE2's number for why the search was given up.
    pub fn find_at(&self, subject: &[u8], at: usize) -> Result<Option<Range<usize>>, i32> {
        if at > subject.len() {
            return Ok(None);
        }
        // without a place for the result, as where there is no memory
        PLACE.try_with(|place| self.search(place, subject, at)).unwrap_or(Err(pcre2::PCRE2_ERROR_NOMEMORY))
    }

    fn search(&self, place: &Place, subject: &[u8], at: usize) -> Result<Option<Range<usize>>, i32> {
        let place = place.0.ok_or(pcre2::PCRE2_ERROR_NOMEMORY)?.as_ptr();
        // a slice without bytes may point nowhere
        let text = if subject.is_empty() { NOWHERE.as_ptr() } else { subject.as_ptr() };
        // SAFETY: the code was compiled to machine code, `at` is not beyond the subject, which is readable for its
        // length, and the place belongs to this thread, which does nothing else with it meanwhile.
        let found: c_int = unsafe {
            pcre2::pcre2_jit_match_8(self.0.as_ptr(), text, subject.len(), at, 0, place, ptr::null_mut())
        };
        match found {
            pcre2::PCRE2_ERROR_NOMATCH => Ok(None),
            error if error < 0 => Err(error),
            // 0: there are groups, for which there is no room
            _ => {
                // SAFETY: the search was successful, so that both ends of the match stand in the place.
                let (start, end) = unsafe {
                    let ends = pcre2::pcre2_get_ovector_pointer_8(place);
                    (*ends, *ends.add(1))
                };
                Ok(Some(start..end))
            }
        }
    }
}

/// Where a search says what it found: room for the whole match, and none for groups.
struct Place(Option<NonNull<pcre2::pcre2_match_data_8>>);

thread_local! {
    // SAFETY: a null context stands for the defaults.
    static PLACE: Place = Place(NonNull::new(unsafe { pcre2::pcre2_match_data_create_8(1, ptr::null_mut()) }));
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(place) = self.0 {
            // SAFETY: it came from the library and is freed once, here.
            unsafe { pcre2::pcre2_match_data_free_8(place.as_ptr()) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(pattern: &str) -> Code {
        Code::compile(pattern, Flags { caseless: true, ..Flags::default() }).unwrap()
    }

    #[test]
    fn matches_are_found_with_and_without_groups() {
        assert_eq!(code("b+").find_at(b"abbc", 0), Ok(Some(1..3)));
        assert_eq!(code("(a)(b)(c)?\\2").find_at(b"xABB", 0), Ok(Some(1..4)));
        assert_eq!(code("(?<=a)b").find_at(b"ab", 1), Ok(Some(1..2)));
        assert_eq!(code("b").find_at(b"abbc", 3), Ok(None));
        assert_eq!(code("").find_at(b"", 0), Ok(Some(0..0)));
        assert_eq!(code("").find_at(b"a", 2), Ok(None));
    }

    #[test]
    fn a_search_that_takes_too_long_is_given_up() {
        let subject = [b"a".repeat(5000), b"b".to_vec()].concat();
        let found = code("(*LIMIT_MATCH=1000)^(a+)+$").find_at(&subject, 0);
        assert_eq!(found, Err(pcre2::PCRE2_ERROR_MATCHLIMIT));
    }

    #[test]
    fn what_is_no_pattern_has_no_code() {
        assert!(Code::compile("(", Flags::default()).is_none());
    }
}
