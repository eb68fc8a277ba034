"""Words every room shares: ids, time, errors, channels, priorities."""
