"""Ids of devices: keyed digests of their tokens, those of test keys apart."""

from application.privacy.ports import Vault
from domain.kernel.channel import Mode


def device_id(vault: Vault, token: str, mode: Mode) -> bytes:
    """32 bytes; the same token of another mode gives another id."""
    return vault.index("device" if mode is Mode.LIVE else f"device.{mode}", token)
