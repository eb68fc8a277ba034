"""What a provider answers, and when one that refuses our account is called again."""
