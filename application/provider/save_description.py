"""Describe a provider through the API, or change its description."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from application.kernel.versioned import Versioned
from application.provider.follow_descriptions import FollowDescriptions
from application.provider.ports import DescribedGateways, DescribedProvider, DescribedProviders
from domain.kernel.errors import Fault, Invalid
from domain.provider.description import ProviderDescription
from domain.provider.description_checks import faults, references
from domain.secret.reference import Scope, secret_reference

PROVIDERS_MAX = 100
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,49}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveDescription:
    """Every process calls it so within seconds; calls under way end under the old description.

    Args:
        scope: which secrets a description may name.
    """

    store: DescribedProviders
    gateways: DescribedGateways
    follow: FollowDescriptions
    scope: Scope

    async def __call__(
        self, name: str, description: ProviderDescription, *, expected: int | None
    ) -> Versioned[DescribedProvider]:
        """Save; `expected` is the version the caller has seen, 0 to create.

        Raises:
            Invalid: with everything that is wrong with it.
            Conflict: it changed meanwhile.
        """
        found = [*faults(description), *self._forbidden(description)]
        if self.gateways.configured(name):
            detail = f"provider '{name}' is configured: take another name, or change the configuration"
            found.append(Fault("", "configured", detail))
        if not _NAME.fullmatch(name):
            found.append(Fault("", "bad_name", "a provider's name has up to 50 letters, digits, - and _"))
        versions = await self.store.versions()
        if name not in versions and len(versions) >= PROVIDERS_MAX:
            found.append(Fault("", "too_many", f"there are {PROVIDERS_MAX} described providers: remove one"))
        if found:
            raise Invalid(*found)
        saved = await self.store.put(DescribedProvider(name=name, description=description), expected=expected)
        await self.follow()
        return saved

    def _forbidden(self, description: ProviderDescription) -> Iterator[Fault]:
        for at, reference in references(description).items():
            named = secret_reference(reference)
            if named is not None and (why := self.scope.refusal(named)) is not None:
                yield Fault(at, "reference_not_allowed", why)
