using 'main.bicep'

param location = 'eastus2'
param gatewaySku = 'BasicV2'
param gatewayCapacity = 1
param publisherName = 'Contoso'
param publisherEmail = 'ai@contoso.com'
param accountLocations = {
  eastus2: 'eastus2'
}
param tags = {}
