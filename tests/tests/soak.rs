//! The short form of `cargo xtask soak`.

use std::time::Duration;

use anyhow::Result;
use tests::soak;

#[test]
fn no_request_fails_in_an_operator_s_bad_minute() -> Result<()> {
    let summary = soak::run(Duration::from_secs(45), 7)?;
    assert!(summary.acts > 20 && summary.crashes > 0, "{summary:?}");
    assert!(summary.pages > 1000 && summary.downloads > 4, "{summary:?}");
    Ok(())
}
