//! The parent of a driver: starts it, is the only door to it, and ends it when nobody is left.

mod standing;
