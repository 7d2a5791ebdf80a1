//! Many figures in three.

/// The median, and the quartiles around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Summary {
    pub(crate) median: f64,
    pub(crate) quartiles: [f64; 2],
}

impl Summary {
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Self {
            median: quantile(&sorted, 0.5),
            quartiles: [0.25, 0.75].map(|part| quantile(&sorted, part)),
        }
    }

    pub(crate) fn spread(&self) -> f64 {
        self.quartiles[1] - self.quartiles[0]
    }
}

/// Between two figures, as far as `part` is.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = part * sorted.len().saturating_sub(1) as f64;
    let at = |place: f64| sorted.get(place as usize).copied().unwrap_or(f64::NAN);
    let (low, high) = (at(place.floor()), at(place.ceil()));
    low + (high - low) * place.fract()
}
