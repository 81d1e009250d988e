param account string
param principal string

@description('Left out, there is none.')
param note string = ''

var reader = 'a97b65f3-24c7-4388-baec-2e87135dc908'

resource target 'Microsoft.CognitiveServices/accounts@2024-10-01' existing = {
  name: account
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(target.id, principal, reader)
  scope: target
  properties: {
    description: note
    principalId: principal
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', reader)
  }
}

output id string = assignment.id
