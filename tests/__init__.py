"""The tests, by tier: unit, contract, integration, e2e, architecture, bench; support holds their servers."""
