// Azure OpenAI deployments behind one API Management gateway.
// Written by aoai-lb: change the spec, not this file.

targetScope = 'resourceGroup'

// Parameters

@description('Region of the API Management service.')
param location string = 'uksouth'

@description('Name of the API Management service.')
@minLength(1)
@maxLength(50)
param gatewayName string = 'apim-${uniqueString(toLower(resourceGroup().id), 'contoso-rotation', '')}'

@description('Tier of the API Management service.')
@allowed([
  'Developer'
  'Basic'
  'Standard'
  'Premium'
])
param gatewaySku string = 'Developer'

@description('Scale units of the API Management service.')
@minValue(1)
param gatewayCapacity int = 1

@description('Shown to developers as the publisher.')
param publisherName string = 'Contoso'

@description('Receives the notifications of the service.')
param publisherEmail string = 'ai-platform@contoso.com'

@description('Regions of the accounts by key.')
param accountLocations object = {
  uks: 'uksouth'
  wus: 'westus3'
}

@description('Tags of every resource that can have them.')
param tags object = {
  sample: 'round-robin'
}

var openAIUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
var unique = uniqueString(toLower(resourceGroup().id), 'contoso-rotation', '')
var stack = 'contoso-rotation/${unique}'
var stackTags = union(tags, { 'aoai-lb-stack': stack })

// Azure OpenAI accounts and their deployments

resource accountUks 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-uks-${unique}'
  location: accountLocations.uks
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-uks-${unique}'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentUksGpt54Mini 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountUks
  name: 'gpt-5.4-mini'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 20
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: 'gpt-5.4-mini'
      version: '2026-03-17'
    }
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
}

// One after the other: Azure refuses two deployments of one account at a time.
resource deploymentUksTextEmbedding3Large 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountUks
  name: 'text-embedding-3-large'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 20
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: 'text-embedding-3-large'
      version: '1'
    }
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
  dependsOn: [
    deploymentUksGpt54Mini
  ]
}

resource accountWus 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-wus-${unique}'
  location: accountLocations.wus
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-wus-${unique}'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentWusGpt54Mini 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountWus
  name: 'gpt-5.4-mini'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 20
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: 'gpt-5.4-mini'
      version: '2026-03-17'
    }
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
}

resource deploymentWusTextEmbedding3Large 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountWus
  name: 'text-embedding-3-large'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 20
  }
  properties: {
    model: {
      format: 'OpenAI'
      name: 'text-embedding-3-large'
      version: '1'
    }
    versionUpgradeOption: 'OnceCurrentVersionExpired'
  }
  dependsOn: [
    deploymentWusGpt54Mini
  ]
}

// API Management service

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-contoso-rotation'
  location: location
  tags: stackTags
}

resource gateway 'Microsoft.ApiManagement/service@2024-05-01' = {
  name: gatewayName
  location: location
  tags: stackTags
  sku: {
    name: gatewaySku
    capacity: gatewayCapacity
  }
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identity.id}': {}
    }
  }
  properties: {
    publisherName: publisherName
    publisherEmail: publisherEmail
  }
}

// The gateway may call the accounts

module roleUks 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-contoso-rotation-${unique}-role-uks'
  params: {
    accountName: accountUks.name
    principalId: identity.properties.principalId
    roleId: openAIUser
    stack: stack
  }
}

module roleWus 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-contoso-rotation-${unique}-role-wus'
  params: {
    accountName: accountWus.name
    principalId: identity.properties.principalId
    roleId: openAIUser
    stack: stack
  }
}

// Backends and pools

resource namedValueIdentityClientId 'Microsoft.ApiManagement/service/namedValues@2024-05-01' = {
  parent: gateway
  name: 'identity-client-id'
  properties: {
    displayName: 'identity-client-id'
    value: identity.properties.clientId
    secret: false
    tags: [
      'aoai-lb:${stack}'
    ]
  }
}

// A backend never stands before the deployment that it calls.
resource backendUksGpt54Mini 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'uks-gpt-5.4-mini'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountUks.properties.endpoint}openai/deployments/gpt-5.4-mini'
  }
  dependsOn: [
    deploymentUksGpt54Mini
  ]
}

resource backendUksTextEmbedding3Large 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'uks-text-embedding-3-large'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountUks.properties.endpoint}openai/deployments/text-embedding-3-large'
  }
  dependsOn: [
    deploymentUksTextEmbedding3Large
  ]
}

resource backendWusGpt54Mini 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'wus-gpt-5.4-mini'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountWus.properties.endpoint}openai/deployments/gpt-5.4-mini'
  }
  dependsOn: [
    deploymentWusGpt54Mini
  ]
}

resource backendWusTextEmbedding3Large 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'wus-text-embedding-3-large'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountWus.properties.endpoint}openai/deployments/text-embedding-3-large'
  }
  dependsOn: [
    deploymentWusTextEmbedding3Large
  ]
}

// APIs with their operations and policies, and who may call them

resource apiOpenai 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: gateway
  name: 'openai'
  properties: {
    displayName: 'openai'
    description: 'aoai-lb:${stack}'
    path: 'openai'
    protocols: [
      'https'
    ]
    subscriptionRequired: true
    subscriptionKeyParameterNames: {
      header: 'api-key'
      query: 'api-key'
    }
  }
}

resource operationOpenaiAudioSpeech 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiOpenai
  name: 'audio-speech'
  properties: {
    displayName: 'Speech'
    method: 'POST'
    urlTemplate: '/deployments/{deployment}/audio/speech'
    templateParameters: [
      {
        name: 'deployment'
        type: 'string'
        required: true
      }
    ]
  }
}

resource operationOpenaiAudioTranscriptions 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiOpenai
  name: 'audio-transcriptions'
  properties: {
    displayName: 'Transcriptions'
    method: 'POST'
    urlTemplate: '/deployments/{deployment}/audio/transcriptions'
    templateParameters: [
      {
        name: 'deployment'
        type: 'string'
        required: true
      }
    ]
  }
}

resource operationOpenaiAudioTranslations 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiOpenai
  name: 'audio-translations'
  properties: {
    displayName: 'Translations'
    method: 'POST'
    urlTemplate: '/deployments/{deployment}/audio/translations'
    templateParameters: [
      {
        name: 'deployment'
        type: 'string'
        required: true
      }
    ]
  }
}

resource operationOpenaiChatCompletions 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiOpenai
  name: 'chat-completions'
  properties: {
    displayName: 'Chat completions'
    method: 'POST'
    urlTemplate: '/deployments/{deployment}/chat/completions'
    templateParameters: [
      {
        name: 'deployment'
        type: 'string'
        required: true
      }
    ]
  }
}

resource operationOpenaiCompletions 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiOpenai
  name: 'completions'
  properties: {
    displayName: 'Completions'
    method: 'POST'
    urlTemplate: '/deployments/{deployment}/completions'
    templateParameters: [
      {
        name: 'deployment'
        type: 'string'
        required: true
      }
    ]
  }
}

resource operationOpenaiEmbeddings 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiOpenai
  name: 'embeddings'
  properties: {
    displayName: 'Embeddings'
    method: 'POST'
    urlTemplate: '/deployments/{deployment}/embeddings'
    templateParameters: [
      {
        name: 'deployment'
        type: 'string'
        required: true
      }
    ]
  }
}

resource operationOpenaiImagesGenerations 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiOpenai
  name: 'images-generations'
  properties: {
    displayName: 'Image generations'
    method: 'POST'
    urlTemplate: '/deployments/{deployment}/images/generations'
    templateParameters: [
      {
        name: 'deployment'
        type: 'string'
        required: true
      }
    ]
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
    backendUksGpt54Mini
    backendUksTextEmbedding3Large
    backendWusGpt54Mini
    backendWusTextEmbedding3Large
    namedValueIdentityClientId
  ]
}

resource subscriptionOpenaiSub 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = {
  parent: gateway
  name: 'openai-sub'
  properties: {
    displayName: 'OpenAI'
    scope: apiOpenai.id
    state: 'active'
    allowTracing: true
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

@description('The identity that the gateway calls models with.')
output identity object = {
  id: identity.id
  name: identity.name
  clientId: identity.properties.clientId
  principalId: identity.properties.principalId
}

@description('URLs of the APIs by key.')
output apiUrls object = {
  openai: '${gateway.properties.gatewayUrl}/openai'
}

@description('Names of the subscriptions by key; their keys are no output.')
output subscriptions object = {
  'openai-sub': 'openai-sub'
  probe: 'probe'
}

@description('Ids, names, endpoints and regions of the accounts by key.')
output accounts object = {
  uks: {
    id: accountUks.id
    name: accountUks.name
    endpoint: accountUks.properties.endpoint
    location: accountLocations.uks
  }
  wus: {
    id: accountWus.id
    name: accountWus.name
    endpoint: accountWus.properties.endpoint
    location: accountLocations.wus
  }
}
