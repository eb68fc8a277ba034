"""Every port in process, for tests and dry runs; held to the same contracts as the real adapters."""
