//! Which language packs read a page: those of its script, and not all that are configured.
//!
//! All packs at once cost a page two to three times the time of one. A part of the page that is read badly in one
//! script is read in the others, and the next part in the one that was best.

/// Mean confidence, 0 to 100, from which a part is in the script that it was read in. Cyrillic read as Cyrillic has 95
/// and as Latin 53, Latin read as Cyrillic 51 (16 px DejaVu Sans, Debian's packs of Tesseract 4.1).
const SURE: f32 = 70.0;
/// By how much another script has to be better: noise is as bad in one as in the other.
const BETTER: f32 = 8.0;
/// Parts of a page that are read in the other scripts in vain: noise looks foreign in all of them.
const VAIN: u32 = 2;

/// The packs that are read together, joined by `+` as Tesseract has it: one group a script, groups and packs in the
/// order they come in.
pub fn groups(languages: &str) -> Vec<String> {
    let mut groups: Vec<(&str, String)> = Vec::new();
    for pack in languages.split('+') {
        let script = script(pack);
        match groups.iter_mut().find(|(of, _)| *of == script) {
            Some((_, packs)) => *packs = format!("{packs}+{pack}"),
            None => groups.push((script, pack.to_owned())),
        }
    }
    groups.into_iter().map(|(_, packs)| packs).collect()
}

/// The script of a pack of tesseract-ocr/tessdata, most of which are Latin.
fn script(pack: &str) -> &str {
    // `script/Cyrillic`, `chi_sim_vert`, `rus_old`.
    let pack = pack.strip_prefix("script/").unwrap_or(pack);
    match pack {
        "aze_cyrl" | "uzb_cyrl" => return "Cyrillic",
        "srp_latn" => return "Latin",
        _ => {}
    }
    match pack.split('_').next().unwrap_or(pack) {
        "rus" | "ukr" | "bel" | "bul" | "srp" | "mkd" | "kaz" | "kir" | "mon" | "tgk" | "tat" => "Cyrillic",
        "ell" | "grc" => "Greek",
        // Japanese and Chinese share their characters, but neither reads the other.
        "jpn" | "Japanese" => "Japanese",
        "chi" | "HanS" | "HanT" => "Han",
        "kor" | "Hangul" => "Hangul",
        "ara" | "fas" | "urd" | "pus" | "uig" | "snd" => "Arabic",
        "heb" | "yid" => "Hebrew",
        "hin" | "mar" | "nep" | "san" => "Devanagari",
        "ben" | "asm" => "Bengali",
        "amh" | "tir" => "Ethiopic",
        own @ ("tha" | "kat" | "hye" | "tam" | "tel" | "kan" | "mal" | "guj" | "pan" | "ori" | "sin"
        | "khm" | "lao" | "mya" | "bod" | "dzo" | "div" | "syr" | "chr" | "iku") => own,
        // `script/Thai` is a script of its own, `script/Latin` and all others are this one.
        own if own.starts_with(|c: char| c.is_ascii_uppercase()) && own != "Latin" => own,
        _ => "Latin",
    }
}

/// The script of a page as far as it was read.
#[derive(Debug, Default)]
pub struct Guess {
    group: usize,
    vain: u32,
}

impl Guess {
    /// Reads the next part: `read` reads it with one of `groups` groups of packs, and says with which mean confidence.
    pub fn read<T>(&mut self, groups: usize, mut read: impl FnMut(usize) -> (f32, T)) -> T {
        let first = self.group;
        let (mut best, mut text) = read(first);
        if best >= SURE || self.vain >= VAIN {
            return text;
        }
        for other in (0..groups).filter(|&other| other != first) {
            let (confidence, reading) = read(other);
            if confidence > best + BETTER {
                (best, text, self.group) = (confidence, reading, other);
            }
            if best >= SURE {
                break;
            }
        }
        self.vain += u32::from(self.group == first);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packs_of_a_script_are_read_together() {
        assert_eq!(groups("eng"), ["eng"]);
        assert_eq!(groups("eng+rus+spa+ukr+jpn"), ["eng+spa", "rus+ukr", "jpn"]);
        assert_eq!(groups("srp+srp_latn+deu_latf"), ["srp", "srp_latn+deu_latf"]);
        assert_eq!(
            groups("script/Latin+script/Cyrillic+chi_sim_vert+script/HanS+eng+rus"),
            ["script/Latin+eng", "script/Cyrillic+rus", "chi_sim_vert+script/HanS"]
        );
        assert_eq!(groups("script/Thai+tha+script/Thaana").len(), 3);
    }

    /// Confidences of the groups on each part of a page; which group's text was taken, and how often was read.
    fn taken<const N: usize>(page: &[[f32; N]]) -> (Vec<usize>, usize) {
        let (mut guess, mut readings) = (Guess::default(), 0);
        let mut part = |part: &[f32; N]| {
            guess.read(N, |group| {
                readings += 1;
                (part[group], group)
            })
        };
        (page.iter().map(&mut part).collect(), readings)
    }

    #[test]
    fn a_page_of_the_first_script_is_read_once() {
        assert_eq!(taken(&[[94.0, 50.0, 10.0], [75.0, 99.0, 10.0]]), (vec![0, 0], 2));
    }

    #[test]
    fn a_page_of_another_script_is_read_on_in_that() {
        assert_eq!(taken(&[[53.0, 95.0, 10.0], [60.0, 96.0, 10.0]]), (vec![1, 1], 3));
        assert_eq!(taken(&[[53.0, 20.0, 80.0]]), (vec![2], 3));
        // What follows in the first script is read in that.
        assert_eq!(taken(&[[53.0, 95.0], [94.0, 50.0]]), (vec![1, 0], 4));
    }

    #[test]
    fn noise_is_not_read_in_every_script_to_its_end() {
        assert_eq!(taken(&[[40.0, 44.0]; 9]), (vec![0; 9], 9 + 2));
        // Nor is there another script where only one is configured.
        assert_eq!(taken(&[[40.0]; 3]), (vec![0; 3], 3));
    }
}
