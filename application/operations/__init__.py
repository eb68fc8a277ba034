"""What operators do: jobs over dead letters, unknown outcomes, alerts, dead queues."""
