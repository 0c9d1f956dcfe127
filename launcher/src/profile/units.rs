//! Lengths of time and amounts of memory as people write them.

use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A length of time: a whole number and one of `s`, `m`, `h`, `d`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[0-9]+[smhd]$", "examples" = ["60s", "15m", "2h"]))]
pub struct Span(Duration);

impl Span {
    /// So many seconds.
    pub const fn seconds(count: u64) -> Self {
        Self(Duration::from_secs(count))
    }

    /// As the clock counts it.
    pub const fn duration(self) -> Duration {
        self.0
    }
}

/// The longest [`Span`]: what is longer is a mistake.
const LONGEST: u64 = 366 * 24 * 3600;

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no length of time: write 60s, 15m, 2h or 1d");
        let (count, unit) = split(&text).ok_or_else(wrong)?;
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 24 * 3600,
            _ => return Err(wrong()),
        };
        match count.checked_mul(unit) {
            Some(seconds) if seconds <= LONGEST => Ok(Self::seconds(seconds)),
            _ => Err(format!("`{text}` is longer than a year")),
        }
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

/// In the largest unit that shows it whole.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        let (count, unit) = [(86_400, "d"), (3600, "h"), (60, "m")]
            .into_iter()
            .find(|(size, _)| seconds > 0 && seconds.is_multiple_of(*size))
            .map_or((seconds, "s"), |(size, unit)| (seconds / size, unit));
        write!(f, "{count}{unit}")
    }
}

/// An amount of memory: a whole number and one of `m`, `g`, `t` (binary, as Spark counts), or
/// Kubernetes' `Mi`, `Gi`, `Ti`, which are the same.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(extend("pattern" = "^[0-9]+([mgt]|[MGT]i)$", "examples" = ["512m", "4g", "16Gi"]))]
pub struct Memory(u64);

/// Bytes in a mebibyte.
const MEBI: u64 = 1 << 20;

impl Memory {
    /// The least heap a driver is started with. Spark refuses less than 450 MiB of what the JVM says
    /// it has, which with most collectors is less than what it was given (`UnifiedMemoryManager`).
    pub const LEAST_DRIVER: Self = Self::mebibytes(512);

    /// The least heap that Spark gives an executor (`INVALID_EXECUTOR_MEMORY`).
    pub const LEAST_EXECUTOR: Self = Self::mebibytes(450);

    /// So many mebibytes.
    pub const fn mebibytes(count: u64) -> Self {
        Self(count * MEBI)
    }

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// In mebibytes, rounded down.
    pub const fn in_mebibytes(self) -> u64 {
        self.0 / MEBI
    }

    /// That of so many bytes, rounded down to mebibytes.
    pub const fn of_bytes(bytes: u64) -> Self {
        Self(bytes / MEBI * MEBI)
    }
}

impl TryFrom<String> for Memory {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no amount of memory: write 512m, 4g or 16Gi");
        let (count, unit) = split(&text).ok_or_else(wrong)?;
        let shift = match unit {
            "m" | "Mi" => 0,
            "g" | "Gi" => 10,
            "t" | "Ti" => 20,
            _ => return Err(wrong()),
        };
        // Below a pebibyte nothing overflows, and no machine has more.
        if count == 0 || count >= 1 << (30 - shift) {
            return Err(wrong());
        }
        Ok(Self::mebibytes(count << shift))
    }
}

impl From<Memory> for String {
    fn from(memory: Memory) -> Self {
        memory.to_string()
    }
}

/// As Spark and Java write it.
impl fmt::Display for Memory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mebibytes = self.in_mebibytes();
        if mebibytes >= 1024 && mebibytes.is_multiple_of(1024) {
            write!(f, "{}g", mebibytes / 1024)
        } else {
            write!(f, "{mebibytes}m")
        }
    }
}

fn split(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    Some((count.parse().ok()?, unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_written() {
        for (text, seconds, written) in [
            ("60s", 60, "1m"),
            ("90s", 90, "90s"),
            ("15m", 900, "15m"),
            ("2h", 7200, "2h"),
            ("48h", 172_800, "2d"),
            ("0s", 0, "0s"),
        ] {
            let span = Span::try_from(text.to_owned()).unwrap();
            assert_eq!(span, Span::seconds(seconds), "{text}");
            assert_eq!(span.to_string(), written);
        }
        for wrong in [
            "",
            "15",
            "m",
            "15 m",
            "-1s",
            "1.5h",
            "15min",
            "9999999d",
            "99999999999999999999s",
        ] {
            assert!(Span::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn memory_is_read_and_written() {
        for (text, mebibytes, written) in [
            ("512m", 512, "512m"),
            ("4g", 4096, "4g"),
            ("16Gi", 16_384, "16g"),
            ("1500Mi", 1500, "1500m"),
            ("1t", 1 << 20, "1024g"),
        ] {
            let memory = Memory::try_from(text.to_owned()).unwrap();
            assert_eq!(memory, Memory::mebibytes(mebibytes), "{text}");
            assert_eq!(memory.to_string(), written);
        }
        for wrong in [
            "",
            "4",
            "4k",
            "0g",
            "4 g",
            "4gb",
            "-1g",
            "1.5g",
            "99999999999t",
        ] {
            assert!(Memory::try_from(wrong.to_owned()).is_err(), "{wrong}");
        }
    }
}
