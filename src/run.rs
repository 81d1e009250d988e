//! The drivers: reading live state, deploying, destroying, over `&dyn` [`Cloud`](crate::wire::Cloud).
//!
//! Invariants: nothing is spawned, joins keep their order, so a virtual clock replays a run; a write whose outcome is
//! not known is never sent twice by itself, but looked up; a driver that is dropped at any point leaves nothing that the
//! next run does not find, because Azure is the only state; and nothing is deleted that the stack does not own.
//!
//! Deliberately absent: sockets and clocks (they are the [`Cloud`](crate::wire::Cloud)'s), text for people (`ui` makes it
//! of [`Event`]s), and questions: whoever calls has asked already.

mod client;
mod deploy;
mod destroy;
mod event;
mod furnish;
mod problem;
mod progress;
mod read;

pub use deploy::{Done, deploy, scope};
pub use destroy::{Destroyed, Inventory, Remains, destroy, inventory};
pub use event::{Event, Origin, Step};
pub use furnish::furnish;
pub use read::read_live;
