"""Take up the providers that any process has described, changed or removed through the API."""

from dataclasses import dataclass, field

from application.provider.ports import DescribedGateways, DescribedProviders


@dataclass(slots=True, kw_only=True)
class FollowDescriptions:
    """Called now and then, and after a change; what has not changed is not read again."""

    store: DescribedProviders
    gateways: DescribedGateways
    _known: dict[str, int] = field(default_factory=dict)

    async def __call__(self) -> None:
        """See what is there now.

        Raises:
            StoreUnavailable: what was known stays.
        """
        versions = await self.store.versions()
        changed = [name for name, version in versions.items() if self._known.get(name) != version]
        rows = await self.store.many(changed) if changed else []
        for row in rows:
            self.gateways.describe(row.value.name, row.value.description)
            self._known[row.value.name] = row.version
        for name in self._known.keys() - versions.keys():
            self.gateways.describe(name, None)
            del self._known[name]
