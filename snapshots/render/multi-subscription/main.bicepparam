// Written by aoai-lb: change the spec, not this file.
using 'main.bicep'

param location = 'westeurope'
param gatewaySku = 'StandardV2'
param gatewayCapacity = 1
param publisherName = 'Contoso'
param publisherEmail = 'ai-platform@contoso.com'
param accountLocations = {
  home: 'swedencentral'
  research: 'francecentral'
}
param tags = {}
