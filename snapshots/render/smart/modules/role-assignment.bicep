// A role on an account. A module, because the assignment's name holds a principal that exists only at run time.
// Written by aoai-lb: change the spec, not this file.

@description('Name of the Azure OpenAI account that the role is granted on.')
param accountName string

@description('Object id of the identity that gets the role.')
param principalId string

@description('Id of the role definition, a GUID.')
param roleId string

@description('Id of the stack that owns the assignment.')
param stack string

resource account 'Microsoft.CognitiveServices/accounts@2024-10-01' existing = {
  name: accountName
}

resource assignment 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, roleId)
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    description: 'aoai-lb:${stack}'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleId)
  }
}
