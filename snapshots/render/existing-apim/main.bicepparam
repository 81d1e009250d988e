// Written by aoai-lb: change the spec, not this file.
using 'main.bicep'

param location = 'eastus2'
param gatewayName = 'apim-ai-features'
param logRetentionDays = 30
param tags = {}
