// Azure OpenAI deployments behind one API Management gateway.
// Written by aoai-lb: change the spec, not this file.

targetScope = 'resourceGroup'

// Parameters

@description('Region of what is made beside the accounts.')
param location string = 'eastus2'

@description('Name of the API Management service that is there.')
@minLength(1)
@maxLength(50)
param gatewayName string = 'apim-ai-features'

@description('Days for which the workspace keeps what is recorded.')
@minValue(30)
param logRetentionDays int = 30

@description('Tags of every resource that can have them.')
param tags object = {}

var openAIUser = '5e0bd9bd-7b93-4f28-af87-19fc36ad61bd'
var unique = uniqueString(toLower(resourceGroup().id), 'ai-features', '')
var stack = 'ai-features/${unique}'
var stackTags = union(tags, { 'aoai-lb-stack': stack })

// Azure OpenAI accounts and their deployments

resource accountEus1 'Microsoft.CognitiveServices/accounts@2024-10-01' existing = {
  name: 'aoai-eus-1'
  scope: resourceGroup('rg-shared-ai')
}

resource accountEus21 'Microsoft.CognitiveServices/accounts@2024-10-01' existing = {
  name: 'aoai-eus2-1'
  scope: resourceGroup('rg-shared-ai')
}

resource accountScus1 'Microsoft.CognitiveServices/accounts@2024-10-01' existing = {
  name: 'aoai-scus-1'
  scope: resourceGroup('rg-shared-ai')
}

// API Management service

resource gateway 'Microsoft.ApiManagement/service@2024-05-01' existing = {
  name: gatewayName
  scope: resourceGroup('rg-shared-apim')
}

module gatewayConfig 'modules/gateway.bicep' = {
  name: 'aoai-lb-ai-features-${unique}-gateway-config'
  scope: resourceGroup('rg-shared-apim')
  params: {
    gatewayName: gatewayName
    stack: stack
    appInsightsId: appInsights.id
    unique: unique
    workspaceId: workspace.id
    endpoints: {
      'eus-1': accountEus1.properties.endpoint
      'eus2-1': accountEus21.properties.endpoint
      'scus-1': accountScus1.properties.endpoint
    }
  }
}

// The gateway may call the accounts

module roleEus1 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-ai-features-${unique}-role-eus-1'
  scope: resourceGroup('rg-shared-ai')
  params: {
    accountName: accountEus1.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

module roleEus21 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-ai-features-${unique}-role-eus2-1'
  scope: resourceGroup('rg-shared-ai')
  params: {
    accountName: accountEus21.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
  }
}

module roleScus1 'modules/role-assignment.bicep' = {
  name: 'aoai-lb-ai-features-${unique}-role-scus-1'
  scope: resourceGroup('rg-shared-ai')
  params: {
    accountName: accountScus1.name
    principalId: gateway.identity.principalId
    roleId: openAIUser
    stack: stack
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
  chat: 'ai-features-chat'
  probe: 'ai-features-probe'
}

@description('Ids, names, endpoints and regions of the accounts by key.')
output accounts object = {
  'eus-1': {
    id: accountEus1.id
    name: accountEus1.name
    endpoint: accountEus1.properties.endpoint
  }
  'eus2-1': {
    id: accountEus21.id
    name: accountEus21.name
    endpoint: accountEus21.properties.endpoint
  }
  'scus-1': {
    id: accountScus1.id
    name: accountScus1.name
    endpoint: accountScus1.properties.endpoint
  }
}

@description('Id of the Log Analytics workspace.')
output workspaceId string = workspace.id

@description('Name of Application Insights.')
output appInsightsName string = appInsights.name
