"""What templates compute with."""

from typing import Any, TypeAlias

Value: TypeAlias = (
    Any  # JSON, decimals, dates, marked-up text, what is missing: Jinja's own code has no types either
)
"""A value within a template."""
