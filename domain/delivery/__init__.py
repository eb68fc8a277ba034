"""One recipient on one channel: its states, its attempts, what follows an outcome."""
