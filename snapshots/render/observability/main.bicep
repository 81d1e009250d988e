// Azure OpenAI deployments behind one API Management gateway.
// Written by aoai-lb: change the spec, not this file.

targetScope = 'resourceGroup'

// Parameters

@description('Region of the API Management service.')
param location string = 'eastus2'

@description('Name of the API Management service.')
@minLength(1)
@maxLength(50)
param gatewayName string = 'apim-${uniqueString(toLower(resourceGroup().id), 'contoso-watched', '')}'

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

@description('Days for which the workspace keeps what is recorded.')
@minValue(30)
param logRetentionDays int = 30

@description('Regions of the accounts by key.')
param accountLocations object = {
  swedencentral: 'swedencentral'
  westus3: 'westus3'
}

@description('Tags of every resource that can have them.')
param tags object = {}

var openAIUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
var unique = uniqueString(toLower(resourceGroup().id), 'contoso-watched', '')
var stack = 'contoso-watched/${unique}'
var stackTags = union(tags, { 'aoai-lb-stack': stack })

// Azure OpenAI accounts and their deployments

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

resource accountWestus3 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-westus3-${unique}'
  location: accountLocations.westus3
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-westus3-${unique}'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentWestus3Gpt51 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountWestus3
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

// One after the other: Azure refuses two deployments of one account at a time.
resource deploymentWestus3Gpt51Ptu 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountWestus3
  name: 'gpt-5.1-ptu'
  tags: stackTags
  sku: {
    name: 'ProvisionedManaged'
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
  dependsOn: [
    deploymentWestus3Gpt51
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

module roleSwedencentral 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-contoso-watched-${unique}-role-swedencentral'
  params: {
    accountName: accountSwedencentral.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

module roleWestus3 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-contoso-watched-${unique}-role-westus3'
  params: {
    accountName: accountWestus3.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

// Backends and pools

// A backend never stands before the deployment that it calls.
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

resource backendWestus3Gpt51 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'westus3-gpt-5.1'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountWestus3.properties.endpoint}openai/deployments/gpt-5.1'
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
    deploymentWestus3Gpt51
  ]
}

resource backendWestus3Gpt51Ptu 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'westus3-gpt-5.1-ptu'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountWestus3.properties.endpoint}openai/deployments/gpt-5.1-ptu'
    circuitBreaker: {
      rules: [
        {
          name: 'ptu'
          failureCondition: {
            count: 1
            interval: 'PT10S'
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
          tripDuration: 'PT1S'
          acceptRetryAfter: true
        }
      ]
    }
  }
  dependsOn: [
    deploymentWestus3Gpt51Ptu
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
          id: backendWestus3Gpt51Ptu.id
          priority: 1
          weight: 1
        }
        {
          id: backendSwedencentralGpt51.id
          priority: 2
          weight: 1
        }
        {
          id: backendWestus3Gpt51.id
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

resource subscriptionBatch 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = {
  parent: gateway
  name: 'batch'
  properties: {
    displayName: 'batch'
    scope: apiOpenai.id
    state: 'active'
    allowTracing: false
  }
}

resource subscriptionChat 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = {
  parent: gateway
  name: 'chat'
  properties: {
    displayName: 'chat'
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

// What is recorded, and who is told

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: 'log-${unique}'
  location: location
  tags: stackTags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: logRetentionDays
  }
}

resource appInsights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${unique}'
  location: location
  tags: stackTags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
  }
}

resource loggerApplicationInsights 'Microsoft.ApiManagement/service/loggers@2024-05-01' = {
  parent: gateway
  name: 'applicationinsights'
  properties: {
    loggerType: 'applicationInsights'
    description: 'aoai-lb:${stack}'
    credentials: {
      connectionString: appInsights.properties.ConnectionString
    }
    resourceId: appInsights.id
  }
}

resource diagnosticOpenaiApplicationinsights 'Microsoft.ApiManagement/service/apis/diagnostics@2024-05-01' = {
  parent: apiOpenai
  name: 'applicationinsights'
  properties: {
    loggerId: loggerApplicationInsights.id
    alwaysLog: 'allErrors'
    verbosity: 'information'
    sampling: {
      samplingType: 'fixed'
      percentage: 100
    }
    httpCorrelationProtocol: 'W3C'
    metrics: true
    frontend: {
      request: {
        headers: []
        body: {
          bytes: 0
        }
      }
      response: {
        headers: [
          'x-aoai-lb-served-by'
          'x-aoai-lb-attempts'
          'Retry-After'
          'x-ms-region'
        ]
        body: {
          bytes: 0
        }
      }
    }
    backend: {
      request: {
        headers: []
        body: {
          bytes: 0
        }
      }
      response: {
        headers: [
          'x-aoai-lb-served-by'
          'x-aoai-lb-attempts'
          'Retry-After'
          'x-ms-region'
        ]
        body: {
          bytes: 0
        }
      }
    }
  }
}

resource loggerAzureMonitor 'Microsoft.ApiManagement/service/loggers@2024-05-01' = {
  parent: gateway
  name: 'azuremonitor'
  properties: {
    loggerType: 'azureMonitor'
    description: 'aoai-lb:${stack}'
  }
}

resource diagnosticOpenaiAzuremonitor 'Microsoft.ApiManagement/service/apis/diagnostics@2024-10-01-preview' = {
  parent: apiOpenai
  name: 'azuremonitor'
  properties: {
    loggerId: loggerAzureMonitor.id
    alwaysLog: 'allErrors'
    verbosity: 'information'
    sampling: {
      samplingType: 'fixed'
      percentage: 100
    }
    largeLanguageModel: {
      logs: 'enabled'
    }
    frontend: {
      request: {
        headers: []
        body: {
          bytes: 0
        }
      }
      response: {
        headers: [
          'x-aoai-lb-served-by'
          'x-aoai-lb-attempts'
          'Retry-After'
          'x-ms-region'
        ]
        body: {
          bytes: 0
        }
      }
    }
    backend: {
      request: {
        headers: []
        body: {
          bytes: 0
        }
      }
      response: {
        headers: [
          'x-aoai-lb-served-by'
          'x-aoai-lb-attempts'
          'Retry-After'
          'x-ms-region'
        ]
        body: {
          bytes: 0
        }
      }
    }
  }
}

// Dedicated: each kind of record has a table of its own.
resource diagnosticSetting 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'aoai-lb-${unique}'
  scope: gateway
  properties: {
    workspaceId: workspace.id
    logAnalyticsDestinationType: 'Dedicated'
    logs: [
      {
        category: 'GatewayLogs'
        enabled: true
      }
      {
        category: 'GatewayLlmLogs'
        enabled: true
      }
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

// Its name must be a GUID.
resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, stack, 'workbook')
  location: location
  tags: stackTags
  kind: 'shared'
  properties: {
    displayName: 'Azure OpenAI: contoso-watched'
    category: 'workbook'
    sourceId: gateway.id
    serializedData: loadTextContent('workbook.json')
  }
}

// Not validated: the tables come with the first record.
resource alertSpillover 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'spillover-${unique}'
  location: location
  tags: stackTags
  kind: 'LogAlert'
  properties: {
    displayName: 'contoso-watched: a lower priority serves many calls'
    description: 'More than 25 percent of the calls of five minutes.'
    severity: 2
    enabled: true
    scopes: [
      gateway.id
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      allOf: [
        {
          query: loadTextContent('alerts/spillover.kql')
          timeAggregation: 'Maximum'
          metricMeasureColumn: 'Share'
          operator: 'GreaterThan'
          threshold: 25
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    skipQueryValidation: true
    actions: {
      actionGroups: [
        '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-ops/providers/Microsoft.Insights/actionGroups/ai-oncall'
      ]
    }
  }
}

// Not validated: the tables come with the first record.
resource alertThrottled 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'throttled-${unique}'
  location: location
  tags: stackTags
  kind: 'LogAlert'
  properties: {
    displayName: 'contoso-watched: many calls end in 429'
    description: 'More than 5 percent of the calls of five minutes.'
    severity: 2
    enabled: true
    scopes: [
      gateway.id
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT5M'
    criteria: {
      allOf: [
        {
          query: loadTextContent('alerts/throttled.kql')
          timeAggregation: 'Maximum'
          metricMeasureColumn: 'Share'
          operator: 'GreaterThan'
          threshold: 5
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    autoMitigate: true
    skipQueryValidation: true
    actions: {
      actionGroups: [
        '/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-ops/providers/Microsoft.Insights/actionGroups/ai-oncall'
      ]
    }
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
  batch: 'batch'
  chat: 'chat'
  probe: 'probe'
}

@description('Ids, names, endpoints and regions of the accounts by key.')
output accounts object = {
  swedencentral: {
    id: accountSwedencentral.id
    name: accountSwedencentral.name
    endpoint: accountSwedencentral.properties.endpoint
    location: accountLocations.swedencentral
  }
  westus3: {
    id: accountWestus3.id
    name: accountWestus3.name
    endpoint: accountWestus3.properties.endpoint
    location: accountLocations.westus3
  }
}

@description('Id of the Log Analytics workspace.')
output workspaceId string = workspace.id

@description('Name of Application Insights.')
output appInsightsName string = appInsights.name
