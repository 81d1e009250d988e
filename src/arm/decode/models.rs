//! Accounts, model deployments, and the roles of the gateway on them.

use super::*;
use crate::arm::id;

impl Reading<'_> {
    pub(super) fn models(&mut self, answers: &Answers) {
        for account in &answers.accounts {
            self.account(account, answers);
        }
        self.grants(answers);
    }

    fn account(&mut self, account: &Value, answers: &Answers) {
        let (name, given) = (text(account, "/name"), text(account, "/id"));
        let key = self.account_key(given, name);
        let address = Address::Account(key.clone());
        let Some(kind) = account_kind(text(account, "/kind")) else {
            if self.desired.accounts.contains_key(&key) {
                let kind = text(account, "/kind");
                self.not_understood(&address, format!("the account {name} is of the kind `{kind}`"));
            } else {
                self.live.undescribed.push(given.to_owned());
            }
            return;
        };
        let endpoint = text(account, "/properties/endpoint").trim_end_matches('/').to_lowercase();
        if !endpoint.is_empty() {
            self.endpoints.push((endpoint, key.clone()));
        }
        let wanted = self.desired.accounts.get(&key);
        let ours = tagged(account, &self.stack) == Owner::Ours;
        let standing = match wanted {
            Some(wanted) => wanted.standing,
            None if ours || id::within(given, &id::group(self.desired)) => Standing::Managed,
            // one elsewhere that left the spec
            None => Standing::Existing,
        };
        let public = !text(account, "/properties/publicNetworkAccess").eq_ignore_ascii_case("Disabled");
        let described = Account {
            name: self.name_as_wanted(wanted.map(|account| &account.name), name),
            location: Location::new(text(account, "/location")),
            kind,
            deployments: BTreeMap::new(),
            place: wanted.map(|account| account.place.clone()).unwrap_or_default(),
            standing,
            network: AccountNetwork { public, private_endpoint: None },
            properties: wanted.map(|account| account.properties.clone()).unwrap_or_default(),
        };
        self.live.topology.accounts.insert(key.clone(), described);
        self.accounts.push((given.to_owned(), key.clone()));
        self.note_own(standing, address, account, answers);
        let deployments = answers.deployments.iter().filter(|(of, _)| id::same(of, given));
        for deployment in deployments.flat_map(|(_, all)| all) {
            self.deployment(&key, deployment, answers);
        }
    }

    /// The key of a live account: the spec's where the spec names it, and never one that another has.
    fn account_key(&self, given: &str, name: &str) -> Key {
        if let Some(key) = answers::account_key(self.desired, given) {
            return key;
        }
        let taken =
            |key: &str| self.desired.accounts.contains_key(key) || self.live.topology.accounts.contains_key(key);
        match (taken(name), taken(&format!("/{name}"))) {
            (false, _) => name.to_owned(),
            (true, false) => format!("/{name}"),
            (true, true) => given.to_owned(),
        }
    }

    fn deployment(&mut self, account: &Key, deployment: &Value, answers: &Answers) {
        let name = text(deployment, "/name");
        let wanted = self.desired.accounts.get(account).map(|account| &account.deployments);
        let key = wanted.map_or_else(|| name.to_owned(), |all| keyed(all, |key, _| Some(key.clone()), name));
        let address = Address::Deployment { account: account.clone(), deployment: key.clone() };
        let Some(sku) = DeploymentSku::parse(text(deployment, "/sku/name")) else {
            if wanted.is_some_and(|all| all.contains_key(&key)) {
                let tier = text(deployment, "/sku/name");
                self.not_understood(&address, format!("the deployment {name} is of the tier `{tier}`"));
            } else {
                self.live.undescribed.push(text(deployment, "/id").to_owned());
            }
            return;
        };
        let upgrade = text(deployment, "/properties/versionUpgradeOption");
        let described = Deployment {
            model: Model {
                name: text(deployment, "/properties/model/name").to_owned(),
                version: text(deployment, "/properties/model/version").to_owned(),
                format: text(deployment, "/properties/model/format").to_owned(),
            },
            sku,
            capacity: number(deployment, "/sku/capacity"),
            // what Azure does where nobody said anything
            version_upgrade: VersionUpgrade::parse(upgrade).unwrap_or(VersionUpgrade::OnceNewDefaultVersionAvailable),
            // Azure names its default; only a filter that the spec names is compared
            rai_policy: wanted
                .and_then(|all| all.get(&key)?.rai_policy.as_ref())
                .map(|_| text(deployment, "/properties/raiPolicyName").to_owned()),
            spillover: Some(text(deployment, "/properties/spilloverDeploymentName"))
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
        };
        if let Some(account) = self.live.topology.accounts.get_mut(account) {
            account.deployments.insert(key, described);
        }
        let account = self.live.topology.accounts.get(account);
        let standing = account.map(|account| account.standing).unwrap_or_default();
        self.note_own(standing, address, deployment, answers);
    }

    /// A role counts wherever it was given: on the account or above it.
    fn grants(&mut self, answers: &Answers) {
        let Some(principal) = self.live.principal.clone() else { return };
        for (account, key) in self.accounts.clone() {
            let role = self.desired.grants.get(&key).copied();
            let of = |assignment: &&Value| Role::parse(id::name(text(assignment, "/properties/roleDefinitionId")));
            let given = |assignment: &&Value| {
                text(assignment, "/properties/principalId").eq_ignore_ascii_case(&principal)
                    && of(assignment).is_some_and(|found| role.is_none_or(|wanted| found == wanted))
            };
            let scope = |assignment: &&Value| text(assignment, "/properties/scope").to_owned();
            let mut found: Vec<&Value> = answers.roles.iter().filter(given).collect();
            found.retain(|assignment| id::within(&account, &scope(assignment)));
            // ours first, then the one that stands on the account itself
            found.sort_by_key(|assignment| {
                let ours = marked(text(assignment, "/properties/description"), &self.stack) == Owner::Ours;
                (!ours, !id::same(&account, &scope(assignment)))
            });
            let Some(assignment) = found.first() else { continue };
            let inherited = !id::same(&account, &scope(assignment));
            let owner = match marked(text(assignment, "/properties/description"), &self.stack) {
                Owner::Ours if inherited => Owner::Foreign,
                owner => owner,
            };
            let Some(role) = of(assignment) else { continue };
            self.live.topology.grants.insert(key.clone(), role);
            self.note(Address::Grant(key), assignment, owner, answers);
        }
    }
}
