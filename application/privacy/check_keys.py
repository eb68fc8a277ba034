"""Check that the configured keys are those that the data is sealed and indexed under.

Each key has a canary row, made with it when it first seals.  Without the check a process with another secret
takes everybody for erased, finds no customer again, and writes what nobody else can read.
"""

from dataclasses import dataclass

from application.privacy.ports import Keyring, KeyState, Proofs, Sample
from domain.kernel.errors import KeyUnavailable

INDEX = "index"
_WRONG = "data on file is sealed under another key than {}: set it to what it was when the data was written"


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckKeys:
    """Run when a process starts, and from time to time: others may begin to seal under a new version."""

    keyring: Keyring
    proofs: Proofs
    state: KeyState

    async def __call__(self) -> KeyState:
        """The state as it is now.

        Raises:
            StoreUnavailable: nothing is known that was not known before.
        """
        known = await self.proofs.all()
        own: dict[str, int | None] = {_name(self.keyring.current): self.keyring.current, INDEX: None}
        wrong = None
        if absent := own.keys() - known.keys():
            sample = await self.proofs.sample()
            if sample is None or self._opens(sample):
                await self.proofs.add({name: self.keyring.prove(own[name]) for name in sorted(absent)})
                known = await self.proofs.all()
            else:
                wrong = _WRONG.format("vault.secret (or vault.keys and vault.index)")
        missing: dict[int, str] = {}
        for name, proof in sorted(known.items()):
            version = None if name == INDEX else int(name.removeprefix(_name("")))
            try:
                if not self.keyring.proves(version, proof):
                    wrong = wrong or _WRONG.format(_setting(version))
            except KeyUnavailable as lacking:
                if version is not None:
                    missing[version] = str(lacking)
        self.state.wrong, self.state.missing = wrong, missing
        return self.state

    def _opens(self, sample: Sample) -> bool:
        """A sample that was sealed under a version we lack proves nothing against us."""
        try:
            return self.keyring.opens(sample)
        except KeyUnavailable:
            return True


def _name(version: int | str) -> str:
    return f"key {version}"


def _setting(version: int | None) -> str:
    return "vault.index (or vault.secret)" if version is None else f"vault.keys.{version} (or vault.secret)"
