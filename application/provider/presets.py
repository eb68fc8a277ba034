"""Descriptions of well-known services, to begin with."""

import msgspec

from domain.kernel.channel import AddressedBy
from domain.provider.description import ProviderDescription


class ProviderPreset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One service: what to give to `PUT /api/providers/{name}`, and to make a channel with."""

    name: str
    summary: str
    addressed_by: AddressedBy
    """What addresses a recipient on the channel that it is made for."""
    notes: str
    """What is to be set, and what parts a message may have."""
    description: ProviderDescription
