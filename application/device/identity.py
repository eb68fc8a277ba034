"""Ids of devices: keyed digests of their tokens, those of test keys apart."""

from application.privacy.ports import Vault
from domain.kernel.channel import Mode


def device_id(vault: Vault, token: str, mode: Mode) -> bytes:
    """32 bytes; the same token of another mode gives another id."""
    return vault.index("device" if mode is Mode.LIVE else f"device.{mode}", token)


def short_id(id_: bytes) -> str:
    """A device's id as the API has it: 16 hexadecimal digits."""
    return id_[:8].hex()
