//! The name that is nearest to a mistyped one.

/// The candidate with the smallest edit distance to `typed`, if at most a third of `typed` and
/// at least one character would have to change. Case does not count.
pub(crate) fn nearest<'a>(
    typed: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let typed: Vec<char> = typed.to_lowercase().chars().collect();
    let most = (typed.len() / 3).max(1);
    candidates
        .into_iter()
        .filter_map(|candidate| Some((distance(&typed, candidate, most)?, candidate)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Insertions, deletions, replacements and swaps of neighbours that make `to` of `from`, where they
/// are `most` at most.
fn distance(from: &[char], to: &str, most: usize) -> Option<usize> {
    let to: Vec<char> = to.to_lowercase().chars().collect();
    if to.len().abs_diff(from.len()) > most {
        return None;
    }
    let mut before = vec![0; to.len() + 1];
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut next = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let replaced = row[j] + usize::from(a != b);
            let mut least = replaced.min(row[j + 1] + 1).min(next[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                least = least.min(before[j - 1] + 1);
            }
            next.push(least);
        }
        before = std::mem::replace(&mut row, next);
    }
    (row[to.len()] <= most).then_some(row[to.len()])
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_finger_finds_its_name() {
        let names = ["limit", "logs", "help", "session", "stop", "UTF_8"];
        let cases = [
            ("limt", Some("limit")),
            ("ilmit", Some("limit")),
            ("LIMIT", Some("limit")),
            ("Sesion", Some("session")),
            ("utf8", Some("UTF_8")),
            ("sessoin", Some("session")),
            ("log", Some("logs")),
            ("stpo", Some("stop")),
            ("chart", None),
            ("", None),
            (&"l".repeat(1_000_000), None),
        ];
        for (typed, expected) in cases {
            assert_eq!(nearest(typed, names), expected, "{typed}");
        }
    }
}
