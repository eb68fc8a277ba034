"""The REST API: translates HTTP into use cases and back."""
