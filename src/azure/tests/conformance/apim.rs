//! Recorded traffic of API Management.

use super::*;
use crate::azure::faults::{Answer, Fault};

const SUBSCRIPTION: &str = "00000000-0000-0000-0000-000000000000";

/// The address of something in a recording's service.
fn under(group: &str, service: &str, rest: &str) -> String {
    let base =
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.ApiManagement/service");
    format!("{base}/{service}{rest}")
}

fn made(bench: &mut Bench, path: &str, body: Value) {
    let answer = bench.send(Method::Put, path, APIM, body);
    assert_eq!(answer.status, 201, "{path}: {}", String::from_utf8_lossy(&answer.body));
}

#[test]
fn backends_of_2019() {
    play(&Recording {
        name: "apim-backend-crud-etag-2019",
        group: ("Api-Default-CentralUS", "centralus"),
        service: Some("sdktestservice20190101"),
        retry_after: true,
        ..*NOTHING
    });
}

#[test]
fn policies_of_2019() {
    play(&Recording {
        name: "apim-policy-crud-format-2019",
        group: ("Api-Default-CentralUS", "centralus"),
        service: Some("sdktestservice20190101"),
        retry_after: true,
        known: &[(2, "the policy that every service has bears a long comment there")],
        ..*NOTHING
    });
}

#[test]
fn subscriptions_of_2019() {
    play(&Recording {
        name: "apim-subscription-crud-2019",
        group: ("Api-Default-CentralUS", "centralus"),
        service: Some("sdktestservice20190101"),
        retry_after: true,
        known: &[
            (2, "the subscription that is asked for by its name stands beside those that every service has"),
            (3, "the same"),
            (8, "the same"),
        ],
        aside: |bench, i| {
            if i == 1 {
                // the name that Azure made up for a subscription of this service
                let path =
                    under("Api-Default-CentralUS", "sdktestservice20190101", "/subscriptions/5e3cad2f4acd5f008a070001");
                let body =
                    json!({"properties": {"displayName": "a", "scope": "/products/starter", "ownerId": "/users/1"}});
                made(bench, &path, body);
            }
        },
        absent: &[("user", "the owner's account is shown by an answer of 2019 alone")],
        ..*NOTHING
    });
}

#[test]
fn a_service_of_2019() {
    play(&Recording {
        name: "apim-service-create-list-delete-2019-01-01",
        retry_after: true,
        known: &[
            (0, "in 2020 Azure Resource Manager answered the .NET client on several lines"),
            (1, "the same, and a group had no type"),
        ],
        ..*NOTHING
    });
}

#[test]
fn a_service_that_takes_an_hour() {
    play(&Recording { name: "apim-create-developer-long-lro", group: ("cli_test_apim-000001", "westus"), ..*NOTHING });
}

#[test]
fn a_deleted_service_is_purged() {
    play(&Recording { name: "apim-deleted-service-purge", ..*NOTHING });
}

/// The service adds to old api-versions.
const OF_2025: (&str, &str) = ("backendId", "a recording of 2025 at the same api-version has it");

/// The core reads no links: a definition of the same shape stands in the request instead.
const INLINE: &str = r#""{\"openapi\": \"3.0.0\", \"info\": {\"title\": \"Swagger Petstore\", \"version\": \"1\", \"license\": {\"name\": \"MIT\"}}, \"servers\": [{\"url\": \"http://petstore.swagger.io/v1\"}], \"paths\": {\"/pets\": {\"get\": {\"operationId\": \"listPets\", \"responses\": {\"200\": {\"description\": \"pets\"}}}}}}""#;
const LINK: &str =
    r#""https://raw.githubusercontent.com/OAI/OpenAPI-Specification/master/examples/v3.0/petstore.json""#;

#[test]
fn a_deletion_whose_address_goes_with_the_service() {
    play(&Recording {
        name: "apim-delete-poll-ends-404",
        skipped: &[("export=True", "definitions are not written here")],
        absent: &[OF_2025],
        edits: &[
            (10, LINK, INLINE, "the core reads no links"),
            (10, "openapi-link", "openapi", "the core reads no links"),
        ],
        ..*NOTHING
    });
}

#[test]
fn children_of_2022_as_a_command_line_asks_for_them() {
    play(&Recording {
        name: "apim-children-crud-and-service-delete",
        group: ("cli_test_apim-000001", "westus"),
        edits: &[
            (9, LINK, INLINE, "the core reads no links"),
            (9, "openapi-link", "openapi", "the core reads no links"),
        ],
        aside: |bench, i| {
            if i == 0 {
                let body = json!({
                    "location": "westus", "sku": {"name": "Developer", "capacity": 1},
                    "properties": {"publisherEmail": "a@contoso.com", "publisherName": "Contoso"},
                });
                made(bench, &under("cli_test_apim-000001", "cli-test-apim-000003", ""), body);
                bench.wait(10_000);
            }
        },
        absent: &[
            OF_2025,
            ("provisioningState", "of a named value: a recording of 2025 at the same api-version has it"),
        ],
        ..*NOTHING
    });
}

#[test]
fn children_of_2022_as_an_operator_asks_for_them() {
    play(&Recording {
        name: "apim-2022-08-01-children-500-on-delete",
        group: ("asotest-rg-pwokuh", "westus2"),
        retry_after: true,
        known: &[(1, "one poll brought no Location; the client followed the other header")],
        aside: |bench, i| {
            if i == 39 {
                let path = "/authorizationProviders/asotest-authorizationprovider-larsiz";
                let path = under("asotest-rg-pwokuh", "asotest-apimanagement-sczlzm", path);
                made(bench, &path, json!({"properties": {"displayName": "a", "identityProvider": "aad"}}));
            }
            if i == 42 {
                let message = "Request processing failed due to internal error.".to_owned();
                let answer = Answer { status: Some(500), message: Some(message), ..Answer::default() };
                bench
                    .world
                    .add_faults(bench.now, vec![Fault { answer: Some(answer), times: Some(1), ..Fault::default() }]);
            }
        },
        ..*NOTHING
    });
}

#[test]
fn a_service_of_version_2_and_its_children() {
    play(&Recording {
        name: "apim-basicv2-2024-05-01-service-and-children",
        group: ("asotest-rg-nbqudn", "westus3"),
        retry_after: true,
        skipped: &[("/Microsoft.Insights/", "not built yet")],
        known: &[(92, "recorded, a group just deleted answers so or as a group that is not there")],
        aside: |bench, i| {
            const SERVICE: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/asotest-rg-nbqudn/providers/Microsoft.ApiManagement/service/asotest-apimanagementv4-esjrun";
            // requests that are not in the recording
            if i == 67 {
                let product = format!("{SERVICE}/products/asotest-product1-zhbhvz");
                assert_eq!(bench.send(Method::Delete, &product, APIM, Value::Null).status, 200);
            }
            if i == 79 {
                let set = json!({"properties": {"displayName": "diagnostic-test-vs", "versioningScheme": "Segment"}});
                let path = format!("{SERVICE}/apiVersionSets/asotest-vs-ylwkei");
                assert_eq!(bench.send(Method::Put, &path, APIM, set).status, 201);
            }
        },
        ..*NOTHING
    });
}

#[test]
fn a_name_that_is_soft_deleted_and_then_purged() {
    const SERVICE: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/asotest-rg-ncoodr/providers/Microsoft.ApiManagement/service/asotestahgmal";
    const DELETED: &str = "/subscriptions/00000000-0000-0000-0000-000000000000/providers/Microsoft.ApiManagement/locations/eastus/deletedservices/asotestahgmal";
    play(&Recording {
        name: "apim-softdelete-conflict-servicelocked-then-create",
        group: ("asotest-rg-ncoodr", "westus2"),
        retry_after: true,
        aside: |bench, i| match i {
            0 => {
                let mut body = service();
                body["location"] = json!("eastus");
                assert_eq!(bench.send(Method::Put, SERVICE, APIM, body).status, 201);
                bench.wait(200);
                assert_eq!(bench.send(Method::Delete, SERVICE, APIM, Value::Null).status, 202);
                bench.wait(200);
            }
            10 => assert_eq!(bench.send(Method::Delete, DELETED, APIM, Value::Null).status, 202),
            15 => bench.wait(61),
            _ => {}
        },
        ..*NOTHING
    });
}
