//! Availability zones: `pickZones`, `toLogicalZone(s)`, `toPhysicalZone(s)`.
//!
//! Regions with zones are those of <https://learn.microsoft.com/azure/reliability/regions-list>, each with three. Which
//! zone is called 1 differs between subscriptions in Azure; here logical and physical zones have the same numbers. Of which
//! types have zones only some are known here; others are refused by name.

use super::{Args, Function, function};
use crate::expr::error::{EvalError, Fault};
use serde_json::Value;

pub(super) const TABLE: &[Function] = &[
    function("pickZones", (3, 5), pick),
    function("toLogicalZone", (3, 3), |args| Ok(logical(&region(args, 1)?, args.text(2)?).into())),
    function("toLogicalZones", (3, 3), |args| each(args, logical)),
    function("toPhysicalZone", (3, 3), |args| Ok(physical(&region(args, 1)?, args.text(2)?).into())),
    function("toPhysicalZones", (3, 3), |args| each(args, physical)),
];

const ZONES: i64 = 3;

const REGIONS: &[&str] = &[
    "australiaeast",
    "brazilsouth",
    "canadacentral",
    "centralindia",
    "centralus",
    "eastasia",
    "eastus",
    "eastus2",
    "francecentral",
    "germanywestcentral",
    "israelcentral",
    "italynorth",
    "japaneast",
    "koreacentral",
    "mexicocentral",
    "newzealandnorth",
    "northeurope",
    "norwayeast",
    "polandcentral",
    "qatarcentral",
    "southafricanorth",
    "southcentralus",
    "southeastasia",
    "spaincentral",
    "swedencentral",
    "switzerlandnorth",
    "uaenorth",
    "uksouth",
    "westeurope",
    "westus2",
    "westus3",
];

/// Types that have zones.
const ZONAL: &[&str] = &[
    "microsoft.compute/disks",
    "microsoft.compute/virtualmachines",
    "microsoft.compute/virtualmachinescalesets",
    "microsoft.network/publicipaddresses",
];

/// Types that are of no region.
const GLOBAL: &[&str] =
    &["microsoft.cdn/profiles", "microsoft.network/dnszones", "microsoft.network/trafficmanagerprofiles"];

/// `West US2` and `westus2` are one.
fn region(args: &Args, index: usize) -> Result<String, EvalError> {
    Ok(args.text(index)?.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase())
}

fn is_zone(number: &str) -> bool {
    number.parse::<i64>().is_ok_and(|number| (1..=ZONES).contains(&number)) && number.len() == 1
}

fn logical(region: &str, zone: &str) -> String {
    let number = zone.strip_prefix(region).and_then(|rest| rest.strip_prefix("-az")).filter(|number| is_zone(number));
    number.filter(|_| REGIONS.contains(&region)).unwrap_or_default().to_owned()
}

fn physical(region: &str, zone: &str) -> String {
    if is_zone(zone) && REGIONS.contains(&region) { format!("{region}-az{zone}") } else { String::new() }
}

fn each(args: &Args, zone: fn(&str, &str) -> String) -> Result<Value, EvalError> {
    let region = region(args, 1)?;
    let mut out = Vec::new();
    for item in args.array(2)? {
        let text = item.as_str().ok_or_else(|| args.type_error(2, "Array of strings"))?;
        out.push(zone(&region, text));
    }
    // what is none is left out
    Ok(out.into_iter().filter(|zone| !zone.is_empty()).map(Value::from).collect())
}

/// `pickZones(namespace, type, region, [count], [offset])`
fn pick(args: &Args) -> Result<Value, EvalError> {
    let kind = format!("{}/{}", args.text(0)?, args.text(1)?).to_lowercase();
    let region = region(args, 2)?;
    let count = if args.get(3).is_some() { args.int(3)? } else { 1 };
    let offset = if args.get(4).is_some() { args.int(4)? } else { 0 };
    if GLOBAL.contains(&kind.as_str()) || !REGIONS.contains(&region.as_str()) {
        return Ok(Value::Array(Vec::new()));
    }
    if !ZONAL.contains(&kind.as_str()) {
        let message = format!(
            "The template function 'pickZones' is not supported by the local Azure for the resource type '{kind}', of whose \
             zones nothing is known."
        );
        return Err(EvalError::new(Fault::Unsupported, message));
    }
    if count < 1 || offset < 0 || count > ZONES || offset > ZONES - count {
        let words = format!("expects a count and an offset within the {ZONES} zones of the region");
        return Err(args.error(Fault::Range, &words));
    }
    Ok((offset + 1..=offset + count).map(|zone| Value::from(zone.to_string())).collect())
}
