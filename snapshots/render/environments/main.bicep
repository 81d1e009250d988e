// Azure OpenAI deployments behind one API Management gateway.
// Written by aoai-lb: change the spec, not this file.

targetScope = 'resourceGroup'

// Parameters

@description('Region of the API Management service.')
param location string = 'swedencentral'

@description('Name of the API Management service.')
@minLength(1)
@maxLength(50)
param gatewayName string = 'apim-${uniqueString(toLower(resourceGroup().id), 'contoso-search', '')}'

@description('Tier of the API Management service.')
@allowed([
  'BasicV2'
  'StandardV2'
  'PremiumV2'
])
param gatewaySku string = 'StandardV2'

@description('Scale units of the API Management service.')
@minValue(1)
param gatewayCapacity int = 2

@description('Shown to developers as the publisher.')
param publisherName string = 'Contoso'

@description('Receives the notifications of the service.')
param publisherEmail string = 'search-platform@contoso.com'

@description('Regions of the accounts by key.')
param accountLocations object = {
  eastus2: 'eastus2'
  swedencentral: 'swedencentral'
}

@description('Tags of every resource that can have them.')
param tags object = {
  owner: 'search'
  stage: 'production'
}

var openAIUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
var unique = uniqueString(toLower(resourceGroup().id), 'contoso-search', '')
var stack = 'contoso-search/${unique}'
var stackTags = union(tags, { 'aoai-lb-stack': stack })

// Azure OpenAI accounts and their deployments

resource accountEastus2 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-eastus2-${unique}'
  location: accountLocations.eastus2
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-eastus2-${unique}'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentEastus2Gpt54Mini 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountEastus2
  name: 'gpt-5.4-mini'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 200
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
resource deploymentEastus2TextEmbedding3Large 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountEastus2
  name: 'text-embedding-3-large'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 350
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
    deploymentEastus2Gpt54Mini
  ]
}

resource accountSwedencentral 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-swedencentral-${unique}'
  location: accountLocations.swedencentral
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-swedencentral-${unique}'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentSwedencentralGpt54Mini 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountSwedencentral
  name: 'gpt-5.4-mini'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 200
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

resource deploymentSwedencentralTextEmbedding3Large 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountSwedencentral
  name: 'text-embedding-3-large'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 350
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
    deploymentSwedencentralGpt54Mini
  ]
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

module roleEastus2 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-contoso-search-${unique}-role-eastus2'
  params: {
    accountName: accountEastus2.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

module roleSwedencentral 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-contoso-search-${unique}-role-swedencentral'
  params: {
    accountName: accountSwedencentral.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

// Backends and pools

// A backend never stands before the deployment that it calls.
resource backendEastus2Gpt54Mini 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'eastus2-gpt-5.4-mini'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountEastus2.properties.endpoint}openai/deployments/gpt-5.4-mini'
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
    deploymentEastus2Gpt54Mini
  ]
}

resource backendEastus2TextEmbedding3Large 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'eastus2-text-embedding-3-large'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountEastus2.properties.endpoint}openai/deployments/text-embedding-3-large'
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
    deploymentEastus2TextEmbedding3Large
  ]
}

resource backendSwedencentralGpt54Mini 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'swedencentral-gpt-5.4-mini'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountSwedencentral.properties.endpoint}openai/deployments/gpt-5.4-mini'
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
    deploymentSwedencentralGpt54Mini
  ]
}

resource backendSwedencentralTextEmbedding3Large 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'swedencentral-text-embedding-3-large'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountSwedencentral.properties.endpoint}openai/deployments/text-embedding-3-large'
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
    deploymentSwedencentralTextEmbedding3Large
  ]
}

resource poolGpt54Mini 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'gpt-5.4-mini'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Pool'
    pool: {
      services: [
        {
          id: backendEastus2Gpt54Mini.id
          priority: 1
          weight: 1
        }
        {
          id: backendSwedencentralGpt54Mini.id
          priority: 1
          weight: 1
        }
      ]
    }
  }
}

resource poolTextEmbedding3Large 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'text-embedding-3-large'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Pool'
    pool: {
      services: [
        {
          id: backendEastus2TextEmbedding3Large.id
          priority: 1
          weight: 1
        }
        {
          id: backendSwedencentralTextEmbedding3Large.id
          priority: 1
          weight: 1
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
    poolGpt54Mini
    poolTextEmbedding3Large
  ]
}

resource subscriptionDefault 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = {
  parent: gateway
  name: 'default'
  properties: {
    displayName: 'default'
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
  default: 'default'
  probe: 'probe'
}

@description('Ids, names, endpoints and regions of the accounts by key.')
output accounts object = {
  eastus2: {
    id: accountEastus2.id
    name: accountEastus2.name
    endpoint: accountEastus2.properties.endpoint
    location: accountLocations.eastus2
  }
  swedencentral: {
    id: accountSwedencentral.id
    name: accountSwedencentral.name
    endpoint: accountSwedencentral.properties.endpoint
    location: accountLocations.swedencentral
  }
}
