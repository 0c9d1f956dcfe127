//! What is known of a name, for the person who asks at the cursor.

mod function;
mod table;

use jupyter_protocol::Media;

use super::bundle;
use super::html::{STYLE, push_escaped, push_prose};
use super::text::{cut, visible, width};

pub use function::about_function;
pub use table::{TableAbout, about_table};

/// Columns of a terminal that a line fits into.
const WIDEST: usize = 120;

/// A column of a table in the statement, with its type.
pub fn about_column(name: &str, data_type: &str) -> Media {
    let mut html = String::from(STYLE);
    html.push_str("<div><b>");
    push_escaped(&mut html, name);
    html.push_str("</b> <code>");
    push_escaped(&mut html, data_type);
    html.push_str("</code></div>");
    bundle(html, line(&format!("{name}  {data_type}")))
}

/// A magic: how it is written, and what it does.
pub fn about_magic(usage: &str, about: &str) -> Media {
    let mut html = String::from(STYLE);
    html.push_str("<div><code><b>");
    push_escaped(&mut html, usage);
    html.push_str("</b></code></div><div>");
    push_prose(&mut html, about);
    html.push_str("</div>");
    let mut text = line(usage);
    push_wrapped(&mut text, about, "  ");
    bundle(html, text)
}

/// A text as a line that fits, with everything in it visible.
fn line(text: &str) -> String {
    let text = visible(text);
    match cut(&text, WIDEST) {
        Some(start) => format!("{start}…"),
        None => text,
    }
}

/// Appends words on new lines that fit, each behind `indent`.
fn push_wrapped(out: &mut String, text: &str, indent: &str) {
    let mut room = 0;
    for word in text.split_whitespace() {
        let word = visible(word);
        let word = match cut(&word, WIDEST - indent.len()) {
            Some(start) => format!("{start}…"),
            None => word,
        };
        let wide = width(&word);
        if wide < room {
            out.push(' ');
            room -= wide + 1;
        } else {
            out.push('\n');
            out.push_str(indent);
            room = (WIDEST - indent.len()).saturating_sub(wide);
        }
        out.push_str(&word);
    }
}

#[cfg(test)]
mod tests;
