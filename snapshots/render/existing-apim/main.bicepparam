// Written by aoai-lb: change the spec, not this file.
using 'main.bicep'

param location = 'eastus2'
param gatewayName = 'apim-ai-features'
param gatewaySku = 'StandardV2'
param gatewayCapacity = 1
param publisherName = 'ai-features'
param publisherEmail = ''
param logRetentionDays = 30
param accountLocations = {
  'eus-1': 'eastus'
  'eus2-1': 'eastus2'
  'scus-1': 'southcentralus'
}
param tags = {}
