// Written by aoai-lb: change the spec, not this file.
using 'main.bicep'

param location = 'eastus2'
param gatewaySku = 'StandardV2'
param gatewayCapacity = 1
param publisherName = 'Contoso'
param publisherEmail = 'ai-platform@contoso.com'
param logRetentionDays = 30
param accountLocations = {
  swedencentral: 'swedencentral'
  westus3: 'westus3'
}
param tags = {}
