//! Answers what is known of the name at a cursor.

use jupyter_protocol::Media;

use super::completion::PATIENCE;
use crate::cell::name::as_typed;
use crate::cell::{self, Known, Named};
use crate::display::{self, TableAbout};
use crate::engine::{CatalogCache, Source};

/// What is known of the name at `cursor`, an offset in Unicode code points. Starts no driver.
pub(super) async fn inspect(
    source: &dyn Source,
    catalog: &mut CatalogCache,
    text: &str,
    cursor: usize,
) -> Option<Media> {
    if let Some((usage, about)) = cell::help_at(text, cursor) {
        return Some(display::about_magic(usage, about));
    }
    let live = source.background();
    if let Some(live) = &live {
        let known = Known {
            catalog: catalog.snapshot(),
            ..Known::default()
        };
        let unknown = cell::complete(text, cursor, &known).unknown;
        catalog.learn(live, unknown, PATIENCE).await;
    }
    Some(match cell::named_at(text, cursor, &catalog.snapshot())? {
        Named::Function(name) => {
            let told = match &live {
                Some(live) => catalog.usage(live, &name, PATIENCE).await,
                None => None,
            };
            display::about_function(&name, &told.unwrap_or_default())
        }
        Named::Column(column) => display::about_column(&column.name, &column.data_type),
        Named::Table {
            name,
            columns,
            in_catalog,
        } => {
            let told = match live.filter(|_| in_catalog) {
                Some(live) => catalog.about(&live, &name, PATIENCE).await,
                None => None,
            };
            let typed = as_typed(&name);
            display::about_table(&match told {
                Some(rows) => TableAbout::read(typed, &rows),
                None => TableAbout {
                    name: typed,
                    columns: columns
                        .into_iter()
                        .map(|column| [column.name, column.data_type, String::new()])
                        .collect(),
                    ..TableAbout::default()
                },
            })
        }
    })
}
