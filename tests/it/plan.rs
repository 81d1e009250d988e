//! Planning, deploying, destroying: the laws of `plan` over random topologies, and the drivers against the local Azure.

mod laws;
mod topologies;
