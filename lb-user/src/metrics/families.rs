//! Families of samples, one after the other. One without samples is left out.

use std::fmt;

use prometheus_client::{
    encoding::{
        DescriptorEncoder, EncodeCounterValue, EncodeGaugeValue, EncodeLabelSet, MetricEncoder,
        NoLabelSet,
    },
    metrics::MetricType,
    registry::Unit,
};

/// Without a label.
pub(super) const NONE: [(&str, &str); 0] = [];

pub(super) struct Families<'a>(pub(super) DescriptorEncoder<'a>);

/// Name without unit, unit, help.
pub(super) type Named<'n> = (&'n str, Option<Unit>, &'n str);

/// A family, and where its values are in what there is of each sample.
pub(super) type Read<'n, T, V> = (Named<'n>, fn(&T) -> V);

impl Families<'_> {
    pub(super) fn gauge<L: EncodeLabelSet, V: EncodeGaugeValue>(
        &mut self,
        named: Named<'_>,
        samples: impl IntoIterator<Item = (L, V)>,
    ) -> fmt::Result {
        self.family(named, MetricType::Gauge, samples, |encoder, value| {
            encoder.encode_gauge(value)
        })
    }

    pub(super) fn counter<L: EncodeLabelSet, V: EncodeCounterValue>(
        &mut self,
        named: Named<'_>,
        samples: impl IntoIterator<Item = (L, V)>,
    ) -> fmt::Result {
        self.family(named, MetricType::Counter, samples, |encoder, value| {
            encoder.encode_counter::<NoLabelSet, _, u64>(value, None)
        })
    }

    fn family<L: EncodeLabelSet, V>(
        &mut self,
        (name, unit, help): Named<'_>,
        kind: MetricType,
        samples: impl IntoIterator<Item = (L, V)>,
        encode: impl Fn(&mut MetricEncoder<'_>, &V) -> fmt::Result,
    ) -> fmt::Result {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return Ok(());
        }
        let mut family = self.0.encode_descriptor(name, help, unit.as_ref(), kind)?;
        samples.try_for_each(|(labels, value)| encode(&mut family.encode_family(&labels)?, &value))
    }
}
