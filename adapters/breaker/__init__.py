"""Circuit breakers, by aiobreaker."""
