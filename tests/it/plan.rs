//! Planning, deploying, destroying: the laws of `plan` over random topologies, and the drivers against the local Azure.

mod cases;
mod changes;
mod cloud;
mod data_plane;
mod drive;
mod elsewhere;
mod laws;
mod quota;
mod topologies;
