//! The status page for browsers: one document that needs nothing from elsewhere, and what it reads.

mod board;

use std::sync::LazyLock;

use axum::{
    http::header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
        X_CONTENT_TYPE_OPTIONS,
    },
    response::{Html, IntoResponse as _, Response},
};
use data_encoding::BASE64;
use sha2::{Digest as _, Sha256};

pub(super) use self::board::{Boards, board};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = concat!(
    include_str!("page.js"),
    include_str!("sparkline.js"),
    include_str!("members.js"),
    include_str!("filter.js"),
    include_str!("director.js"),
    include_str!("alarms.js"),
    include_str!("ask.js"),
);

/// Between the tags: to the octet what its hash in the policy is of.
static PAGE: LazyLock<String> = LazyLock::new(|| {
    include_str!("page.html")
        .replace("{style}", STYLE)
        .replace("{script}", SCRIPT)
});

/// Nothing but the page's own style and script, and nobody to talk to but this listener (CSP Level 3).
static POLICY: LazyLock<String> = LazyLock::new(|| {
    format!(
        "default-src 'none'; style-src {}; script-src {}; connect-src 'self'; img-src data:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        source(STYLE),
        source(SCRIPT)
    )
});

fn source(text: &str) -> String {
    format!("'sha256-{}'", BASE64.encode(&Sha256::digest(text)))
}

pub(super) async fn page() -> Response {
    let headers = [
        (CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        // Another version's page would not know this one's answers.
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, Html(PAGE.as_str())).into_response()
}

/// JSON that is of now alone, and taken for nothing else.
fn json(text: bytes::Bytes) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/json"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, text).into_response()
}
