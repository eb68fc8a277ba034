"""What "Move messages" in RabbitMQ's management UI does: it replays dead letters.

The message that stands for a dead letter in a lane's `.dlq` carries the delivery's id and the `seq` with
which it failed.  When an operator moves it back to the lane, a worker takes it and finds a failed delivery of
that very `seq`.  No other message leads there: a replay gives the delivery a new `seq`, and older pointers
are stale.  So the worker replays the delivery, as `posthorn dlq replay` does, and its history names the UI.
"""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from adapters.postgres.core.database import Database
from adapters.postgres.dead_letter.dead_letters import replay
from application.dead_letter.ports import Reopened
from application.delivery.ports import BROKER_UI
from application.kernel.ports import Ids
from application.outbox.pointers import Pointer


async def replay_moved(
    database: Database, process: UUID, ids: Ids, missed: Sequence[asyncpg.Record]
) -> Reopened:
    """Replay the deliveries whose messages were moved to their lane.

    Args:
        process: owner of the outbox rows of the replay.
        missed: `id`, `seq` and `status` of the deliveries that could not be leased; `status` is None when the
            `seq` of the pointer is not that of the row.
    """
    moved = [Pointer(row["id"], row["seq"]) for row in missed if row["status"] == "failed"]
    if not moved:
        return Reopened([], [])
    return await database.run(lambda connection: replay(connection, process, ids, moved, BROKER_UI))
