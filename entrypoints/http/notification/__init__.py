"""Notifications: asked for alone or in a batch, listed, shown, cancelled."""
