//! What is a real server's in keepalived and a service's here: taken from the first, told of the others.

use super::{
    super::{keys::Keys, notes::Notes},
    real::Real,
};

/// Returns the check of the first real server that has one.
pub(super) fn check(reals: &[Real], notes: &mut Notes) -> Keys {
    let mut checked = reals.iter().filter_map(|it| Some((it, it.check.as_ref()?)));
    let Some((first, (place, keys))) = checked.next() else {
        return Keys::default();
    };
    for real in reals {
        let Some((own, other)) = &real.check else {
            let what = format!(
                "{}: it has no check, and is asked what {} is, line {}",
                real.title, first.title, place.line
            );
            notes.left(&real.real.place, what);
            continue;
        };
        let differences = other.differences(keys);
        if !differences.is_empty() {
            let what = format!(
                "{}: a service has one check, that of {}, line {}; here: {differences}",
                real.title, first.title, place.line
            );
            notes.left(own, what);
        }
    }
    keys.clone()
}

/// Returns whether the first real server is inhibited on failure.
pub(super) fn inhibits(reals: &[Real], notes: &mut Notes) -> bool {
    let Some(first) = reals.first() else {
        return false;
    };
    for other in reals.iter().filter(|it| it.inhibits != first.inhibits) {
        let what = format!(
            "{}: inhibit_on_failure is a service's, and as of {}",
            other.title, first.title
        );
        notes.left(&other.real.place, what);
    }
    first.inhibits
}
