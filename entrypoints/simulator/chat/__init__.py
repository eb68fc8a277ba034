"""Look-alikes of the services that presets describe."""
