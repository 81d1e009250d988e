// Written by aoai-lb: change the spec, not this file.
using 'main.bicep'

param location = 'eastus2'
param gatewaySku = 'BasicV2'
param gatewayCapacity = 1
param publisherName = 'Contoso'
param publisherEmail = 'ai-platform@contoso.com'
param accountLocations = {
  eastus2: 'eastus2'
  swedencentral: 'swedencentral'
}
param tags = {}
