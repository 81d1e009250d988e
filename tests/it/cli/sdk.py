"""The Azure SDK for Python against the emulator: deploys a template, lists, reads keys, deletes and purges.

Arguments: the emulator's address and its token. Prints one line of JSON.
"""

import json
import sys

from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.policies import SansIOHTTPPolicy
from azure.mgmt.apimanagement import ApiManagementClient
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.resource.deployments import DeploymentsMgmtClient
from azure.mgmt.resource.resources import ResourceManagementClient

ADDRESS, TOKEN = sys.argv[1:3]
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = "rg-sdk"


class Token:
    def get_token(self, *scopes, **options):
        return AccessToken(TOKEN, 4102444800)


class Bearer(SansIOHTTPPolicy):
    """The SDK's own policy sends no token over http."""

    def on_request(self, request):
        request.http_request.headers["Authorization"] = "Bearer " + TOKEN


def client(kind, version):
    # the SDK's own versions are newer than those that the catalogue knows
    return kind(
        Token(), SUBSCRIPTION, base_url=ADDRESS, api_version=version, authentication_policy=Bearer(), polling_interval=0.2
    )


TEMPLATE = {
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "contentVersion": "1.0.0.0",
    "resources": [
        {
            "type": "Microsoft.CognitiveServices/accounts",
            "apiVersion": "2024-10-01",
            "name": "aoai-sdk",
            "location": "[resourceGroup().location]",
            "kind": "OpenAI",
            "sku": {"name": "S0"},
            "properties": {"customSubDomainName": "aoai-sdk"},
        },
        {
            "type": "Microsoft.CognitiveServices/accounts/deployments",
            "apiVersion": "2024-10-01",
            "name": "aoai-sdk/gpt",
            "sku": {"name": "GlobalStandard", "capacity": 10},
            "properties": {"model": {"format": "OpenAI", "name": "gpt-5.1", "version": "2025-11-13"}},
            "dependsOn": ["[resourceId('Microsoft.CognitiveServices/accounts', 'aoai-sdk')]"],
        },
        {
            "type": "Microsoft.ApiManagement/service",
            "apiVersion": "2024-05-01",
            "name": "apim-sdk",
            "location": "[resourceGroup().location]",
            "sku": {"name": "BasicV2", "capacity": 1},
            "properties": {"publisherEmail": "a@contoso.com", "publisherName": "Contoso"},
        },
    ],
    "outputs": {
        "ENDPOINT": {
            "type": "string",
            "value": "[reference(resourceId('Microsoft.CognitiveServices/accounts', 'aoai-sdk'), '2024-10-01').endpoint]",
        }
    },
}

resources = client(ResourceManagementClient, "2025-04-01")
deployments = client(DeploymentsMgmtClient, "2025-04-01")
accounts = client(CognitiveServicesManagementClient, "2024-10-01")
services = client(ApiManagementClient, "2024-05-01")
told = {}

resources.resource_groups.create_or_update(GROUP, {"location": "eastus2"})
order = {"properties": {"mode": "Incremental", "template": TEMPLATE}}
done = deployments.deployments.begin_create_or_update(GROUP, "main", order).result()
told["deployment"] = done.properties.provisioning_state
told["outputs"] = {name.lower(): output["value"] for name, output in done.properties.outputs.items()}
told["operations"] = sum(1 for _ in deployments.deployment_operations.list(GROUP, "main"))

told["accounts"] = [account.name for account in accounts.accounts.list_by_resource_group(GROUP)]
told["models"] = [(model.name, model.sku.capacity) for model in accounts.deployments.list(GROUP, "aoai-sdk")]
told["keys"] = len(accounts.accounts.list_keys(GROUP, "aoai-sdk").key1)
told["services"] = [service.name for service in services.api_management_service.list_by_resource_group(GROUP)]

try:
    accounts.accounts.get(GROUP, "nobody")
except ResourceNotFoundError as problem:
    told["missing"] = problem.error.code

broken = {"properties": {"mode": "Incremental", "template": {**TEMPLATE, "outputs": {"x": {"type": "string", "value": "[nothing()]"}}}}}
try:
    deployments.deployments.begin_create_or_update(GROUP, "broken", broken).result()
except HttpResponseError as problem:
    told["broken"] = problem.error.code

services.api_management_service.begin_delete(GROUP, "apim-sdk").result()
accounts.accounts.begin_delete(GROUP, "aoai-sdk").result()
told["deleted"] = [account.name for account in accounts.deleted_accounts.list()]
told["deleted_services"] = [service.name for service in services.deleted_services.list_by_subscription()]
accounts.deleted_accounts.begin_purge("eastus2", GROUP, "aoai-sdk").result()
services.deleted_services.begin_purge("apim-sdk", "eastus2").result()
told["left"] = [account.name for account in accounts.deleted_accounts.list()]
told["left"] += [service.name for service in services.deleted_services.list_by_subscription()]
resources.resource_groups.begin_delete(GROUP).result()
told["group"] = resources.resource_groups.check_existence(GROUP)
print(json.dumps(told))
