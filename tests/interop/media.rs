//! Pictures of others: PngSuite with its expected pixels, the samples and crash cases of image-gif.

use std::{fs, path::Path, time::Duration};

use criba::{
    budget::Budget,
    media::{self, Kind, Limits},
};

use crate::support::{files, suite};

/// What `value` looks like over white.
fn over_white(value: i64, alpha: i64) -> i64 {
    (value * alpha + 255 * (255 - alpha) + 127) / 255
}

/// The expected pixels over white: a flat list of red, green, blue and alpha.
fn expected(json: &Path) -> Vec<[i64; 3]> {
    let mut text = fs::read(json).expect("a readable list");
    let mut samples: Vec<i64> = simd_json::from_slice(&mut text).expect("a list of numbers");
    if samples.iter().any(|&sample| sample > 255) {
        samples.iter_mut().for_each(|sample| *sample >>= 8); // 16 bits a sample
    }
    samples
        .as_chunks::<4>()
        .0
        .iter()
        .map(|&[r, g, b, a]| [r, g, b].map(|value| over_white(value, a)))
        .collect()
}

#[test]
fn png_suite() {
    let Some(folder) = suite("images/pngsuite/files") else { return };
    let (mut whole, mut broken) = (0, 0);
    for path in files(&folder.join("png")) {
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        if path.extension().is_none_or(|extension| extension != "png") {
            continue;
        }
        let bytes = fs::read(&path).expect("a readable picture");
        let decoded = media::decode(Kind::Png, &bytes, &Limits::default());
        if name.starts_with('x') {
            // A bad checksum over the pixels still leaves pixels to show; a bad header leaves nothing.
            assert!(decoded.is_err() || name == "xcsn0g01", "{name} is broken");
            broken += 1;
            continue;
        }
        assert_eq!(media::sniff(&bytes), Some(Kind::Png), "{name}");
        let list = ["_to8.json", ".json"].map(|end| folder.join("json").join(format!("{name}{end}")));
        let Some(list) = list.iter().find(|path| path.exists()) else { continue };
        let raster = decoded.unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = expected(list);
        assert_eq!(raster.pixels.len(), expected.len(), "{name}");
        for (at, (found, expected)) in raster.pixels.iter().zip(&expected).enumerate() {
            let near = found.iter().zip(expected).all(|(&a, &b)| (i64::from(a) - b).abs() <= 1);
            assert!(near, "{name}, pixel {at}: {found:?} instead of {expected:?}");
        }
        whole += 1;
    }
    assert!(whole > 140 && broken > 10, "{whole} and {broken} pictures");
}

#[test]
fn every_prefix_of_a_png_is_survived() {
    let Some(folder) = suite("images/pngsuite/files") else { return };
    for name in ["basn2c08", "basi4a16", "s38i3p04"] {
        let bytes = fs::read(folder.join(format!("png/{name}.png"))).expect("a readable picture");
        for end in 0..bytes.len() {
            if let Ok(raster) = media::decode(Kind::Png, &bytes[..end], &Limits::default()) {
                assert_eq!(raster.pixels.len(), raster.width as usize * raster.height as usize);
            }
        }
    }
}

#[test]
fn gif_samples_and_crash_cases() {
    let Some(folder) = suite("images/image_gif/files") else { return };
    let budget = Budget::new(Duration::from_secs(600));
    let mut shown = 0;
    for path in files(&folder).into_iter().filter(|path| path.extension().is_some_and(|e| e == "gif")) {
        let bytes = fs::read(&path).expect("a readable picture");
        assert_eq!(media::sniff(&bytes), Some(Kind::Gif), "{}", path.display());
        match media::extract(Kind::Gif, &bytes, &Limits::default(), &budget) {
            Ok(extract) => {
                assert!(extract.frames > 0, "{}", path.display());
                shown += 1;
            }
            Err(_) => {
                assert!(!path.components().any(|part| part.as_os_str() == "samples"), "{}", path.display())
            }
        }
    }
    assert!(shown >= 12, "{shown} pictures");
}
