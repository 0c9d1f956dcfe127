//! How results, progress and errors look: values in, MIME bundles out.
//!
//! Every bundle holds text/plain. Nothing here knows a socket, a driver or a clock, and every
//! string from outside is escaped where it is written: HTML never gets an element or an attribute
//! name from data, and text never gets a control character.

mod about;
pub mod chart;
pub mod error;
mod facts;
mod html;
mod line;
mod note;
mod parameter;
mod plan;
mod progress;
mod rehearsal;
mod start;
mod summary;
mod table;
mod text;
mod time;
mod types;
mod value;
mod vars;
mod zone;

use jupyter_protocol::{Media, MediaType};

pub use about::{TableAbout, about_column, about_function, about_magic, about_table};
pub use facts::{Facts, Remaining};
pub(crate) use facts::{bytes, count, rows};
pub use line::{Lifetime, answer, is_table};
pub use note::noted;
pub use parameter::parameter;
pub use plan::plan;
pub use progress::{ended, running, should_update};
pub use rehearsal::{rehearsal, rehearsal_text};
pub use start::{Start, Started, starting, with_start};
pub use summary::{Bins, ColumnSummary, Distinct, Frequent, Summary, summary};
pub use table::table;
pub use types::spark_type;
pub use vars::{Held, Var, vars};
pub use zone::Zone;

/// Lines of text, such as an answer of the kernel itself or a driver's log.
pub fn plain(text: impl AsRef<str>) -> Media {
    Media::new(vec![MediaType::Plain(text::visible_lines(text.as_ref()))])
}

fn bundle(html: String, plain: String) -> Media {
    Media::new(vec![MediaType::Html(html), MediaType::Plain(plain)])
}
