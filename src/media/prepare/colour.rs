//! Letters that are as bright as their ground and of another colour: magenta on green, orange on blue.

/// Pixels that are looked at, about.
const SAMPLE: usize = 4000;
/// How brightness is made of the channels, as in [`crate::media::raster`].
const BRIGHTNESS: [f32; 3] = [0.299, 0.587, 0.114];
/// Part of what the colours differ by in their main direction, below which brightness is blind: squares of distances.
const BLIND: f32 = 0.08;
/// Variance in the main direction from which there is something to see.
const LEAST: f32 = 300.0;
/// Steps of the power method.
const STEPS: usize = 12;

/// The pixels by where they lie in the direction in which colours differ most (the first principal component), where
/// brightness shows hardly any of that; else `None`, nearly always.
pub fn difference(pixels: &[[u8; 3]]) -> Option<Vec<u8>> {
    // An odd step, lest every other column is left out.
    let step = (pixels.len() / SAMPLE) | 1;
    let sample = || pixels.iter().step_by(step).map(|pixel| pixel.map(f32::from));
    let count = sample().count() as f32;
    let mut mean = [0.0f32; 3];
    for pixel in sample() {
        (0..3).for_each(|channel| mean[channel] += pixel[channel] / count);
    }
    let mut covariance = [[0.0f32; 3]; 3];
    for pixel in sample() {
        let away = [0, 1, 2].map(|channel| pixel[channel] - mean[channel]);
        for (row, a) in covariance.iter_mut().zip(away) {
            row.iter_mut().zip(away).for_each(|(sum, b)| *sum += a * b / count);
        }
    }
    let times = |vector: [f32; 3]| covariance.map(|row| dot(row, vector));
    let mut axis = [0.7, 0.2, -0.6];
    for _ in 0..STEPS {
        axis = unit(times(axis))?;
    }
    let along = dot(axis, times(axis));
    let grey = unit(BRIGHTNESS)?;
    if along < LEAST || dot(grey, times(grey)) > along * BLIND {
        return None;
    }
    let place = |pixel: &[u8; 3]| 128.0 + dot(pixel.map(f32::from), axis) - dot(mean, axis);
    Some(pixels.iter().map(|pixel| place(pixel) as u8).collect())
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn unit(vector: [f32; 3]) -> Option<[f32; 3]> {
    let length = dot(vector, vector).sqrt();
    (length > f32::EPSILON).then(|| vector.map(|part| part / length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(ink: [u8; 3], ground: [u8; 3]) -> Vec<[u8; 3]> {
        (0..6000).map(|at| if at % 7 == 0 { ink } else { ground }).collect()
    }

    #[test]
    fn colours_as_bright_as_each_other_are_told_apart() {
        for (ink, ground) in [([200, 0, 200], [60, 150, 60]), ([255, 120, 0], [120, 160, 255])] {
            let plane = difference(&picture(ink, ground)).expect("a plane");
            assert!(plane[0].abs_diff(plane[1]) > 120, "{} {}", plane[0], plane[1]);
        }
    }

    #[test]
    fn brightness_does_where_it_shows_them() {
        let pairs =
            [([0; 3], [255; 3]), ([200, 0, 0], [255; 3]), ([255, 255, 0], [0, 0, 120]), ([90; 3], [90; 3])];
        for (ink, ground) in pairs {
            assert_eq!(difference(&picture(ink, ground)), None, "{ink:?} {ground:?}");
        }
        assert_eq!(difference(&[]), None);
    }
}
