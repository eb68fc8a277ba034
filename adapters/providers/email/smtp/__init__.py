"""E-mail over SMTP: `gateway` has settings, capabilities and the gateway, `replies` what an answer means."""
