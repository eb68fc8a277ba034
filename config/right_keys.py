"""Whoever has other keys than the data was sealed under, must not begin."""

from contextlib import suppress

from config.container import Container
from domain.kernel.errors import Misconfigured, StoreUnavailable


async def right_keys(container: Container) -> None:
    """Check the keys of a process that starts.

    While the database is away nobody knows: the vault stays closed, and is looked at again and again.

    Raises:
        Misconfigured: they are not those of the data.
    """
    with suppress(StoreUnavailable):
        if (wrong := (await container.check_keys()()).wrong) is not None:
            raise Misconfigured(wrong)
