//! `aoai-lb`: many Azure OpenAI deployments behind one Azure API Management gateway.
//!
//! A pure core in rings, a thin shell around it. Each ring may use the rings below it; `tests/it/architecture.rs`
//! holds the allow list.
//!
//! ```text
//! cli ui emulator io                                         ring 3  shell: sockets, disk, environment, terminal, clock
//! run                                                        ring 2  drivers: async deploy and destroy
//! spec template policy plan arm import azure pool exchange quota backend sim
//!                                                            ring 1  core: sync, pure, deterministic
//! topology catalogue expr                                    ring 0  domain, data tables, ARM expressions
//! diagnostic time rng wire policy_xml                        ring 0  vocabulary
//! ```
//!
//! Invariants:
//!
//! 1. Ring 1 never reads a clock, entropy, environment, disk or network, and never logs. It returns values.
//! 2. `plan(x, x)` is empty. After `deploy`, `plan` is empty, against an Azure that re-shapes what it was sent.
//! 3. Nothing is deleted that this stack does not own.
//! 4. A draw is a function, not a sequence ([`rng::draw`]). Events are ordered by (time, class, request, attempt); at one
//!    instant completions come before arrivals. Sums in the core are integers; floats appear only when printing. Same
//!    seed, same bytes, on any machine.
//! 5. Keys never enter [`topology::Topology`], a plan, a log or a report ([`wire::Secret`]).
//! 6. One `exchange`, one `pool` and one `backend`; the simulator, the gateway and the tests only drive them.
//!
//! The core is a library of its own (`default-features = false`):
//!
//! ```
//! use aoai_lb::{spec, template};
//!
//! let text = r#"
//! version: 1
//! name: contoso-ai
//! azure: { resourceGroup: rg-contoso-ai, location: eastus2 }
//! gateway: { publisher: { email: ops@contoso.com } }
//! models:
//!   gpt-5.1: { version: "2025-11-13", regions: { eastus2: 100, swedencentral: 50 } }
//! "#;
//! let loaded = spec::load(text, &spec::Options::default()).expect("a valid spec");
//! let pool = &loaded.topology.pools["gpt-5.1"];
//! assert_eq!(pool.members.iter().map(|member| member.weight).collect::<Vec<_>>(), [2, 1]);
//!
//! let files = template::files(&loaded.topology);
//! assert!(files.iter().any(|file| file.path == "main.bicep"));
//! ```

#![cfg_attr(test, allow(clippy::disallowed_methods, clippy::disallowed_macros, clippy::disallowed_types))]

// Vocabulary
pub mod diagnostic;
pub mod policy_xml;
pub mod rng;
pub mod time;
pub mod wire;

// Domain
pub mod catalogue;
pub mod expr;
pub mod topology;

// Core, in reading order: a spec becomes a topology, a template, a plan
pub mod spec;

pub mod policy;
pub mod template;

pub mod arm;
pub mod plan;

// Core: somebody else's files
pub mod import;

pub mod azure;

// Core: what a request lives through
pub mod backend;
pub mod exchange;
pub mod pool;
pub mod quota;
pub mod sim;

// Drivers
pub mod run;

// Shell: what .clippy.toml keeps out of the core is allowed here
#[cfg(feature = "shell")]
#[allow(clippy::disallowed_methods)]
pub mod cli;
#[cfg(feature = "shell")]
pub mod emulator;
#[cfg(feature = "shell")]
#[allow(clippy::disallowed_methods)]
pub mod io;
#[cfg(feature = "shell")]
#[allow(clippy::disallowed_methods, clippy::disallowed_macros)]
pub mod ui;
