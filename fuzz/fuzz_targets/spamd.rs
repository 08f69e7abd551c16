#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| criba_fuzz::spamd(data));
