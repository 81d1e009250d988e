using './main.bicep'

// Nothing evaluates these, so no bracket is doubled.
param gateway = '[pair]'
param spare = 1
param groups = { accounts: 'rg', more: [-1, null, '[x]'] }
