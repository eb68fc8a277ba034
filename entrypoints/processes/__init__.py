"""The processes: which actors each role runs, from start to drained."""
