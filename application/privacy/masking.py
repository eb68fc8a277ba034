"""Addresses as a support person may see them: enough to recognise, not enough to use."""

DOTS = "•••"


def email(address: str) -> str:
    """`lisa@example.com` → `l•••@example.com`."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}{DOTS}@{domain}"


def phone(number: str) -> str:
    """`+4930901820` → `+49•••20`."""
    return f"{number[:3]}{DOTS}{number[-2:]}"


def token(value: str) -> str:
    """`740f4707bebcf74f9b7c25d48e335894` → `740f•••5894`."""
    return f"{value[:4]}{DOTS}{value[-4:]}" if len(value) > 16 else DOTS
