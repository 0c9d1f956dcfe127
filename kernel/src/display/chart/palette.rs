//! Colours that are told apart by people who see few, on a light page and on a dark one.
//!
//! They follow Okabe and Ito's, made darker or lighter until each has a contrast of at least 3 on
//! white, on the `#111` of `JupyterLab`'s dark theme and on the `#333` behind Vega's. What leaves
//! little between light and dark: lines differ in their dashes as well, and points in their shapes.

/// One of red, green and blue for each.
pub(super) type Color = (u8, u8, u8);

/// The colours of names, in order.
pub(super) const COLORS: [Color; 7] = [
    (0x2f, 0x86, 0xc6),
    (0xc6, 0x78, 0x00),
    (0x00, 0x95, 0x6d),
    (0xc4, 0x62, 0x9c),
    (0x8c, 0x83, 0x2c),
    (0xe0, 0x57, 0x3a),
    (0x80, 0x80, 0x80),
];

/// Text and axes. No colour has a contrast of 4.5 on white and on `#111` alike; this one has 4.3 on both.
pub(super) const INK: Color = (0x79, 0x79, 0x79);

/// Shades of an amount, from least to most, at even distances: those of viridis without its ends,
/// which vanish on dark and on white pages.
pub(super) const SHADES: [Color; 7] = [
    (0x48, 0x28, 0x78),
    (0x3e, 0x4a, 0x89),
    (0x31, 0x68, 0x8e),
    (0x26, 0x82, 0x8e),
    (0x1f, 0x9e, 0x89),
    (0x6d, 0xcd, 0x59),
    (0xd2, 0xe2, 0x1b),
];

/// The dashes of lines: pixels drawn and left out in turn; all drawn where there are none.
pub(super) const DASHES: [&[u32]; 7] = [
    &[],
    &[8, 3],
    &[2, 2],
    &[10, 3, 2, 3],
    &[5, 5],
    &[14, 4],
    &[2, 5],
];

/// `#rrggbb`.
pub(super) fn hex((r, g, b): Color) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// The shade of an amount between 0 and 1.
pub(super) fn shade(share: f64) -> Color {
    let place = share.clamp(0.0, 1.0) * (SHADES.len() - 1) as f64;
    let at = (place as usize).min(SHADES.len() - 2);
    let part = place - at as f64;
    let mix = |a: u8, b: u8| (f64::from(a) + (f64::from(b) - f64::from(a)) * part).round() as u8;
    let ((r, g, b), (r2, g2, b2)) = (SHADES[at], SHADES[at + 1]);
    (mix(r, r2), mix(g, g2), mix(b, b2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WCAG 2's contrast of two colours.
    fn contrast(a: Color, b: Color) -> f64 {
        let channel = |value: u8| {
            let value = f64::from(value) / 255.0;
            match value <= 0.040_45 {
                true => value / 12.92,
                false => ((value + 0.055) / 1.055).powf(2.4),
            }
        };
        let luminance =
            |(r, g, b): Color| 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn colours_are_seen_on_light_pages_and_on_dark_ones() {
        for page in [(0xff, 0xff, 0xff), (0x33, 0x33, 0x33), (0x11, 0x11, 0x11)] {
            for color in COLORS {
                let contrast = contrast(color, page);
                assert!(contrast >= 3.0, "{} on {page:?}: {contrast}", hex(color));
            }
        }
        for page in [(0xff, 0xff, 0xff), (0x11, 0x11, 0x11)] {
            assert!(
                contrast(INK, page) >= 4.3,
                "{page:?}: {}",
                contrast(INK, page)
            );
        }
    }

    #[test]
    fn a_shade_lies_between_its_neighbours() {
        assert_eq!(shade(0.0), SHADES[0]);
        assert_eq!(shade(1.0), SHADES[6]);
        assert_eq!(shade(0.5), SHADES[3]);
        assert_eq!(shade(7.0), SHADES[6]);
        assert_eq!(hex(shade(0.25 / 3.0)), "#433981");
    }
}
