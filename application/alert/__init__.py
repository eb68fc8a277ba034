"""Alerts to operators: dead letters, stalled lanes, paused providers."""
