// Azure OpenAI deployments behind one API Management gateway.
// Written by aoai-lb: change the spec, not this file.

targetScope = 'resourceGroup'

// Parameters

@description('Region of the API Management service.')
param location string = 'eastus2'

@description('Name of the API Management service.')
@minLength(1)
@maxLength(50)
param gatewayName string = 'apim-${uniqueString(toLower(resourceGroup().id), 'apim-lbpool', '')}'

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
  cog1: 'eastus2'
  cog2: 'swedencentral'
}

@description('Tags of every resource that can have them.')
param tags object = {
  sample: 'quickstart'
}

var openAIUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
var unique = uniqueString(toLower(resourceGroup().id), 'apim-lbpool', '')
var stack = 'apim-lbpool/${unique}'
var stackTags = union(tags, { 'aoai-lb-stack': stack })

// Azure OpenAI accounts and their deployments

resource accountCog1 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-cog1-${unique}'
  location: accountLocations.cog1
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-cog1-${unique}'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentCog1Openaideploy1 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountCog1
  name: 'openaideploy1'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 10
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

resource accountCog2 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-cog2-${unique}'
  location: accountLocations.cog2
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-cog2-${unique}'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentCog2Openaideploy2 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountCog2
  name: 'openaideploy2'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 20
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

module roleCog1 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-apim-lbpool-${unique}-role-cog1'
  params: {
    accountName: accountCog1.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

module roleCog2 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-apim-lbpool-${unique}-role-cog2'
  params: {
    accountName: accountCog2.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

// Backends and pools

// A backend never stands before the deployment that it calls.
resource backendBackend1 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'backend1'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountCog1.properties.endpoint}openai/deployments/openaideploy1'
    circuitBreaker: {
      rules: [
        {
          name: 'default'
          failureCondition: {
            count: 1
            interval: 'PT1M'
            statusCodeRanges: [
              {
                min: 408
                max: 408
              }
              {
                min: 429
                max: 429
              }
              {
                min: 499
                max: 500
              }
              {
                min: 502
                max: 504
              }
            ]
          }
          tripDuration: 'PT1M'
          acceptRetryAfter: true
        }
      ]
    }
  }
  dependsOn: [
    deploymentCog1Openaideploy1
  ]
}

resource backendBackend2 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'backend2'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountCog2.properties.endpoint}openai/deployments/openaideploy2'
    circuitBreaker: {
      rules: [
        {
          name: 'default'
          failureCondition: {
            count: 1
            interval: 'PT1M'
            statusCodeRanges: [
              {
                min: 408
                max: 408
              }
              {
                min: 429
                max: 429
              }
              {
                min: 499
                max: 500
              }
              {
                min: 502
                max: 504
              }
            ]
          }
          tripDuration: 'PT1M'
          acceptRetryAfter: true
        }
      ]
    }
  }
  dependsOn: [
    deploymentCog2Openaideploy2
  ]
}

resource poolOpenaiBackendPool 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'openai-backend-pool'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Pool'
    pool: {
      services: [
        {
          id: backendBackend1.id
          priority: 1
          weight: 10
        }
        {
          id: backendBackend2.id
          priority: 1
          weight: 20
        }
      ]
    }
  }
}

// APIs with their operations and policies, and who may call them

resource apiOpenai 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: gateway
  name: 'openai'
  properties: {
    displayName: 'OpenAI'
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
    poolOpenaiBackendPool
  ]
}

resource subscriptionOpenaiSubscription 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = {
  parent: gateway
  name: 'openai-subscription'
  properties: {
    displayName: 'Open AI Subscription'
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

@description('URLs of the APIs by key.')
output apiUrls object = {
  openai: '${gateway.properties.gatewayUrl}/openai'
}

@description('Names of the subscriptions by key; their keys are no output.')
output subscriptions object = {
  'openai-subscription': 'openai-subscription'
  probe: 'probe'
}

@description('Ids, names, endpoints and regions of the accounts by key.')
output accounts object = {
  cog1: {
    id: accountCog1.id
    name: accountCog1.name
    endpoint: accountCog1.properties.endpoint
    location: accountLocations.cog1
  }
  cog2: {
    id: accountCog2.id
    name: accountCog2.name
    endpoint: accountCog2.properties.endpoint
    location: accountLocations.cog2
  }
}
