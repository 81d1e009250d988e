//! Why something that the spec asks for is not done: what is there belongs to somebody else, cannot change, or holds the
//! name.

use super::{Field, Planning, parent};
use crate::diagnostic::{Diagnostic, code};
use crate::topology::{Address, Owner, defaults};

impl Planning<'_> {
    /// The live thing, not ours, in which something would have to be made.
    pub(super) fn host(&self, address: &Address) -> Option<Address> {
        let host = match address {
            Address::Deployment { account, .. } => Address::Account(account.clone()),
            Address::NamedValue(_)
            | Address::Backend(_)
            | Address::Pool(_)
            | Address::Api(_)
            | Address::Product(_)
            | Address::Logger(_)
            | Address::Subscription(_) => Address::Gateway,
            Address::Operation { api, .. } | Address::Policy(api) | Address::Diagnostic { api, .. } => {
                Address::Api(api.clone())
            }
            Address::ProductApi { product, .. } | Address::ProductPolicy(product) => Address::Product(product.clone()),
            Address::DnsZoneGroup(account) => Address::PrivateEndpoint(account.clone()),
            // a role, an endpoint and a diagnostic setting change nothing of what they are on
            Address::ResourceGroup
            | Address::Identity
            | Address::Workspace
            | Address::AppInsights
            | Address::Gateway
            | Address::Account(_)
            | Address::Grant(_)
            | Address::PrivateEndpoint(_)
            | Address::DiagnosticSetting
            | Address::Workbook
            | Address::Alert(_) => return None,
        };
        (self.live.has(&host) && !self.is_ours(&host)).then_some(host)
    }

    /// Nothing is put into what belongs to somebody else: what is in it acts on their callers too.
    pub(super) fn not_our_host(&self, host: &Address, guests: &[Address]) -> Diagnostic {
        let whose = self.whose(host).unwrap_or_default();
        let what = match guests {
            [] => String::new(),
            [one] => one.to_string(),
            [first, rest @ ..] => format!("{first} and {} more", rest.len()),
        };
        Diagnostic::new(code::NOT_OURS, format!("{host} exists and {whose}; {what} would be made in it"))
            .at(host.key())
            .help("choose another name for it; if it is this stack's, put its mark back as the stack's other resources have it")
    }

    /// Why something live is not this stack's; `None` where it is.
    fn whose(&self, address: &Address) -> Option<String> {
        match self.live.owners.get(address) {
            Some(Owner::Ours) => None,
            Some(Owner::Stack(stack)) => Some(format!("belongs to the stack {stack}")),
            Some(Owner::Foreign) | None => Some("carries no mark of this stack".to_owned()),
        }
    }

    /// Why a difference is not written.
    pub(super) fn not_changed(&self, address: &Address, fields: &[Field]) -> Option<Diagnostic> {
        let names: Vec<String> = fields.iter().map(Field::to_string).collect();
        let differs = names.join(", ");
        let fixed = |what: String, help: &str| {
            Some(Diagnostic::new(code::FIXED_ONCE_CREATED, what).at(address.key()).help(help))
        };
        match address {
            Address::Workspace | Address::AppInsights | Address::Workbook | Address::Alert(_)
                if fields.iter().any(|field| field.name == "location") =>
            {
                return fixed(
                    format!("{address} cannot be moved: {differs}"),
                    "put the live region into the spec, or delete it in Azure yourself",
                );
            }
            Address::Gateway | Address::Account(_) => {
                return fixed(
                    format!("{address} exists and this version does not change it: {differs}"),
                    "put the live value into the spec, or change it in Azure yourself",
                );
            }
            Address::Deployment { .. } if fields.iter().any(|field| matches!(field.name.as_str(), "sku" | "model")) => {
                return fixed(
                    format!("{address} cannot be changed in place: {differs}"),
                    "give the new deployment another name and let the backend call that one",
                );
            }
            Address::PrivateEndpoint(_) if fields.iter().any(|field| field.name == "subnet") => {
                return fixed(
                    format!("{address} cannot move: {differs}"),
                    "delete the endpoint in Azure yourself: the next deploy makes it anew in the other subnet",
                );
            }
            _ => {}
        }
        let whose = self.whose(&parent(address).unwrap_or_else(|| address.clone()))?;
        Some(
            Diagnostic::new(code::NOT_OURS, format!("{address} exists, differs and {whose}: {differs}"))
                .at(address.key())
                .help("choose another key or name, or make the spec and the live one equal"),
        )
    }

    /// Backends and pools share their names; one subscription is Azure's own.
    pub(super) fn name_taken(&self, address: &Address) -> Option<Diagnostic> {
        let (name, other) = match address {
            Address::Subscription(key)
                if self.desired.subscriptions.get(key)?.name.eq_ignore_ascii_case(defaults::MASTER) =>
            {
                let message = "`master` is Azure's own subscription in every service: it opens every API";
                let help =
                    "choose another key; nobody needs `master`, and writing it would change whose keys open what";
                return Some(Diagnostic::new(code::NAME_TAKEN, message).at(address.key()).help(help));
            }
            Address::Backend(key) => {
                let name = &self.desired.backends.get(key)?.name;
                (name, self.live.topology.pool_by_name(name).map(|(key, _)| Address::Pool(key.clone()))?)
            }
            Address::Pool(key) => {
                let name = &self.desired.pools.get(key)?.name;
                (name, self.live.topology.backend_by_name(name).map(|(key, _)| Address::Backend(key.clone()))?)
            }
            _ => return None,
        };
        Some(
            Diagnostic::new(code::NAME_TAKEN, format!("`{name}` is the name of a live {}", other.kind()))
                .at(address.key())
                .help("choose another key, or deploy once without it to free the name"),
        )
    }

    /// Azure refuses a second API on a path, also while the first is about to go.
    pub(super) fn path_taken(&self, address: &Address) -> Option<Diagnostic> {
        let Address::Api(key) = address else { return None };
        let path = &self.desired.apis.get(key)?.path;
        let mut others = self.live.topology.apis.iter().filter(|(other, _)| *other != key);
        let (other, _) = others.find(|(_, api)| api.path.eq_ignore_ascii_case(path))?;
        Some(
            Diagnostic::new(
                code::NAME_TAKEN,
                format!("the path `{path}` is that of the live {}", Address::Api(other.clone())),
            )
            .at(address.key())
            .help("keep the old key, choose another path, or deploy once with the live one on another path"),
        )
    }
}
