"""What Litestar provides to handlers of management routes, by the names of their arguments.

A handler takes one of them at most: for two Litestar starts a group of tasks, which costs more than most
handlers do.  What is at hand anyhow (use cases, mode, actor) stands with the request.
"""

from litestar.di import NamedDependency, Provide

from entrypoints.http.kit.preconditions import Preconditions, provide_preconditions
from entrypoints.http.kit.query import provide_params

DEPENDENCIES = {
    "params": Provide(provide_params, sync_to_thread=False),
    "preconditions": Provide(provide_preconditions, sync_to_thread=False),
}
"""`params`: the query string, as it is annotated.  `preconditions`: If-Match and If-None-Match."""

Conditions = NamedDependency[Preconditions]
