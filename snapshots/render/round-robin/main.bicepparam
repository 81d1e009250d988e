// Written by aoai-lb: change the spec, not this file.
using 'main.bicep'

param location = 'uksouth'
param gatewaySku = 'Developer'
param gatewayCapacity = 1
param publisherName = 'Contoso'
param publisherEmail = 'ai-platform@contoso.com'
param accountLocations = {
  uks: 'uksouth'
  wus: 'westus3'
}
param tags = {
  sample: 'round-robin'
}
