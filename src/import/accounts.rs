//! Accounts and their deployments, made by the template or there already.

use super::account_of_host;
use super::evaluate::{Found, Template, last};
use super::template::{ACCOUNTS, DEPLOYMENTS, ENDPOINTS, Reading, ZONES, place};
use crate::diagnostic::code;
use crate::template::lint::json::Node;
use crate::topology::*;
use serde_json::Value;
use std::collections::BTreeMap;

impl<'a> Reading<'_, 'a> {
    pub(super) fn accounts(&mut self) {
        let found = self.found;
        for account in found.iter().filter(|found| found.kind == ACCOUNTS) {
            self.account(account);
        }
        for deployment in found.iter().filter(|found| found.kind == DEPLOYMENTS && !found.existing) {
            self.deployment(deployment);
        }
    }

    fn account(&mut self, found: &Found<'a>) {
        let word = found.body.get("kind").and_then(Value::as_str).unwrap_or("OpenAI");
        let kinds = [AccountKind::OpenAI, AccountKind::AIServices];
        let Some(kind) = kinds.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(word)) else {
            let message = format!("the account `{}` is of the kind `{word}`", Template::shown(found.own()));
            return self.tell(
                code::NOT_CARRIED_OVER,
                place(found.node, "/kind"),
                message,
                "keep it outside of the stack",
            );
        };
        let key = self.account_key(found);
        if found.existing {
            let key = self.existing_account(found.own(), last(&found.other), found.node);
            let place = self.placed(&found.place);
            if let Some(account) = self.topology.accounts.get_mut(&key) {
                account.place = place;
            }
            return;
        }
        let location = self.text(found, "/location").map_or(Location::unknown(), |text| Location::new(&text));
        let mut account = Account::new(self.name(found, &format!("aoai-{key}-")), location, BTreeMap::new());
        account.kind = kind;
        account.place = self.placed(&found.place);
        let public = found.body.pointer("/properties/publicNetworkAccess").and_then(Value::as_str);
        account.network.public = !public.is_some_and(|word| word.eq_ignore_ascii_case("disabled"));
        if !self.is_ours() && found.body.pointer("/properties/disableLocalAuth") != Some(&Value::Bool(true)) {
            let message = format!("the account `{}` can be called with keys; with a spec it cannot", self.base(found));
            let help = "expect `plan` to turn keys off";
            self.tell(code::CHANGED, place(found.node, "/properties"), message, help);
        }
        const OWN: [&str; 3] = ["customSubDomainName", "disableLocalAuth", "publicNetworkAccess"];
        account.properties = self.properties(found, &OWN);
        let host = format!("{}.openai.azure.com", found.own().to_lowercase());
        self.hosts.insert(host, key.clone());
        self.topology.accounts.insert(key, account);
    }

    fn account_key(&self, found: &Found<'_>) -> Key {
        // our own template names the key where it looks the region up
        if let Some(text) = found.node.get("location").and_then(Node::text).filter(|_| self.is_ours()) {
            let rest = text.strip_prefix("[parameters('accountLocations')").unwrap_or_default();
            let key = rest.strip_suffix(']').unwrap_or_default();
            let quoted = key.strip_prefix("['").and_then(|key| key.strip_suffix("']"));
            if let Some(key) = quoted.map(|key| key.replace("''", "'")).or(key.strip_prefix('.').map(str::to_owned)) {
                return key;
            }
        }
        let base = self.base(found);
        let unique = self.ours.as_ref().and_then(|(_, unique)| found.own().strip_suffix(unique.as_str()));
        if let Some(key) = unique.and_then(|name| name.strip_prefix("aoai-")?.strip_suffix('-')) {
            return key.to_owned();
        }
        let free = |key: &String| !self.topology.accounts.contains_key(key);
        let numbered = (2..).map(|n| format!("{base}-{n}"));
        std::iter::once(base.clone()).chain(numbered).find(free).unwrap_or_default()
    }

    /// The account of a host of Azure OpenAI's, which is there already where the template does not make it.
    ///
    /// `other` is the host as the other evaluation has it: one that differs is no name to keep.
    pub(super) fn account_at(&mut self, host: &str, other: &str, node: &Node) -> Option<Key> {
        if let Some(key) = self.hosts.get(host) {
            return Some(key.clone());
        }
        let name = account_of_host(host)?.to_owned();
        let known = self.hosts.get(&format!("{name}.openai.azure.com")).cloned();
        Some(known.unwrap_or_else(|| self.existing_account(&name, account_of_host(other).unwrap_or(other), node)))
    }

    fn existing_account(&mut self, name: &str, other: &str, node: &Node) -> Key {
        let host = format!("{}.openai.azure.com", name.to_lowercase());
        if let Some(key) = self.hosts.get(&host) {
            return key.clone();
        }
        let known = name == other && self.template.reason(name).is_none();
        let key = if known { name.to_owned() } else { format!("account{}", self.hosts.len() + 1) };
        let literal = if known { name.to_owned() } else { String::new() };
        let mut account = Account::new(Name::Literal(literal), Location::unknown(), BTreeMap::new());
        account.standing = Standing::Existing;
        account.place = self.template.place_of(name).map(|place| self.placed(&place)).unwrap_or_default();
        self.topology.accounts.insert(key.clone(), account);
        self.hosts.insert(host, key.clone());
        let message = format!("the account `{key}` is not made by the template");
        let help = format!("fill in its deployments under `accounts.{key}.deployments`");
        self.tell(code::NOT_KNOWN, place(node, "/properties/url"), message, help);
        key
    }

    fn deployment(&mut self, found: &Found<'a>) {
        let (account, name) = found.name.rsplit_once('/').unwrap_or_default();
        let Some(key) = self.hosts.get(&format!("{}.openai.azure.com", account.to_lowercase())).cloned() else {
            return;
        };
        let name = Template::shown(name);
        let sku = self.text(found, "/sku/name");
        let parsed = sku.as_deref().map_or(Some(DeploymentSku::Standard), DeploymentSku::parse);
        let Some(sku) = parsed else {
            let message = format!("the deployment `{name}` is of the tier `{}`", sku.unwrap_or_default());
            let help = "no pool can hold it: keep it outside of the stack";
            return self.tell(code::NOT_CARRIED_OVER, place(found.node, "/sku/name"), message, help);
        };
        let model = |reading: &mut Self, member: &str| reading.text(found, &format!("/properties/model/{member}"));
        let capacity = self.number(found, "/sku/capacity");
        let capacity = capacity.or_else(|| self.number(found, "/properties/scaleSettings/capacity"));
        let mut deployment = Deployment {
            model: Model {
                format: model(self, "format").unwrap_or_else(|| OPENAI_FORMAT.into()),
                name: model(self, "name").unwrap_or_default(),
                version: model(self, "version").unwrap_or_default(),
            },
            ..Deployment::new("", "", sku, capacity.unwrap_or_default())
        };
        deployment.rai_policy = self.text(found, "/properties/raiPolicyName");
        deployment.spillover = self.text(found, "/properties/spilloverDeploymentName");
        let upgrade = self.text(found, "/properties/versionUpgradeOption");
        // what Azure does where nobody said anything
        deployment.version_upgrade = upgrade
            .and_then(|word| VersionUpgrade::parse(&word))
            .unwrap_or(VersionUpgrade::OnceNewDefaultVersionAvailable);
        if let Some(account) = self.topology.accounts.get_mut(&key) {
            account.deployments.insert(name, deployment);
        }
    }

    pub(super) fn private_endpoints(&mut self) {
        let found = self.found;
        for endpoint in found.iter().filter(|found| found.kind == ENDPOINTS && !found.existing) {
            let target =
                endpoint.body.pointer("/properties/privateLinkServiceConnections/0/properties/privateLinkServiceId");
            let target = target.and_then(Value::as_str).map(last).unwrap_or_default().to_lowercase();
            let Some(key) = self.hosts.get(&format!("{target}.openai.azure.com")).cloned() else {
                let message = format!("the private endpoint `{}` is not carried over", Template::shown(endpoint.own()));
                self.tell(
                    code::NOT_CARRIED_OVER,
                    place(endpoint.node, "/name"),
                    message,
                    "keep it outside of the stack",
                );
                continue;
            };
            let Some(subnet) = self.text(endpoint, "/properties/subnet/id") else { continue };
            let zone = found.iter().find(|zone| zone.kind == ZONES && zone.name.starts_with(&endpoint.name));
            let pointer = "/properties/privateDnsZoneConfigs/0/properties/privateDnsZoneId";
            let dns_zone = zone.and_then(|zone| self.text(zone, pointer));
            if let Some(account) = self.topology.accounts.get_mut(&key) {
                account.network.private_endpoint = Some(PrivateEndpoint { subnet, dns_zone });
            }
        }
    }
}
