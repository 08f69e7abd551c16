//! ROC and reliability plots, as SVG.

use plotters::prelude::*;

use crate::bayes::metrics::Metrics;

type Drawn = Result<String, Box<dyn std::error::Error>>;

const SIZE: (u32, u32) = (640, 480);
const COLOURS: [RGBColor; 5] = [BLUE, RED, RGBColor(0, 140, 0), MAGENTA, BLACK];

fn colour(number: usize) -> RGBColor {
    COLOURS[number % COLOURS.len()]
}

/// The errors of both kinds against each other on logarithmic axes, as most of it lies below one percent.
pub(super) fn roc(models: &[(String, Metrics)]) -> Drawn {
    // Zero has no place on a logarithmic axis: half of one message stands for none.
    let least = models.iter().fold([1.0f64; 2], |[ham, spam], (_, metrics)| {
        let (spams, hams) = metrics.messages();
        [ham.min(50.0 / hams as f64), spam.min(50.0 / spams as f64)]
    });
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(60)
            .build_cartesian_2d((least[0]..100.0).log_scale(), (least[1]..100.0).log_scale())?;
        chart.configure_mesh().x_desc("ham lost, %").y_desc("spam missed, %").draw()?;
        for (number, (name, metrics)) in models.iter().enumerate() {
            let points = metrics.curve().into_iter().map(|point| {
                ((100.0 * point.ham_lost).max(least[0]), (100.0 * point.spam_missed).max(least[1]))
            });
            let label = format!("{name}: 1-AUC {:.4} %", metrics.area_above());
            chart.draw_series(LineSeries::new(points, colour(number).stroke_width(2)))?.label(label).legend(
                move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour(number).stroke_width(2)),
            );
        }
        chart.configure_series_labels().background_style(WHITE.mix(0.8)).border_style(BLACK).draw()?;
        area.present()?;
    }
    Ok(svg)
}

/// Bins of a reliability plot.
const BINS: usize = 10;

/// What probabilities said against what was: on the diagonal, 0.9 means nine of ten.
pub(super) fn reliability(models: &[(String, Metrics)]) -> Drawn {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(60)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)?;
        chart.configure_mesh().x_desc("probability said").y_desc("share of spam").draw()?;
        chart.draw_series(LineSeries::new([(0.0, 0.0), (1.0, 1.0)], BLACK.mix(0.3)))?;
        for (number, (name, metrics)) in models.iter().enumerate() {
            let bins = metrics.reliability(BINS);
            let points: Vec<(f64, f64)> = bins.iter().map(|bin| (bin.said, bin.was)).collect();
            chart
                .draw_series(LineSeries::new(points.iter().copied(), colour(number)))?
                .label(name.as_str())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour(number)));
            let circles = bins.iter().map(|bin| {
                // Larger with more messages, by orders of magnitude.
                let size = 2 + 2 * bin.messages.max(1).ilog10().min(6) as i32;
                Circle::new((bin.said, bin.was), size, colour(number).filled())
            });
            chart.draw_series(circles)?;
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()?;
        area.present()?;
    }
    Ok(svg)
}
