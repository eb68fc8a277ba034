"""What the tests stand on: private servers, child processes, waiting."""
