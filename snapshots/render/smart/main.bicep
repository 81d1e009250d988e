// Azure OpenAI deployments behind one API Management gateway.
// Written by aoai-lb: change the spec, not this file.

targetScope = 'resourceGroup'

// Parameters

@description('Region of the API Management service.')
param location string = 'eastus'

@description('Name of the API Management service.')
@minLength(1)
@maxLength(50)
param gatewayName string = 'apim-${uniqueString(toLower(resourceGroup().id), 'contoso-smart', '')}'

@description('Tier of the API Management service.')
@allowed([
  'BasicV2'
  'StandardV2'
  'PremiumV2'
])
param gatewaySku string = 'BasicV2'

@description('Scale units of the API Management service.')
@minValue(1)
param gatewayCapacity int = 1

@description('Shown to developers as the publisher.')
param publisherName string = 'Contoso'

@description('Receives the notifications of the service.')
param publisherEmail string = 'ai-platform@contoso.com'

@description('Regions of the accounts by key.')
param accountLocations object = {
  canadaeast: 'canadaeast'
  eastus: 'eastus'
  francecentral: 'francecentral'
  northcentralus: 'northcentralus'
}

@description('Tags of every resource that can have them.')
param tags object = {
  sample: 'smart'
}

var openAIUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
var unique = uniqueString(toLower(resourceGroup().id), 'contoso-smart', '')
var stack = 'contoso-smart/${unique}'
var stackTags = union(tags, { 'aoai-lb-stack': stack })

// Azure OpenAI accounts and their deployments

resource accountCanadaeast 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-canadaeast-${unique}'
  location: accountLocations.canadaeast
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-canadaeast-${unique}'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentCanadaeastGpt51 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountCanadaeast
  name: 'gpt-5.1'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 50
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: 'gpt-5.1'
      version: '2025-11-13'
    }
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
}

resource accountEastus 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-eastus-${unique}'
  location: accountLocations.eastus
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-eastus-${unique}'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentEastusGpt51 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountEastus
  name: 'gpt-5.1'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 100
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: 'gpt-5.1'
      version: '2025-11-13'
    }
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
}

resource accountFrancecentral 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-francecentral-${unique}'
  location: accountLocations.francecentral
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-francecentral-${unique}'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentFrancecentralGpt51 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountFrancecentral
  name: 'gpt-5.1'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 50
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: 'gpt-5.1'
      version: '2025-11-13'
    }
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
}

resource accountNorthcentralus 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-northcentralus-${unique}'
  location: accountLocations.northcentralus
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-northcentralus-${unique}'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentNorthcentralusGpt51 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountNorthcentralus
  name: 'gpt-5.1'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 100
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: 'gpt-5.1'
      version: '2025-11-13'
    }
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
}

// API Management service

resource gateway 'Microsoft.ApiManagement/service@2024-05-01' = {
  name: gatewayName
  location: location
  tags: stackTags
  sku: {
    name: gatewaySku
    capacity: gatewayCapacity
  }
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    publisherName: publisherName
    publisherEmail: publisherEmail
  }
}

// The gateway may call the accounts

module roleCanadaeast 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-contoso-smart-${unique}-role-canadaeast'
  params: {
    accountName: accountCanadaeast.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

module roleEastus 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-contoso-smart-${unique}-role-eastus'
  params: {
    accountName: accountEastus.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

module roleFrancecentral 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-contoso-smart-${unique}-role-francecentral'
  params: {
    accountName: accountFrancecentral.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

module roleNorthcentralus 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-contoso-smart-${unique}-role-northcentralus'
  params: {
    accountName: accountNorthcentralus.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

// Backends and pools

resource namedValuePartner 'Microsoft.ApiManagement/service/namedValues@2024-05-01' = {
  parent: gateway
  name: 'partner-key'
  properties: {
    displayName: 'partner-key'
    keyVault: {
      #disable-next-line no-hardcoded-env-urls
      secretIdentifier: 'https://kv-contoso-smart.vault.azure.net/secrets/partner-key'
    }
    secret: true
    tags: [
      'aoai-lb:${stack}'
    ]
  }
}

// A backend never stands before the deployment that it calls.
resource backendCanadaeast 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'canadaeast'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountCanadaeast.properties.endpoint}openai/deployments/gpt-5.1'
  }
  dependsOn: [
    deploymentCanadaeastGpt51
  ]
}

resource backendEastus 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'eastus'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountEastus.properties.endpoint}openai/deployments/gpt-5.1'
  }
  dependsOn: [
    deploymentEastusGpt51
  ]
}

resource backendFrancecentral 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'francecentral'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountFrancecentral.properties.endpoint}openai/deployments/gpt-5.1'
  }
  dependsOn: [
    deploymentFrancecentralGpt51
  ]
}

resource backendNorthcentralus 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'northcentralus'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountNorthcentralus.properties.endpoint}openai/deployments/gpt-5.1'
  }
  dependsOn: [
    deploymentNorthcentralusGpt51
  ]
}

resource backendPartner 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'partner'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: 'https://partner.example.com/openai/deployments/gpt-5.1'
  }
}

// APIs with their operations and policies, and who may call them

resource apiOpenai 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: gateway
  name: 'openai'
  properties: {
    displayName: 'Azure OpenAI'
    description: 'aoai-lb:${stack} 1e13db91'
    path: 'openai'
    protocols: [
      'https'
    ]
    subscriptionRequired: true
    subscriptionKeyParameterNames: {
      header: 'api-key'
      query: 'api-key'
    }
    format: 'openapi+json'
    value: loadTextContent('api-openai.openapi.json')
  }
}

// Azure refuses a policy that names what is not there.
resource policyOpenai 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = {
  parent: apiOpenai
  name: 'policy'
  properties: {
    format: 'rawxml'
    value: loadTextContent('policy.xml')
  }
  dependsOn: [
    backendCanadaeast
    backendEastus
    backendFrancecentral
    backendNorthcentralus
    backendPartner
    namedValuePartner
  ]
}

resource subscriptionChat 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = {
  parent: gateway
  name: 'chat'
  properties: {
    displayName: 'The chat application'
    scope: apiOpenai.id
    state: 'active'
    allowTracing: false
  }
}

resource subscriptionProbe 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = {
  parent: gateway
  name: 'probe'
  properties: {
    displayName: 'Probe of aoai-lb'
    scope: apiOpenai.id
    state: 'active'
    allowTracing: false
  }
}

// Outputs

@description('The resource group of the stack.')
output resourceGroup object = {
  id: resourceGroup().id
  name: resourceGroup().name
  location: resourceGroup().location
}

@description('Id of the API Management service.')
output gatewayId string = gateway.id

@description('Name of the API Management service.')
output gatewayName string = gateway.name

@description('URL that callers use.')
output gatewayUrl string = gateway.properties.gatewayUrl

@description('URLs of the APIs by key.')
output apiUrls object = {
  openai: '${gateway.properties.gatewayUrl}/openai'
}

@description('Names of the subscriptions by key; their keys are no output.')
output subscriptions object = {
  chat: 'chat'
  probe: 'probe'
}

@description('Ids, names, endpoints and regions of the accounts by key.')
output accounts object = {
  canadaeast: {
    id: accountCanadaeast.id
    name: accountCanadaeast.name
    endpoint: accountCanadaeast.properties.endpoint
    location: accountLocations.canadaeast
  }
  eastus: {
    id: accountEastus.id
    name: accountEastus.name
    endpoint: accountEastus.properties.endpoint
    location: accountLocations.eastus
  }
  francecentral: {
    id: accountFrancecentral.id
    name: accountFrancecentral.name
    endpoint: accountFrancecentral.properties.endpoint
    location: accountLocations.francecentral
  }
  northcentralus: {
    id: accountNorthcentralus.id
    name: accountNorthcentralus.name
    endpoint: accountNorthcentralus.properties.endpoint
    location: accountLocations.northcentralus
  }
}
