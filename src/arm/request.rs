//! Every request that this program sends to Azure Resource Manager, as data.
//!
//! Reads ask at the newest api-version known, because an older one hides properties that it does not have. Writes and
//! deletions ask at the floor, so that nothing newer than what the templates say can be reset.

use super::id;
use crate::catalogue;
use crate::topology::{Location, SoftDeleted, Topology};
use crate::wire::{Method, Request};
use serde_json::{Value, json};

/// The api-version of writes to API Management (DESIGN 5).
pub const API_MANAGEMENT: &str = "2024-05-01";
/// The api-version of writes to Azure OpenAI accounts (DESIGN 5).
pub const COGNITIVE_SERVICES: &str = "2024-10-01";
/// The api-version of role assignments.
pub const AUTHORIZATION: &str = "2022-04-01";
/// The api-version of resource groups and deployments.
pub const RESOURCES: &str = "2025-04-01";
/// The api-version of networks.
pub const NETWORK: &str = "2024-05-01";
/// The api-version of user-assigned identities.
pub const MANAGED_IDENTITY: &str = "2024-11-30";

const SERVICE: &str = "Microsoft.ApiManagement/service";
const ACCOUNTS: &str = "Microsoft.CognitiveServices/accounts";

/// A GET at the newest api-version of the type.
fn read(path: &str, kind: &str) -> Request {
    let version = catalogue::newest(kind).unwrap_or(RESOURCES);
    Request::arm(Method::Get, format!("{path}?api-version={version}"))
}

/// The resource group.
pub fn group(topology: &Topology) -> Request {
    Request::arm(Method::Get, format!("{}?api-version={RESOURCES}", id::group(topology)))
}

/// Makes the resource group, with our tag and the spec's.
pub fn create_group(topology: &Topology, tags: &Value) -> Request {
    let body = json!({"location": topology.scope.location.as_str(), "tags": tags});
    Request::arm(Method::Put, format!("{}?api-version={RESOURCES}", id::group(topology))).json(&body)
}

/// Everything in the resource group.
pub fn resources(topology: &Topology) -> Request {
    Request::arm(Method::Get, format!("{}/resources?api-version={RESOURCES}", id::group(topology)))
}

/// API Management services in a resource group.
pub fn services(group: &str) -> Request {
    read(&format!("{group}/providers/{SERVICE}"), SERVICE)
}

/// Accounts in a resource group.
pub fn accounts(group: &str) -> Request {
    read(&format!("{group}/providers/{ACCOUNTS}"), ACCOUNTS)
}

/// User-assigned identities in a resource group.
pub fn identities(group: &str) -> Request {
    let path = format!("{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities");
    Request::arm(Method::Get, format!("{path}?api-version={MANAGED_IDENTITY}"))
}

/// Private endpoints in a resource group.
pub fn private_endpoints(group: &str) -> Request {
    Request::arm(Method::Get, format!("{group}/providers/Microsoft.Network/privateEndpoints?api-version={NETWORK}"))
}

/// What names a private endpoint in DNS zones.
pub fn dns_zone_groups(endpoint: &str) -> Request {
    Request::arm(Method::Get, format!("{endpoint}/privateDnsZoneGroups?api-version={NETWORK}"))
}

/// Model deployments of an account.
pub fn deployments(account: &str) -> Request {
    read(&format!("{account}/deployments"), "Microsoft.CognitiveServices/accounts/deployments")
}

/// Roles at a scope, above it and below it.
pub fn roles(scope: &str) -> Request {
    Request::arm(
        Method::Get,
        format!("{scope}/providers/Microsoft.Authorization/roleAssignments?api-version={AUTHORIZATION}"),
    )
}

/// The roles of one principal at a scope, above it and below it.
pub fn roles_of(scope: &str, principal: &str) -> Request {
    let mut request = roles(scope);
    request.url.push_str(&format!("&$filter=principalId%20eq%20'{principal}'"));
    request
}

/// Names that soft-deleted services of a subscription (`/subscriptions/{id}`) still hold.
pub fn deleted_services(subscription: &str) -> Request {
    read(&format!("{subscription}/providers/Microsoft.ApiManagement/deletedservices"), SERVICE)
}

/// Names that soft-deleted accounts of a subscription (`/subscriptions/{id}`) still hold.
pub fn deleted_accounts(subscription: &str) -> Request {
    read(&format!("{subscription}/providers/Microsoft.CognitiveServices/deletedAccounts"), ACCOUNTS)
}

/// What of each quota the subscription uses in a region, and how much it may.
pub fn usages(topology: &Topology, location: &Location) -> Request {
    let subscription = id::subscription(topology);
    read(&format!("{subscription}/providers/Microsoft.CognitiveServices/locations/{location}/usages"), ACCOUNTS)
}

/// Children of a service: `backends`, `apis`, `subscriptions`.
pub fn children(service: &str, collection: &str) -> Request {
    read(&format!("{service}/{collection}"), &format!("{SERVICE}/{collection}"))
}

/// An API by itself: a list can leave out where its callers put their keys.
pub fn api(api: &str) -> Request {
    read(api, "Microsoft.ApiManagement/service/apis")
}

/// Operations of an API.
pub fn operations(api: &str) -> Request {
    read(&format!("{api}/operations"), "Microsoft.ApiManagement/service/apis/operations")
}

/// What is recorded of an API.
pub fn diagnostics(api: &str) -> Request {
    read(&format!("{api}/diagnostics"), "Microsoft.ApiManagement/service/apis/diagnostics")
}

/// APIs in a product.
pub fn product_apis(product: &str) -> Request {
    read(&format!("{product}/apis"), "Microsoft.ApiManagement/service/products/apis")
}

/// Diagnostic settings of a resource.
pub fn settings(of: &str) -> Request {
    let kind = "Microsoft.Insights/diagnosticSettings";
    read(&format!("{of}/providers/{kind}"), kind)
}

/// A resource beside the gateway, with all that it holds: a workbook keeps its content to itself unless it is asked.
pub fn whole(of: &str) -> Request {
    let kind = id::kind(of).unwrap_or_default();
    let mut request = read(of, &kind);
    if kind.eq_ignore_ascii_case("Microsoft.Insights/workbooks") {
        request.url.push_str("&canFetchContent=true");
    }
    request
}

/// The policy of an API or a product as XML: `rawxml` would give expressions unescaped, and that is no XML.
pub fn policy(of: &str) -> Request {
    let mut request = read(&format!("{of}/policies/policy"), "Microsoft.ApiManagement/service/apis/policies");
    request.url.push_str("&format=xml");
    request
}

/// The template deployment of that name.
pub fn deployment(topology: &Topology, name: &str) -> Request {
    Request::arm(Method::Get, format!("{}?api-version={RESOURCES}", id::deployment(topology, name)))
}

/// Starts a template deployment.
pub fn deploy(topology: &Topology, name: &str, template: &Value, parameters: &Value, hash: &str) -> Request {
    let body = json!({
        "properties": {"mode": "Incremental", "template": template, "parameters": parameters},
        "tags": {HASH_TAG: hash},
    });
    Request::arm(Method::Put, format!("{}?api-version={RESOURCES}", id::deployment(topology, name))).json(&body)
}

/// The tag of a template deployment that says what was deployed.
pub const HASH_TAG: &str = "aoai-lb-hash";

/// What a template deployment has done so far.
pub fn deployment_operations(deployment: &str) -> Request {
    Request::arm(Method::Get, format!("{deployment}/operations?api-version={RESOURCES}"))
}

/// A resource, at the api-version in which it is written: to see whether a write on it has ended.
pub fn resource(resource: &str) -> Request {
    Request::arm(Method::Get, format!("{resource}?api-version={}", floor(resource)))
}

/// A service, account or deployment with all that its newest api-version shows; anything else as it is written.
pub fn newest(resource: &str) -> Request {
    let kind = id::kind(resource).unwrap_or_default();
    match kind.split_once('/').map(|(provider, _)| provider.to_ascii_lowercase()).as_deref() {
        Some("microsoft.apimanagement" | "microsoft.cognitiveservices") => read(resource, &kind),
        _ => self::resource(resource),
    }
}

/// Deletes a resource. Children of API Management want the ETag that was read.
pub fn delete(resource: &str, etag: Option<&str>) -> Request {
    let request = Request::arm(Method::Delete, format!("{resource}?api-version={}", floor(resource)));
    match etag {
        Some(etag) => request.header("If-Match", etag),
        None => request,
    }
}

/// Deletes a workspace and its records at once; otherwise they are kept for 14 days.
pub fn delete_for_good(workspace: &str) -> Request {
    let mut request = delete(workspace, None);
    request.url.push_str("&force=true");
    request
}

/// Takes a soft-deleted service or account back. Azure ignores every other property then.
pub fn recover(resource: &str, found: &SoftDeleted, desired: &Topology) -> Request {
    let mut body = json!({"location": found.location.as_str(), "properties": {"restore": true}});
    if let (true, Some(gateway)) = (is_service(resource), &desired.gateway) {
        body["sku"] = json!({"name": gateway.sku.as_str(), "capacity": gateway.capacity});
        body["properties"]["publisherName"] = json!(gateway.publisher.name);
        body["properties"]["publisherEmail"] = json!(gateway.publisher.email);
    }
    Request::arm(Method::Put, format!("{resource}?api-version={}", floor(resource))).json(&body)
}

/// Gives a soft-deleted name free, for ever.
pub fn purge(found: &SoftDeleted) -> Request {
    let version = if id::after(&found.id, "deletedservices").is_some() { API_MANAGEMENT } else { COGNITIVE_SERVICES };
    Request::arm(Method::Delete, format!("{}?api-version={version}", found.id))
}

/// Where a service's or an account's remains stand once it is deleted.
pub fn remains(resource: &str, location: &Location) -> String {
    let subscription = id::after(resource, "subscriptions").unwrap_or_default();
    let (location, name) = (location.as_str(), id::name(resource));
    if is_service(resource) {
        return format!(
            "/subscriptions/{subscription}/providers/Microsoft.ApiManagement/locations/{location}/deletedservices/{name}"
        );
    }
    let group = id::after(resource, "resourceGroups").unwrap_or_default();
    format!(
        "/subscriptions/{subscription}/providers/Microsoft.CognitiveServices/locations/{location}/resourceGroups/{group}/deletedAccounts/{name}"
    )
}

fn is_service(resource: &str) -> bool {
    id::kind(resource).is_some_and(|kind| kind.eq_ignore_ascii_case(SERVICE))
}

fn floor(resource: &str) -> &'static str {
    let kind = id::kind(resource).unwrap_or_default().to_ascii_lowercase();
    match kind.split('/').next().unwrap_or_default() {
        "microsoft.apimanagement" => API_MANAGEMENT,
        "microsoft.cognitiveservices" => COGNITIVE_SERVICES,
        "microsoft.authorization" => AUTHORIZATION,
        // what is not written at a floor of the whole provider's is written at the newest version that is known
        _ => catalogue::newest(&kind).unwrap_or(RESOURCES),
    }
}

/// One page of a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// What it holds; may be nothing although more pages follow.
    pub items: Vec<Value>,
    /// The address of the next page, used as it stands.
    pub next: Option<String>,
}

/// Reads one page of a list; a body without `value` is an empty last page.
pub fn page(body: &Value) -> Page {
    Page {
        items: body.get("value").and_then(Value::as_array).cloned().unwrap_or_default(),
        next: body.get("nextLink").and_then(Value::as_str).filter(|link| !link.is_empty()).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SERVICE_ID: &str = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ApiManagement/service/apim";
    const ACCOUNT_ID: &str = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.CognitiveServices/accounts/aoai";

    #[test]
    fn reads_are_newest_and_writes_at_the_floor() {
        assert!(children(SERVICE_ID, "backends").url.ends_with("/backends?api-version=2025-09-01-preview"));
        let gone = delete(&format!("{SERVICE_ID}/backends/a"), Some("\"e\""));
        assert!(gone.url.ends_with("/backends/a?api-version=2024-05-01"));
        assert_eq!(gone.headers.get("if-match"), Some("\"e\""));
        assert!(delete(ACCOUNT_ID, None).url.ends_with("?api-version=2024-10-01"));
        assert!(policy(&format!("{SERVICE_ID}/apis/a")).url.ends_with("&format=xml"));
    }

    #[test]
    fn remains_are_where_azure_keeps_them() {
        let sweden = Location::new("Sweden Central");
        assert_eq!(
            remains(SERVICE_ID, &sweden),
            "/subscriptions/s/providers/Microsoft.ApiManagement/locations/swedencentral/deletedservices/apim"
        );
        assert_eq!(
            remains(ACCOUNT_ID, &sweden),
            "/subscriptions/s/providers/Microsoft.CognitiveServices/locations/swedencentral/resourceGroups/rg/deletedAccounts/aoai"
        );
    }

    #[test]
    fn an_empty_page_can_have_a_successor() {
        let empty = page(&json!({"nextLink": "https://h:443/next?%24skiptoken=a%2fb", "value": []}));
        assert_eq!((empty.items.len(), empty.next.as_deref()), (0, Some("https://h:443/next?%24skiptoken=a%2fb")));
        assert_eq!(page(&json!({"value": [1], "nextLink": null})).next, None);
        assert_eq!(page(&json!({"value": [1], "nextLink": ""})).next, None);
        assert_eq!(page(&Value::Null), Page::default());
    }
}
