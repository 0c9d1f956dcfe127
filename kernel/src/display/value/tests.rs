//! What floats are written as.

use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn plain_floats_are_the_shortest_text_that_reads_back(value in prop_oneof![-1e15..1e15, -1.0..1.0, prop::num::f64::NORMAL]) {
        prop_assume!(is_plain(value));
        let mut written = String::new();
        push_shortest(&mut written, value);
        prop_assert_eq!(written.parse::<f64>().unwrap(), value);
        // Of two that are as short and as near, either will do.
        let shortest = value.to_string();
        prop_assert_eq!(written.trim_end_matches(".0").len(), shortest.len(), "{}", shortest);
    }

    #[test]
    fn narrow_floats_are_not_widened(value in prop_oneof![-1e10_f32..1e10, -1.0_f32..1.0]) {
        prop_assume!(is_plain(value.wide()));
        let mut written = String::new();
        push_shortest(&mut written, value);
        prop_assert_eq!(written.parse::<f32>().unwrap(), value);
        prop_assert_eq!(written.trim_end_matches(".0"), value.to_string());
    }
}
