// Written by aoai-lb: change the spec, not this file.
using 'main.bicep'

param location = 'eastus2'
param gatewaySku = 'StandardV2'
param gatewayCapacity = 1
param publisherName = 'Contoso'
param publisherEmail = 'platform@contoso.com'
param accountLocations = {
  eastus2: 'eastus2'
  sweden: 'swedencentral'
}
param tags = {
  'cost-center': '4711'
  owner: 'platform'
}
