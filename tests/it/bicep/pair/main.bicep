// A small gateway before one account: a pair of a file and its template for a clone without the corpus.

targetScope = 'resourceGroup'

metadata purpose = 'test'

@minLength(3)
@maxLength(24)
@description('Name of the gateway; it\'s [global].')
param gateway string = 'gw-${uniqueString(resourceGroup().id, 'pair')}'

@secure()
@description('Sent by the probe.')
param probeKey string = newGuid()

@allowed([
  'one'
  'two'
])
@metadata({ unit: 'scale' })
param size string = 'one'

@minValue(0)
@maxValue(9)
param spare int = 0
param withProbe bool = false
param groups object = { accounts: 'rg-accounts', 'log-s': null }
param zones array = []

var tier = size == 'one' ? 'BasicV2' : 'StandardV2'
var units = spare + 2 * 3 - 1
var wanted = withProbe && !(units >= 4) || empty(zones) && size != 'two'
var address = Service.properties.gatewayUrl
var addressOf = '${address}/openai'
var serviceId = Service.id
var answer = loadTextContent('answer.txt')
var odd = {
  '[key]': '[value]'
  '${size}-x': {}
  'a-b': [
    -7
    9007199254740993
    true
    null
    '{0} \'${size}\' \${no} \u{e9}'
  ]
  verbatim: '''
it's ${verbatim}
'''
}

resource account 'Microsoft.CognitiveServices/accounts@2024-10-01' existing = {
  name: 'ai-${gateway}'
  scope: resourceGroup(groups.accounts)
}

resource apiPolicy 'Microsoft.ApiManagement/service/apis/policies@2024-05-01' = {
  parent: api
  name: 'policy'
  properties: {
    format: 'rawxml'
    value: loadTextContent('./policy.xml')
  }
  dependsOn: [
    pool
  ]
}

@description('The gateway itself.')
resource Service 'Microsoft.ApiManagement/service@2024-05-01' = {
  name: gateway
  location: resourceGroup().location
  sku: {
    name: tier
    capacity: any(units)
  }
  zones: empty(zones) ? null : zones
  identity: {
    type: 'SystemAssigned'
  }
  tags: odd
  properties: {
    publisherName: groups['log-s'] ?? 'nobody'
    publisherEmail: 'nobody@example.org'
  }
}

resource Backend 'Microsoft.ApiManagement/service/backends@2024-05-01' = if (wanted) {
  parent: Service
  name: '${toLower(account.name)}-${spare % 2}'
  properties: {
    description: answer
    protocol: 'http'
    url: '${account.properties.endpoint}openai'
    credentials: {
      header: {
        'x-probe': [
          probeKey
        ]
      }
    }
  }
}

resource pool 'Microsoft.ApiManagement/service/backends@2024-05-01' = {
  parent: Service
  name: 'pool'
  properties: {
    type: 'Pool'
    pool: {
      services: [{ id: Backend.id, priority: 1, weight: length(zones) > 0 ? 1 : 2 }]
    }
  }
}

resource api 'Microsoft.ApiManagement/service/apis@2024-05-01' = {
  properties: {
    displayName: '${Service.type}@${Service.apiVersion}'
    description: addressOf
    path: Service.name
  }
  parent: Service
  name: 'api'
}

resource watch 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: Service
  name: 'watch'
  properties: {
    workspaceId: resourceId('Microsoft.OperationalInsights/workspaces', 'logs')
  }
}

module grant 'modules/grant.bicep' = {
  name: 'grant-${gateway}'
  scope: resourceGroup(subscription().subscriptionId, groups.accounts)
  params: {
    account: account.name
    principal: Service.identity.principalId
    note: '[grant]'
  }
}

module again 'modules/grant.bicep' = if (withProbe) {
  name: 'again'
  params: {
    account: 'other'
    principal: Service.identity.principalId
  }
  dependsOn: [
    grant
    watch
  ]
}

@description('Where callers go.')
output address string = address
output grantId string = grant.outputs.id
output names array = [grant.name, Service.name, watch.id, serviceId]
output key string = union({ odd: odd }, { size: 'one' }).odd['a-b'][spare]
output same bool = size =~ 'ONE'
