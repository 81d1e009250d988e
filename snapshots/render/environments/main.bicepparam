// Written by aoai-lb: change the spec, not this file.
using 'main.bicep'

param location = 'swedencentral'
param gatewaySku = 'StandardV2'
param gatewayCapacity = 2
param publisherName = 'Contoso'
param publisherEmail = 'search-platform@contoso.com'
param accountLocations = {
  eastus2: 'eastus2'
  swedencentral: 'swedencentral'
}
param tags = {
  owner: 'search'
  stage: 'production'
}
