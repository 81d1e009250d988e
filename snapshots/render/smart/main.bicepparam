// Written by aoai-lb: change the spec, not this file.
using 'main.bicep'

param location = 'eastus'
param gatewaySku = 'BasicV2'
param gatewayCapacity = 1
param publisherName = 'Contoso'
param publisherEmail = 'ai-platform@contoso.com'
param accountLocations = {
  canadaeast: 'canadaeast'
  eastus: 'eastus'
  francecentral: 'francecentral'
  northcentralus: 'northcentralus'
}
param tags = {
  sample: 'smart'
}
