"""Addresses as a support person may see them: enough to recognise, not enough to use."""

DOTS = "•••"


def email(address: str) -> str:
    """`lisa@example.com` → `l•••@example.com`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}{DOTS}@{domain}"


def phone(number: str) -> str:
    """`+4930901820` → `+49•••20`."""
    return f"{number[:3]}{DOTS}{number[-2:]}"
