//! SMTP_CHECK.

use super::{
    super::{keys::Keys, notes::Notes},
    check::others,
    tree::Statement,
};

pub(super) fn put(keys: &mut Keys, own: &[&Statement], notes: &mut Notes) -> bool {
    if let Some(helo) = own.iter().rev().find(|it| it.name() == "helo_name") {
        keys.put("helo", helo.argument(1));
    }
    others(own, &["helo_name"], notes)
}
