//! Latency over the load that was offered, as SVG.

use std::{error::Error, path::Path};

use plotters::prelude::*;

use super::tally::Report;

/// Draws the percentiles of each step; both axes are logarithmic.
pub(super) fn write(path: &Path, steps: &[Report]) -> Result<(), Box<dyn Error>> {
    let loads = || steps.iter().filter_map(|step| step.rate);
    let (least, most) = (loads().fold(f64::MAX, f64::min), loads().fold(0.0, f64::max));
    let slowest = steps.iter().map(|step| step.tally.percentiles()[4].1).fold(1.0, f64::max);
    let area = SVGBackend::new(path, (900, 540)).into_drawing_area();
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&area)
        .caption("Latency from the intended send time", ("sans-serif", 20))
        .margin(12)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d((least * 0.9..most * 1.1).log_scale(), (0.01..slowest * 1.5).log_scale())?;
    chart.configure_mesh().x_desc("messages a second offered").y_desc("ms").draw()?;
    let colours = [BLUE, CYAN, MAGENTA, RED, BLACK];
    for (index, colour) in colours.into_iter().enumerate() {
        let point = |step: &Report| Some((step.rate?, step.tally.percentiles()[index].1.max(0.01)));
        let name = steps.first().map_or("", |step| step.tally.percentiles()[index].0);
        chart
            .draw_series(LineSeries::new(steps.iter().filter_map(point), colour.stroke_width(2)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        chart.draw_series(
            steps.iter().filter_map(point).map(|point| Circle::new(point, 3, colour.filled())),
        )?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK)
        .draw()?;
    area.present()?;
    Ok(())
}
