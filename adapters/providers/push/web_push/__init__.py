"""Push to browsers (RFC 8030): encryption, proof of who sends, and the gateway."""
