// What stands on an API Management service of another resource group. The service itself is never written.
// Written by aoai-lb: change the spec, not this file.

// Parameters

@description('Name of the API Management service.')
param gatewayName string

@description('Id of the stack that owns what is made here.')
param stack string

@description('`id` of `appInsights` in the main file.')
param appInsightsId string

@description('`unique` of the main file.')
param unique string

@description('`id` of `workspace` in the main file.')
param workspaceId string

@description('Endpoints of the accounts by key.')
param endpoints object

// API Management service

resource gateway 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: gatewayName
}

// Backends and pools

resource backendEus1Gpt51 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'ai-features-eus-1-gpt-5.1'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${endpoints['eus-1']}openai/deployments/gpt-5.1'
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
}

resource backendEus21Gpt51 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'ai-features-eus2-1-gpt-5.1'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${endpoints['eus2-1']}openai/deployments/gpt-5.1'
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
}

resource backendEus21Stateful 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'ai-features-eus2-1-stateful'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${endpoints['eus2-1']}openai'
  }
}

resource backendScus1Gpt51 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: gateway
  name: 'ai-features-scus-1-gpt-5.1'
  properties: {
    description: 'aoai-lb:${stack}'
    type: 'Single'
    protocol: 'http'
    url: '${endpoints['scus-1']}openai/deployments/gpt-5.1'
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

// Azure refuses a policy that names what is not there.
resource policyOpenai 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = {
  parent: apiOpenai
  name: 'policy'
  properties: {
    format: 'rawxml'
    value: loadTextContent('../policy.xml')
  }
  dependsOn: [
    backendEus21Stateful
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

resource loggerApplicationInsights 'Microsoft.ApiManagement/service/loggers@2024-05-01' = {
  parent: gateway
  name: 'applicationinsights'
  properties: {
    loggerType: 'applicationInsights'
    description: 'aoai-lb:${stack}'
    credentials: {
      connectionString: reference(appInsightsId, '2020-02-02').ConnectionString
    }
    resourceId: appInsightsId
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
    workspaceId: workspaceId
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
