"""What protects the server from whoever reaches its port: slow clients, sockets, memory of bodies."""
