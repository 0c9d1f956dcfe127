//! The Jupyter kernel, and the command line around it.
