//! The `aoai-lb` program: everything is in the library.
fn main() {}
