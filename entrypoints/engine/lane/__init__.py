"""The delivery actor of a lane, and what all lanes of a process share."""
