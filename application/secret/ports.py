"""Where secrets come from."""

from typing import Protocol

from domain.kernel.secret import Secret


class Secrets(Protocol):
    """Passwords and keys by reference (`domain.secret.reference`); held to tests/adapters/test_secrets.py.

    They are never in the database and never in a log: what is stored is the reference.
    """

    async def get(self, reference: str) -> Secret:
        """The secret as it is now, or was a few minutes ago.

        Raises:
            SecretUnavailable: it is no reference, names what may not be named or is not there, or who keeps
                it cannot be asked; says which, and nothing of the secret.
        """
        ...
