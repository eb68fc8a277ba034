"""The composition root by room: which adapter stands behind which port, and who is given what."""
