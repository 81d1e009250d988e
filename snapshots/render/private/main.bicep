// Azure OpenAI deployments behind one API Management gateway.
// Written by aoai-lb: change the spec, not this file.

targetScope = 'resourceGroup'

// Parameters

@description('Region of the API Management service.')
param location string = 'westeurope'

@description('Name of the API Management service.')
@minLength(1)
@maxLength(50)
param gatewayName string = 'apim-${uniqueString(toLower(resourceGroup().id), 'contoso-private', '')}'

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
  france: 'francecentral'
  sweden: 'swedencentral'
}

@description('Tags of every resource that can have them.')
param tags object = {}

var openAIUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
var unique = uniqueString(toLower(resourceGroup().id), 'contoso-private', '')
var stack = 'contoso-private/${unique}'
var stackTags = union(tags, { 'aoai-lb-stack': stack })

// Azure OpenAI accounts and their deployments

resource accountFrance 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-france-${unique}'
  location: accountLocations.france
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-france-${unique}'
    disableLocalAuth: true
    publicNetworkAccess: 'Disabled'
  }
}

resource deploymentFranceGpt51 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountFrance
  name: 'gpt-5.1'
  tags: stackTags
  sku: {
    name: 'DataZoneStandard'
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

resource accountSweden 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-sweden-${unique}'
  location: accountLocations.sweden
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-sweden-${unique}'
    disableLocalAuth: true
    publicNetworkAccess: 'Disabled'
  }
}

resource deploymentSwedenGpt51 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountSweden
  name: 'gpt-5.1'
  tags: stackTags
  sku: {
    name: 'DataZoneStandard'
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

// An account takes one operation at a time: the endpoint comes after the deployments.
resource privateEndpointFrance 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: 'aoai-france-${unique}'
  location: location
  tags: stackTags
  properties: {
    subnet: {
      id: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-network/providers/Microsoft.Network/virtualNetworks/vnet-hub/subnets/endpoints'
    }
    privateLinkServiceConnections: [
      {
        name: 'account'
        properties: {
          privateLinkServiceId: accountFrance.id
          groupIds: [
            'account'
          ]
        }
      }
    ]
  }
  dependsOn: [
    deploymentFranceGpt51
  ]
}

resource dnsZoneGroupFrance 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = {
  parent: privateEndpointFrance
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: 'openai'
        properties: {
          privateDnsZoneId: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-network/providers/Microsoft.Network/privateDnsZones/privatelink.openai.azure.com'
        }
      }
    ]
  }
}

resource privateEndpointSweden 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: 'aoai-sweden-${unique}'
  location: location
  tags: stackTags
  properties: {
    subnet: {
      id: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-network/providers/Microsoft.Network/virtualNetworks/vnet-hub/subnets/endpoints'
    }
    privateLinkServiceConnections: [
      {
        name: 'account'
        properties: {
          privateLinkServiceId: accountSweden.id
          groupIds: [
            'account'
          ]
        }
      }
    ]
  }
  dependsOn: [
    deploymentSwedenGpt51
  ]
}

resource dnsZoneGroupSweden 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = {
  parent: privateEndpointSweden
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: 'openai'
        properties: {
          privateDnsZoneId: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-network/providers/Microsoft.Network/privateDnsZones/privatelink.openai.azure.com'
        }
      }
    ]
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
    virtualNetworkType: 'External'
    virtualNetworkConfiguration: {
      subnetResourceId: '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-network/providers/Microsoft.Network/virtualNetworks/vnet-hub/subnets/apim'
    }
  }
}

// The gateway may call the accounts

module roleFrance 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-contoso-private-${unique}-role-france'
  params: {
    accountName: accountFrance.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

module roleSweden 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-contoso-private-${unique}-role-sweden'
  params: {
    accountName: accountSweden.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

// Backends and pools

// A backend never stands before the deployment that it calls.
resource backendFranceGpt51 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'france-gpt-5.1'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountFrance.properties.endpoint}openai/deployments/gpt-5.1'
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
    deploymentFranceGpt51
  ]
}

resource backendSwedenGpt51 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'sweden-gpt-5.1'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountSweden.properties.endpoint}openai/deployments/gpt-5.1'
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
    deploymentSwedenGpt51
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
          id: backendFranceGpt51.id
          priority: 1
          weight: 1
        }
        {
          id: backendSwedenGpt51.id
          priority: 2
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
    poolGpt51
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
  france: {
    id: accountFrance.id
    name: accountFrance.name
    endpoint: accountFrance.properties.endpoint
    location: accountLocations.france
  }
  sweden: {
    id: accountSweden.id
    name: accountSweden.name
    endpoint: accountSweden.properties.endpoint
    location: accountLocations.sweden
  }
}
