"""Journeys on real processes, from the shop's end to the customer's."""
