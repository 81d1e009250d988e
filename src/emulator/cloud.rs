//! The local Azure of a folder as a [`Cloud`]: both doors, Azure Resource Manager's and the gateways'.

use super::data_plane::DataPlane;
use crate::io::{self, local::Local};
use crate::time::Time;
use crate::wire::{BoxFuture, Cloud, Door, Request, Response, Transport};
use std::cell::RefCell;
use std::time::Duration;

/// The local Azure of a folder, at the wall clock's time.
#[derive(Debug)]
pub struct LocalCloud {
    local: Local,
    data_plane: RefCell<DataPlane>,
}

impl LocalCloud {
    /// A cloud whose gateways have served nobody yet.
    pub fn new(local: Local) -> LocalCloud {
        LocalCloud { local, data_plane: RefCell::default() }
    }

    async fn wait(&self, until: Time) {
        let length = until.since(io::now());
        tokio::time::sleep(Duration::from_nanos(length.0)).await;
    }
}

impl Cloud for LocalCloud {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Transport>> {
        Box::pin(async move {
            if request.door == Door::Arm {
                return self.local.handle(request).await;
            }
            let call = |world: &mut _, now| self.data_plane.borrow_mut().call(world, now, &request);
            let answered = self.local.look(call).await??;
            self.wait(answered.at).await;
            Ok(answered.response)
        })
    }

    fn now(&self) -> Time {
        io::now()
    }

    fn sleep(&self, until: Time) -> BoxFuture<'_, ()> {
        Box::pin(self.wait(until))
    }
}
