//! The local Azure in memory and in virtual time, as a [`Cloud`]: a request takes 50 ms, a sleep takes no time at all.

use aoai_lb::azure::World;
use aoai_lb::azure::faults::Fault;
use aoai_lb::diagnostic::Diagnostic;
use aoai_lb::emulator::data_plane::DataPlane;
use aoai_lb::plan::{Plan, plan};
use aoai_lb::run::{self, Done, Event};
use aoai_lb::time::{Duration, Time};
use aoai_lb::topology::{Live, Topology};
use aoai_lb::wire::{BoxFuture, Cloud, Door, Request, Response, Transport};
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

/// What comes between a request and its answer.
pub type Between = Box<dyn FnMut(&Request, &mut World, Time) -> Option<Result<Response, Transport>>>;

pub struct Virtual {
    world: RefCell<World>,
    now: Cell<Time>,
    data_plane: RefCell<DataPlane>,
    pub log: RefCell<Vec<Request>>,
    pub fault: RefCell<Option<Between>>,
}

impl Virtual {
    pub fn new() -> Virtual {
        let world = World::new("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-00000000000f", 1);
        Virtual {
            world: RefCell::new(world),
            now: Cell::new(Time::from_secs(1_800_000_000)),
            data_plane: RefCell::default(),
            log: RefCell::default(),
            fault: RefCell::default(),
        }
    }

    /// With another limit of a quota.
    pub fn with_quota(self, name: &str, limit: u64) -> Virtual {
        let world = self.world.borrow().clone().with_quota(name, limit);
        self.world.replace(world);
        self
    }

    /// Something goes wrong in Azure itself.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        self.world.borrow_mut().set_faults(self.now.get(), faults);
    }

    /// Another cloud that goes on from the same state.
    pub fn fork(&self) -> Virtual {
        let fork = Virtual::new();
        fork.world.replace(self.world.borrow().clone());
        fork.now.set(self.now.get());
        fork
    }

    /// A request from somebody else, behind the back of the driver.
    pub fn ask(&self, request: &Request) -> Response {
        self.now.set(self.now.get() + Duration::from_millis(50));
        self.world.borrow_mut().handle(self.now.get(), request)
    }

    /// Writes sent since the last look, as `PUT path`.
    pub fn writes(&self) -> Vec<String> {
        let log = std::mem::take(&mut *self.log.borrow_mut());
        let writes = log.iter().filter(|request| request.method.writes());
        writes
            .map(|request| {
                let path = request.url.split('?').next().unwrap_or_default();
                format!("{} {}", request.method.as_str(), path.rsplit("/providers/").next().unwrap_or_default())
            })
            .collect()
    }

    /// Types of the resources in the templates that were sent since the last look.
    pub fn sent_resources(&self) -> Vec<String> {
        let log = std::mem::take(&mut *self.log.borrow_mut());
        let templates = log.iter().filter(|request| request.url.contains("/Microsoft.Resources/deployments/"));
        templates
            .filter_map(|request| serde_json::from_slice::<serde_json::Value>(&request.body).ok())
            .flat_map(|body| body["properties"]["template"]["resources"].as_array().cloned().unwrap_or_default())
            .map(|resource| resource["type"].as_str().unwrap_or_default().to_owned())
            .collect()
    }

    pub fn pass(&self, length: Duration) {
        self.now.set(self.now.get() + length);
    }
}

/// Gives way once: a place where a driver can be dropped.
async fn give_way() {
    let mut given = false;
    std::future::poll_fn(|context| {
        // a join of many looks only at those that ask for it
        context.waker().wake_by_ref();
        if std::mem::replace(&mut given, true) { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

impl Cloud for Virtual {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, Transport>> {
        Box::pin(async move {
            give_way().await;
            self.log.borrow_mut().push(request.clone());
            self.now.set(self.now.get() + Duration::from_millis(50));
            let answer = {
                let mut fault = self.fault.borrow_mut();
                let world = &mut *self.world.borrow_mut();
                let between = fault.as_mut().and_then(|fault| fault(&request, world, self.now.get()));
                match (between, &request.door) {
                    (Some(between), _) => between,
                    (None, Door::Arm) => Ok(world.handle(self.now.get(), &request)),
                    (None, Door::Gateway { .. }) => {
                        let answered = self.data_plane.borrow_mut().call(world, self.now.get(), &request);
                        answered.map(|answered| {
                            self.now.set(answered.at);
                            answered.response
                        })
                    }
                }
            };
            give_way().await;
            answer
        })
    }

    fn now(&self) -> Time {
        self.now.get()
    }

    fn sleep(&self, until: Time) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            give_way().await;
            self.now.set(self.now.get().max(until));
        })
    }
}

/// Runs a driver, at most `steps` times woken; `None` where it was dropped before its end.
pub fn run_for<T>(steps: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    for _ in 0..=steps {
        if let Poll::Ready(value) = future.as_mut().poll(&mut context) {
            return Some(value);
        }
    }
    None
}

pub fn run<T>(future: impl Future<Output = T>) -> T {
    run_for(1_000_000, future).expect("it ends")
}

pub fn read(cloud: &Virtual, desired: &Topology) -> Live {
    run(run::read_live(cloud, desired)).expect("live state")
}

pub fn planned(cloud: &Virtual, desired: &Topology) -> (Live, Plan) {
    chosen(cloud, desired, &[], &[])
}

pub fn chosen(cloud: &Virtual, desired: &Topology, recover: &[&str], purge: &[&str]) -> (Live, Plan) {
    let live = read(cloud, desired);
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let plan = plan(desired, &live, &run::scope(desired, names(recover), names(purge)));
    (live, plan)
}

/// Plans and deploys.
pub fn deploy(cloud: &Virtual, desired: &Topology) -> Result<(Done, Vec<Event>), Vec<Diagnostic>> {
    let (live, plan) = planned(cloud, desired);
    carry_out(cloud, desired, &live, &plan)
}

pub fn carry_out(
    cloud: &Virtual,
    desired: &Topology,
    live: &Live,
    plan: &Plan,
) -> Result<(Done, Vec<Event>), Vec<Diagnostic>> {
    let mut events = Vec::new();
    let done = run(run::deploy(cloud, desired, live, plan, &mut |event| events.push(event)))?;
    Ok((done, events))
}
