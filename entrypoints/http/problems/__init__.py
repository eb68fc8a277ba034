"""Problems (RFC 9457): what every refusal and failure is told as, by the server and by all routes."""
