//! The short form: `models` becomes accounts, deployments and pools, as DESIGN 2 says. Backends, the API and the
//! subscription follow from those as they do in the long form.

use super::check::shown;
use super::formats;
use super::model::{Account, Deployment, Map, Member, Model, Pool, Spec, Word};
use super::yaml::{item, join};
use crate::diagnostic::{Diagnostic, code};
use crate::topology::{DeploymentSku, defaults};

/// Writes the long form of `models` into the spec. Gives, for each key that it makes, the key that it comes from.
pub fn lengthen(spec: &mut Spec, out: &mut Vec<Diagnostic>) -> Vec<(String, String)> {
    let Some(models) = spec.models.take() else { return Vec::new() };
    let both =
        [("accounts", spec.accounts.is_some()), ("backends", spec.backends.is_some()), ("pools", spec.pools.is_some())];
    for (key, _) in both.iter().filter(|(_, written)| *written) {
        let problem =
            Diagnostic::new(code::TWO_FORMS, format!("`models` makes the {key}, and they are written as well"));
        let problem = problem.at(*key).label(format!("beside `models`, {key} cannot be written"));
        out.push(problem.help("keep one form; `aoai-lb render --expanded` prints the long form of `models`"));
    }
    if models.is_empty() {
        let problem = Diagnostic::new(code::NOTHING_HERE, "`models` is empty").at("models");
        out.push(problem.help("add a model: `gpt-5.1: { version: \"2025-11-13\", regions: { eastus2: 100 } }`"));
    }
    let made = ["accounts", "backends", "pools"];
    let mut origins: Vec<_> = made.map(|key| (key.to_string(), "models".to_string())).into();
    let (mut accounts, mut pools) = (Map::new(), Map::new());
    for (name, model) in &models {
        let key = join("models", name);
        let (provisioned, metered) = (model.ptu.clone().unwrap_or_default(), model.regions.clone().unwrap_or_default());
        if provisioned.is_empty() && metered.is_empty() {
            let problem = Diagnostic::new(code::NOTHING_HERE, format!("`{name}` has no region")).at(&key);
            out.push(problem.help("give it capacity: `regions: { eastus2: 100 }`"));
            continue;
        }
        let lower = if provisioned.is_empty() { defaults::PRIORITY } else { defaults::PRIORITY + 1 };
        let mut members = Vec::new();
        for (regions, from, sku, suffix, priority) in [
            (&provisioned, "ptu", DeploymentSku::ProvisionedManaged, "-ptu", defaults::PRIORITY),
            (&metered, "regions", DeploymentSku::GlobalStandard, "", lower),
        ] {
            for ((mut region, capacity), weight) in regions.iter().zip(weights(regions.values().copied())) {
                let meant: String;
                let deployment = format!("{name}{suffix}");
                let source = join(&join(&key, from), region);
                if let Some(format) = formats::violated(formats::LOCATION, region) {
                    let problem = Diagnostic::new((format.code)(), format!("{} is no region", shown(region)));
                    out.push(problem.at(&source).help(format.help));
                    // read as what was probably meant, so that the rules still run
                    meant = region.chars().filter(char::is_ascii_alphanumeric).collect();
                    region = &meant;
                }
                let account = join("accounts", region);
                let backend = format!("{region}-{deployment}");
                origins.push((join(&account, "deployments"), source.clone()));
                origins.push((join(&join(&account, "deployments"), &deployment), source.clone()));
                origins.push((account, source.clone()));
                origins.push((join("backends", &backend), source.clone()));
                origins.push((item(&join(&join("pools", name), "members"), members.len()), source));
                accounts
                    .entry(region.clone())
                    .or_insert_with(|| Account { location: Some(region.clone()), ..Account::default() })
                    .deployments
                    .insert(deployment, deploy(name, model, sku, *capacity));
                members.push(Member { backend, priority: Some(priority), weight: Some(weight) });
            }
        }
        origins.push((join("pools", name), key));
        pools.insert(name.clone(), Pool { members, ..Pool::default() });
    }
    (spec.accounts, spec.pools, spec.backends) = (Some(accounts), Some(pools), None);
    origins
}

fn deploy(name: &str, model: &Model, sku: DeploymentSku, capacity: u32) -> Deployment {
    let version = model.version.clone();
    Deployment { model: name.into(), version, sku: Some(Word(sku)), capacity, ..Deployment::default() }
}

/// Capacities over their greatest common divisor, scaled to at most 100, at least 1.
fn weights(capacities: impl Iterator<Item = u32> + Clone) -> Vec<u8> {
    let divisor = capacities.clone().fold(0, gcd).max(1);
    let most = capacities.clone().max().unwrap_or(1) / divisor;
    let limit = u64::from(defaults::MAX_WEIGHT);
    let scale = |weight: u32| match u64::from(most) {
        most if most > limit => (u64::from(weight) * limit + most / 2) / most,
        _ => u64::from(weight),
    };
    capacities.map(|capacity| u8::try_from(scale(capacity / divisor)).unwrap_or(defaults::MAX_WEIGHT).max(1)).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::weights;

    #[test]
    fn weights_keep_the_proportions_of_the_capacities() {
        for (capacities, expected) in [
            (&[100, 100][..], &[1, 1][..]),
            (&[50, 100, 150], &[1, 2, 3]),
            (&[7], &[1]),
            (&[1, 1000], &[1, 100]),
            (&[333, 1000], &[33, 100]),
            (&[1_000_000, 999_999], &[100, 100]),
        ] {
            assert_eq!(weights(capacities.iter().copied()), expected, "{capacities:?}");
        }
    }
}
