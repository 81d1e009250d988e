// Azure OpenAI deployments behind one API Management gateway.
// Written by aoai-lb: change the spec, not this file.

targetScope = 'resourceGroup'

// Parameters

@description('Region of the API Management service.')
param location string = 'eastus2'

@description('Name of the API Management service.')
@minLength(1)
@maxLength(50)
param gatewayName string = 'apim-ai-features'

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
param publisherName string = 'ai-features'

@description('Receives the notifications of the service.')
param publisherEmail string = ''

@description('Days for which the workspace keeps what is recorded.')
@minValue(30)
param logRetentionDays int = 30

@description('Regions of the accounts by key.')
param accountLocations object = {
  'eus-1': 'eastus'
  'eus2-1': 'eastus2'
  'scus-1': 'southcentralus'
}

@description('Tags of every resource that can have them.')
param tags object = {}

var openAIUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
var unique = uniqueString(toLower(resourceGroup().id), 'ai-features', '')
var stack = 'ai-features/${unique}'
var stackTags = union(tags, { 'aoai-lb-stack': stack })

// Azure OpenAI accounts and their deployments

resource accountEus1 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-eus-1'
  location: accountLocations['eus-1']
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-eus-1'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentEus1Gpt51 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountEus1
  name: 'gpt-5.1'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 150
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

resource accountEus21 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-eus2-1'
  location: accountLocations['eus2-1']
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-eus2-1'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentEus21Gpt51 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountEus21
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

resource accountScus1 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: 'aoai-scus-1'
  location: accountLocations['scus-1']
  tags: stackTags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: 'aoai-scus-1'
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentScus1Gpt51 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: accountScus1
  name: 'gpt-5.1'
  tags: stackTags
  sku: {
    name: 'GlobalStandard'
    capacity: 150
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

module roleEus1 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-ai-features-${unique}-role-eus-1'
  params: {
    accountName: accountEus1.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

module roleEus21 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-ai-features-${unique}-role-eus2-1'
  params: {
    accountName: accountEus21.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

module roleScus1 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-ai-features-${unique}-role-scus-1'
  params: {
    accountName: accountScus1.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

// Backends and pools

// A backend never stands before the deployment that it calls.
resource backendEus1Gpt51 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'ai-features-eus-1-gpt-5.1'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountEus1.properties.endpoint}openai/deployments/gpt-5.1'
    circuitBreaker: {
      rules: [
        {
          name: 'default'
          failureCondition: {
            count: 1
            interval: 'PT10S'
            statusCodeRanges: [
              {
                min: 429
                max: 429
              }
              {
                min: 500
                max: 503
              }
            ]
          }
          tripDuration: 'PT10S'
          acceptRetryAfter: true
        }
      ]
    }
  }
  dependsOn: [
    deploymentEus1Gpt51
  ]
}

resource backendEus21Gpt51 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'ai-features-eus2-1-gpt-5.1'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountEus21.properties.endpoint}openai/deployments/gpt-5.1'
    circuitBreaker: {
      rules: [
        {
          name: 'default'
          failureCondition: {
            count: 1
            interval: 'PT10S'
            statusCodeRanges: [
              {
                min: 429
                max: 429
              }
              {
                min: 500
                max: 503
              }
            ]
          }
          tripDuration: 'PT10S'
          acceptRetryAfter: true
        }
      ]
    }
  }
  dependsOn: [
    deploymentEus21Gpt51
  ]
}

resource backendEus21Stateful 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'ai-features-eus2-1-stateful'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountEus21.properties.endpoint}openai'
  }
}

resource backendScus1Gpt51 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'ai-features-scus-1-gpt-5.1'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${accountScus1.properties.endpoint}openai/deployments/gpt-5.1'
    circuitBreaker: {
      rules: [
        {
          name: 'default'
          failureCondition: {
            count: 1
            interval: 'PT10S'
            statusCodeRanges: [
              {
                min: 429
                max: 429
              }
              {
                min: 500
                max: 503
              }
            ]
          }
          tripDuration: 'PT10S'
          acceptRetryAfter: true
        }
      ]
    }
  }
  dependsOn: [
    deploymentScus1Gpt51
  ]
}

resource poolOpenaiopool 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'ai-features-openaiopool'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Pool'
    pool: {
      services: [
        {
          id: backendEus21Gpt51.id
          priority: 1
          weight: 1
        }
        {
          id: backendEus1Gpt51.id
          priority: 2
          weight: 1
        }
        {
          id: backendScus1Gpt51.id
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
  name: 'ai-features-openai'
  properties: {
    displayName: 'Azure OpenAI'
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

resource operationOpenaiAllDelete 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiOpenai
  name: 'all-delete'
  properties: {
    displayName: 'DELETE all'
    method: 'DELETE'
    urlTemplate: '/*'
  }
}

resource operationOpenaiAllGet 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiOpenai
  name: 'all-get'
  properties: {
    displayName: 'GET all'
    method: 'GET'
    urlTemplate: '/*'
  }
}

resource operationOpenaiAllHead 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiOpenai
  name: 'all-head'
  properties: {
    displayName: 'HEAD all'
    method: 'HEAD'
    urlTemplate: '/*'
  }
}

resource operationOpenaiAllOptions 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiOpenai
  name: 'all-options'
  properties: {
    displayName: 'OPTIONS all'
    method: 'OPTIONS'
    urlTemplate: '/*'
  }
}

resource operationOpenaiAllPatch 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiOpenai
  name: 'all-patch'
  properties: {
    displayName: 'PATCH all'
    method: 'PATCH'
    urlTemplate: '/*'
  }
}

resource operationOpenaiAllPost 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiOpenai
  name: 'all-post'
  properties: {
    displayName: 'POST all'
    method: 'POST'
    urlTemplate: '/*'
  }
}

resource operationOpenaiAllPut 'Microsoft.ApiManagement/service/apis/operations@2024-05-01' = {
  parent: apiOpenai
  name: 'all-put'
  properties: {
    displayName: 'PUT all'
    method: 'PUT'
    urlTemplate: '/*'
  }
}

// Azure refuses a policy that names a pool that is not there.
resource policyOpenai 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = {
  parent: apiOpenai
  name: 'policy'
  properties: {
    format: 'rawxml'
    value: loadTextContent('policy.xml')
  }
  dependsOn: [
    poolOpenaiopool
  ]
}

resource subscriptionChat 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = {
  parent: gateway
  name: 'ai-features-chat'
  properties: {
    displayName: 'chat'
    scope: apiOpenai.id
    state: 'active'
    allowTracing: true
  }
}

resource subscriptionProbe 'Microsoft.ApiManagement/service/subscriptions@2024-05-01' = {
  parent: gateway
  name: 'ai-features-probe'
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

resource diagnosticOpenaiAzuremonitor 'Microsoft.ApiManagement/service/apis/diagnostics@2024-05-01' = {
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
    ]
    metrics: [
      {
        category: 'AllMetrics'
        enabled: true
      }
    ]
  }
}

// Outputs

@description('Id of the Log Analytics workspace.')
output workspaceId string = workspace.id

@description('Name of Application Insights.')
output appInsightsName string = appInsights.name

@description('Name of the API Management service.')
output gatewayName string = gateway.name

@description('URL that callers use.')
output gatewayUrl string = gateway.properties.gatewayUrl

@description('Endpoints of the accounts by key.')
output endpoints object = {
  'eus-1': accountEus1.properties.endpoint
  'eus2-1': accountEus21.properties.endpoint
  'scus-1': accountScus1.properties.endpoint
}
