//! How results, progress and errors look: values in, MIME bundles out.
//!
//! Every bundle holds text/plain. Nothing here knows a socket, a driver or a clock, and every
//! string from outside is escaped where it is written: HTML never gets an element or an attribute
//! name from data, and text never gets a control character.

pub mod error;
mod facts;
mod html;
mod line;
mod progress;
mod table;
mod text;
mod time;
mod types;
mod value;
mod zone;

use jupyter_protocol::{Media, MediaType};

pub use facts::{Facts, Remaining, footer};
pub use line::{Lifetime, answer};
pub use progress::{running, should_update, starting};
pub use table::table;
pub use types::spark_type;
pub use zone::Zone;

/// Text as it is, for what the kernel itself says.
pub fn plain(text: impl Into<String>) -> Media {
    Media::new(vec![MediaType::Plain(text.into())])
}

fn bundle(html: String, plain: String) -> Media {
    Media::new(vec![MediaType::Html(html), MediaType::Plain(plain)])
}
