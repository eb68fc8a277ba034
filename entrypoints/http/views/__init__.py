"""Answers as structs, in the names of this API."""
