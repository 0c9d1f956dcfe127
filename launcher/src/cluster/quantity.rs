//! Amounts as Kubernetes writes them.

/// Thousandths of a unit: of a processor, of a byte, of a thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Amount(i128);

/// What stands behind a number, and how many thousandths one of it is.
const SUFFIXES: [(&str, i128); 13] = [
    ("Ki", 1000 << 10),
    ("Mi", 1000 << 20),
    ("Gi", 1000 << 30),
    ("Ti", 1000 << 40),
    ("Pi", 1000 << 50),
    ("Ei", 1000 << 60),
    ("k", 1_000_000),
    ("M", 1_000_000_000),
    ("G", 1_000_000_000_000),
    ("T", 1_000_000_000_000_000),
    ("P", 1_000_000_000_000_000_000),
    ("E", 1_000_000_000_000_000_000_000),
    ("m", 1),
];

impl Amount {
    /// None of it.
    pub(crate) const NONE: Self = Self(0);

    /// So many whole ones.
    pub(crate) const fn of(count: i128) -> Self {
        Self(count * 1000)
    }

    /// Reads a quantity, such as `100m`, `1.5`, `512Mi` or `1e3`. What is less than a thousandth is
    /// rounded up, as Kubernetes does for processors.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Some((number, power)) = text.split_once(['e', 'E'])
            && let Ok(power) = power.parse::<u32>()
        {
            return scaled(number, 10_i128.checked_pow(power)?.checked_mul(1000)?);
        }
        let (number, unit) = SUFFIXES
            .iter()
            .find_map(|(suffix, unit)| Some((text.strip_suffix(suffix)?, *unit)))
            .unwrap_or((text, 1000));
        scaled(number, unit)
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    pub(crate) fn less(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// How many times `one` is in it; as often as you like, where one is nothing.
    pub(crate) fn holds(self, one: Self) -> u32 {
        if one.0 <= 0 {
            return u32::MAX;
        }
        u32::try_from(self.0.max(0) / one.0).unwrap_or(u32::MAX)
    }

    /// As people say it of a resource: `0.5 processors`, `1.5 GiB`, `3`.
    pub(crate) fn words(self, resource: &str) -> String {
        let bare = resource.rsplit('.').next().unwrap_or(resource);
        if bare == "cpu" {
            return match self.0 {
                1000 => "1 processor".to_owned(),
                _ => format!("{} processors", decimal(self.0)),
            };
        }
        let in_bytes = ["memory", "ephemeral-storage", "storage"].contains(&bare);
        if !in_bytes {
            return decimal(self.0);
        }
        let (unit, name) = [(40, "TiB"), (30, "GiB"), (20, "MiB")]
            .into_iter()
            .find(|(power, _)| self.0.abs() >= 1000 << power)
            .unwrap_or((10, "KiB"));
        format!("{} {name}", decimal(self.0 >> unit))
    }
}

/// Thousandths as a number with two decimals at most.
fn decimal(thousandths: i128) -> String {
    let sign = if thousandths < 0 { "-" } else { "" };
    let hundredths = (thousandths.abs() + 5) / 10;
    let text = format!("{sign}{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn scaled(number: &str, unit: i128) -> Option<Amount> {
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => (-1, number),
        None => (1, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && part.is_empty() {
        return None;
    }
    let digits = |text: &str| match text {
        "" => Some(0),
        text if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse::<i128>().ok(),
        _ => None,
    };
    // More places than any unit has thousandths make no difference.
    let part = part.get(..part.len().min(12))?;
    let places = 10_i128.checked_pow(u32::try_from(part.len()).ok()?)?;
    let whole = digits(whole)?.checked_mul(unit)?;
    let part = digits(part)?.checked_mul(unit)?;
    let total = whole.checked_add((part + places - 1) / places)?;
    Some(Amount(sign * total))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantities_are_read_as_kubernetes_does() {
        for (text, thousandths) in [
            ("0", Some(0)),
            ("1", Some(1000)),
            ("100m", Some(100)),
            ("1.5", Some(1500)),
            (".5", Some(500)),
            ("0.0001", Some(1)),
            ("1k", Some(1_000_000)),
            ("1e3", Some(1_000_000)),
            ("1E3", Some(1_000_000)),
            ("1E", Some(1_000_000_000_000_000_000_000)),
            ("1Ki", Some(1_024_000)),
            ("1.5Gi", Some(1_610_612_736_000)),
            ("-2", Some(-2000)),
            ("", None),
            ("Gi", None),
            ("1 Gi", None),
            ("1Gb", None),
            ("many", None),
        ] {
            assert_eq!(Amount::read(text), thousandths.map(Amount), "{text}");
        }
    }

    #[test]
    fn amounts_are_said_as_people_say_them() {
        for (text, resource, words) in [
            ("200m", "requests.cpu", "0.2 processors"),
            ("1", "cpu", "1 processor"),
            ("16", "cpu", "16 processors"),
            ("1536Mi", "limits.memory", "1.5 GiB"),
            ("100Mi", "memory", "100 MiB"),
            ("2000Gi", "requests.storage", "1.95 TiB"),
            ("12Ki", "memory", "12 KiB"),
            ("0", "memory", "0 KiB"),
            ("2", "requests.nvidia.com/gpu", "2"),
            ("-1", "pods", "-1"),
        ] {
            let amount = Amount::read(text).unwrap();
            assert_eq!(amount.words(resource), words);
        }
    }

    #[test]
    fn it_is_counted_how_often_one_is_in_another() {
        let amount = |text: &str| Amount::read(text).unwrap();
        for (all, one, times) in [
            ("1Gi", "512Mi", 2),
            ("1", "300m", 3),
            ("-1", "1", 0),
            ("1", "0", u32::MAX),
        ] {
            assert_eq!(amount(all).holds(amount(one)), times);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_not(text in "[-+.0-9eEKMGmi]{0,40}") {
            let _read = Amount::read(&text);
        }

        #[test]
        fn whole_numbers_are_themselves(number in 0_i64..i64::MAX) {
            prop_assert_eq!(Amount::read(&number.to_string()), Some(Amount::of(number.into())));
        }
    }
}
