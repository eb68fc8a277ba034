"""URLs with a password in them."""

from urllib.parse import urlsplit, urlunsplit

from domain.kernel.secret import MASK, Secret


class SecretUrl(Secret):
    """A URL whose password is masked; the rest may be seen."""

    __slots__ = ()

    def masked(self) -> str:
        """With the mask for the password, and without the query, which may hold one too."""
        parts = urlsplit(self._value)
        login, at, host = parts.netloc.rpartition("@")
        user, colon, _ = login.partition(":")
        return urlunsplit(
            (parts.scheme, f"{user}{colon}{MASK if colon else ''}{at}{host}", parts.path, "", "")
        )
