//! Names as they are and as they are typed.

use crate::cell::name;

/// A name without its backticks.
pub(super) fn unquoted(text: &str) -> String {
    match text.strip_prefix('`') {
        Some(rest) => rest.strip_suffix('`').unwrap_or(rest).replace("``", "`"),
        None => text.to_owned(),
    }
}

/// A name as SQL takes it: in backticks where it needs them, or where one is open already.
pub(super) fn quoted(name: &str, open: bool) -> String {
    match open {
        true => name::quoted(name),
        false => name::part_as_typed(name),
    }
}

/// How well a name fits what is typed: 0 for a prefix, 1 for one in another case, 2 for a piece
/// from within.
pub(super) fn fit(name: &str, typed: &str) -> Option<u8> {
    if name.starts_with(typed) {
        return Some(0);
    }
    let (name_bytes, typed_bytes) = (name.as_bytes(), typed.as_bytes());
    let mut windows = name_bytes.windows(typed_bytes.len().max(1));
    match windows.position(|window| window.eq_ignore_ascii_case(typed_bytes))? {
        0 => Some(1),
        _ => Some(2),
    }
}
