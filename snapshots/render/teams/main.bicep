// Azure OpenAI deployments behind one API Management gateway.
// Written by aoai-lb: change the spec, not this file.

targetScope = 'resourceGroup'

// Parameters

@description('Region of the API Management service.')
param location string = 'swedencentral'

@description('Name of the API Management service.')
@minLength(1)
@maxLength(50)
param gatewayName string = 'apim-${uniqueString(toLower(resourceGroup().id), 'contoso-teams', '')}'

@description('Tier of the API Management service.')
@allowed([
  'BasicV2'
  'StandardV2'
  'PremiumV2'
])
param gatewaySku string = 'StandardV2'

@description('Scale units of the API Management service.')
@minValue(1)
param gatewayCapacity int = 1

@description('Shown to developers as the publisher.')
param publisherName string = 'Contoso'

@description('Receives the notifications of the service.')
param publisherEmail string = 'ai-platform@contoso.com'

@description('Regions of the accounts by key.')
param accountLocations object = {
  francecentral: 'francecentral'
  swedencentral: 'swedencentral'
}

@description('Tags of every resource that can have them.')
param tags object = {}

var openAIUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
var unique = uniqueString(toLower(resourceGroup().id), 'contoso-teams', '')
var stack = 'contoso-teams/${unique}'
var stackTags = union(tags, { 'aoai-lb-stack': stack })

// Azure OpenAI accounts and their deployments

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
    capacity: 300
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

// One after the other: Azure refuses two deployments of one account at a time.
resource deploymentFrancecentralTextEmbedding3Large 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountFrancecentral
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
    deploymentFrancecentralGpt51
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

resource deploymentSwedencentralGpt51 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountSwedencentral
  name: 'gpt-5.1'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 300
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
    deploymentSwedencentralGpt51
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

module roleFrancecentral 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-contoso-teams-${unique}-role-francecentral'
  params: {
    accountName: accountFrancecentral.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

module roleSwedencentral 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-contoso-teams-${unique}-role-swedencentral'
  params: {
    accountName: accountSwedencentral.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

// Backends and pools

// A backend never stands before the deployment that it calls.
resource backendFrancecentralGpt51 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'francecentral-gpt-5.1'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountFrancecentral.properties.endpoint}openai/deployments/gpt-5.1'
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
    deploymentFrancecentralGpt51
  ]
}

resource backendFrancecentralTextEmbedding3Large 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'francecentral-text-embedding-3-large'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountFrancecentral.properties.endpoint}openai/deployments/text-embedding-3-large'
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
    deploymentFrancecentralTextEmbedding3Large
  ]
}

resource backendSwedencentralGpt51 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'swedencentral-gpt-5.1'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountSwedencentral.properties.endpoint}openai/deployments/gpt-5.1'
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
    deploymentSwedencentralGpt51
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

resource poolGpt51 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'gpt-5.1'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Pool'
    pool: {
      services: [
        {
          id: backendFrancecentralGpt51.id
          priority: 1
          weight: 1
        }
        {
          id: backendSwedencentralGpt51.id
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
          id: backendFrancecentralTextEmbedding3Large.id
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

resource apiInternal 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  parent: gateway
  name: 'internal'
  properties: {
    displayName: 'internal'
    description: 'aoai-lb:${stack}'
    path: 'internal/openai'
    protocols: [
      'https'
    ]
    subscriptionRequired: false
    subscriptionKeyParameterNames: {
      header: 'api-key'
      query: 'api-key'
    }
  }
}

resource operationInternalAudioSpeech 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiInternal
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

resource operationInternalAudioTranscriptions 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiInternal
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

resource operationInternalAudioTranslations 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiInternal
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

resource operationInternalChatCompletions 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiInternal
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

resource operationInternalCompletions 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiInternal
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

resource operationInternalEmbeddings 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiInternal
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

resource operationInternalImagesGenerations 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiInternal
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
resource policyInternal 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = {
  parent: apiInternal
  name: 'policy'
  properties: {
    format: 'rawxml'
    value: loadTextContent('policy-internal.xml')
  }
  dependsOn: [
    poolGpt51
    poolTextEmbedding3Large
  ]
}

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
    value: loadTextContent('policy-openai.xml')
  }
  dependsOn: [
    poolGpt51
    poolTextEmbedding3Large
  ]
}

resource productBronze 'Microsoft.ApiManagement/service/products@2024-05-01' = {
  parent: gateway
  name: 'bronze'
  properties: {
    displayName: 'Bronze'
    description: 'aoai-lb:${stack}'
    subscriptionRequired: true
    approvalRequired: false
    state: 'published'
  }
}

resource productApiBronzeOpenai 'Microsoft.ApiManagement/service/products/apis@2024-05-01' = {
  parent: productBronze
  name: apiOpenai.name
}

resource productPolicyBronze 'Microsoft.ApiManagement/service/products/policies@2024-05-01' = {
  parent: productBronze
  name: 'policy'
  properties: {
    format: 'rawxml'
    value: loadTextContent('policies/product-bronze.xml')
  }
}

resource productGold 'Microsoft.ApiManagement/service/products@2024-05-01' = {
  parent: gateway
  name: 'gold'
  properties: {
    displayName: 'Gold'
    description: 'aoai-lb:${stack}'
    subscriptionRequired: true
    approvalRequired: false
    state: 'published'
  }
}

resource productApiGoldOpenai 'Microsoft.ApiManagement/service/products/apis@2024-05-01' = {
  parent: productGold
  name: apiOpenai.name
}

resource productPolicyGold 'Microsoft.ApiManagement/service/products/policies@2024-05-01' = {
  parent: productGold
  name: 'policy'
  properties: {
    format: 'rawxml'
    value: loadTextContent('policies/product-gold.xml')
  }
}

resource subscriptionInterns 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = {
  parent: gateway
  name: 'interns'
  properties: {
    displayName: 'Summer projects'
    scope: productBronze.id
    state: 'active'
    allowTracing: false
  }
}

resource subscriptionProbe 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = {
  parent: gateway
  name: 'probe'
  properties: {
    displayName: 'Probe of aoai-lb'
    scope: apiInternal.id
    state: 'active'
    allowTracing: false
  }
}

resource subscriptionSearchTeam 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = {
  parent: gateway
  name: 'search-team'
  properties: {
    displayName: 'Search'
    scope: productGold.id
    state: 'active'
    allowTracing: false
  }
}

resource subscriptionSupportTeam 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = {
  parent: gateway
  name: 'support-team'
  properties: {
    displayName: 'Support'
    scope: productGold.id
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
  internal: '${gateway.properties.gatewayUrl}/internal/openai'
  openai: '${gateway.properties.gatewayUrl}/openai'
}

@description('Names of the subscriptions by key; their keys are no output.')
output subscriptions object = {
  interns: 'interns'
  probe: 'probe'
  'search-team': 'search-team'
  'support-team': 'support-team'
}

@description('Ids, names, endpoints and regions of the accounts by key.')
output accounts object = {
  francecentral: {
    id: accountFrancecentral.id
    name: accountFrancecentral.name
    endpoint: accountFrancecentral.properties.endpoint
    location: accountLocations.francecentral
  }
  swedencentral: {
    id: accountSwedencentral.id
    name: accountSwedencentral.name
    endpoint: accountSwedencentral.properties.endpoint
    location: accountLocations.swedencentral
  }
}
