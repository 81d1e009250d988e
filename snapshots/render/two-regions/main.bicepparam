using 'main.bicep'

param location = 'eastus2'
param gatewayName = 'apim-two-regions'
param gatewaySku = 'Developer'
param gatewayCapacity = 1
param publisherName = 'Contoso'
param publisherEmail = 'ai@contoso.com'
param accountLocations = {
  'east-us': 'eastus2'
  sweden: 'swedencentral'
}
param tags = {
  'cost center': 'it\'s 42'
  owner: 'platform'
}
