// An account in a resource group of its own, with its deployments.
// Written by aoai-lb: change the spec, not this file.

// Parameters

@description('Name of the account, which is also its sub-domain.')
param name string

@description('Region of the account.')
param location string

@description('Tags of the account and of its deployments.')
param tags object

// Azure OpenAI accounts and their deployments

resource account 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: name
  location: location
  tags: tags
  kind: 'OpenAI'
  sku: {
    name: 'S0'
  }
  properties: {
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: 'Enabled'
  }
}

resource deploymentChat 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = {
  parent: account
  name: 'chat'
  tags: tags
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

// Outputs

@description('Endpoint of the account, with a slash at its end.')
output endpoint string = account.properties.endpoint

@description('Id of the account.')
output id string = account.id

@description('Name of the account.')
output name string = account.name
