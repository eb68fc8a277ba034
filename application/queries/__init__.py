"""The read side: lists and pages as they are shown."""
