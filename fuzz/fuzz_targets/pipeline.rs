#![no_main]

libfuzzer_sys::fuzz_target!(
    init: { criba_fuzz::engine(); },
    |data: &[u8]| criba_fuzz::pipeline(data)
);
