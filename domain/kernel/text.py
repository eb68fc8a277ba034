"""Text from outside: what a provider, a shop or a browser says may hold anything."""


def storable(said: str | None) -> str | None:
    """The same text without NUL and lone surrogates, for which UTF-8 and PostgreSQL have no room."""
    if said is None or (said.isascii() and "\0" not in said):
        return said
    return said.encode(errors="replace").decode().replace("\0", "")
