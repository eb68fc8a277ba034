"""From the container to what keeps the leases of a worker's calls."""

from adapters.postgres.renewals import PostgresRenewals
from application.delivery.keep import KeepLeases
from config.container import Container


def keep_leases(container: Container) -> KeepLeases:
    """Of the calls that this process makes."""
    return KeepLeases(
        renewals=PostgresRenewals(database=container.database()),
        under_way=container.delivering.call().under_way,
        clock=container.clock(),
        lease=container.settings().engine.lease,
    )
