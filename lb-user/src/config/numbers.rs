//! Numbers in a file, and their limits.

use std::time::Duration;

use toml::Spanned;

use super::{Error, Source};

/// Returns a key's number, or the default if it is not given.
pub(super) fn number(
    source: &Source,
    key: &str,
    value: Option<&Spanned<i64>>,
    (least, most): (i64, i64),
    default: u32,
) -> Result<u32, Error> {
    let Some(value) = value else {
        return Ok(default);
    };
    let number = Some(*value.get_ref()).filter(|it| (least..=most).contains(it));
    let number = number.and_then(|it| u32::try_from(it).ok());
    number.ok_or_else(|| source.error(value.span(), format!("`{key}` is from {least} to {most}")))
}

/// Likewise, of seconds.
pub(super) fn seconds(
    source: &Source,
    key: &str,
    value: Option<&Spanned<f64>>,
    (least, most): (f64, f64),
    default: f64,
) -> Result<Duration, Error> {
    let seconds = value.map_or(default, |it| *it.get_ref());
    match value.filter(|_| !(least..=most).contains(&seconds)) {
        None => Ok(Duration::from_secs_f64(seconds)),
        Some(it) => {
            let what = format!("`{key}` is from {least} to {most} seconds");
            Err(source.error(it.span(), what))
        }
    }
}
