"""The figures of one process, as Prometheus reads them.  Never a label by user or id."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

TYPES_MAX = 200
"""Types of notifications are the shop's words: beyond so many different ones they count as `other`."""

_STAGES = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_TO_QUEUE = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)


class Metrics:
    """A registry per process: processes are scraped one by one."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self.accepted = self._counter(
            "notifications_accepted", "Notifications committed.", "type", "priority"
        )
        self.promised = self._counter(
            "notifications_promised", "Notifications kept by the broker while the database was away."
        )
        self.deliveries = self._counter(
            "deliveries", "Ends of attempts and decisions without one.", "channel", "provider", "outcome"
        )
        self.unanswered = self._counter(
            "unknown_outcomes", "Calls whose outcome nobody knows.", "channel", "provider"
        )
        self.events = self._counter("events", "Shop events by what became of them.", "type", "outcome")
        self.kept_out = self._counter("values_kept_out", "Values of customers, no addresses.", "code")
        self.troubles = self._counter("troubles", "What an operator should look at.", "event")
        self.task_ends = self._counter(
            "task_ends", "Ends of long-lived tasks, and of the connections they keep.", "task", "end"
        )
        self.stages = self._histogram("stage_duration_seconds", "How long a stage took.", _STAGES, "stage")
        self.to_queue = self._histogram(
            "event_to_queue_seconds", "From acceptance to the broker's confirm.", _TO_QUEUE, "priority"
        )
        self.http = self._histogram(
            "http_request_duration_seconds", "Requests to the API.", _STAGES, "method", "route", "status"
        )
        self.outbox_pending = self._gauge("outbox_pending", "Messages not yet published, of all processes.")
        self.outbox_age = self._gauge("outbox_oldest_age_seconds", "Age of the oldest of them.")
        self.lane_age = self._gauge("lane_oldest_age_seconds", "How overdue a lane's oldest is.", "lane")
        self.dead_letters = self._gauge("dead_letters", "Dead letters nobody has closed.")
        self.held = self._gauge(
            "held_deliveries", "Deliveries that rest on a call whose outcome nobody knows."
        )
        self.jobs = self._gauge("jobs_unfinished", "Jobs that are to be gone on with.")
        self.partitions_ahead = self._gauge(
            "partitions_ahead", "Months after the present one that have partitions; -1: this one has none."
        )
        self.clock_skew = self._gauge(
            "clock_skew_seconds", "How far this machine's clock is ahead of the database's, which decides."
        )
        self._gauge("build_info", "Always 1.", "version").labels(version).set(1)
        self._types: set[str] = set()
        self._add_providers()

    def known(self, type_: str) -> str:
        """The type itself, or `other` when there are too many."""
        if type_ not in self._types:
            if len(self._types) >= TYPES_MAX:
                return "other"
            self._types.add(type_)
        return type_

    def _add_providers(self) -> None:
        self.requests = self._histogram(
            "provider_request_duration_seconds", "Calls to providers.", _STAGES, "provider"
        )
        self.provider_paused = self._gauge(
            "provider_paused", "1 while a provider refuses our account or configuration.", "provider"
        )
        self.breaker_open = self._gauge(
            "provider_breaker_open", "1 while so many calls to a provider fail that few are made.", "provider"
        )

    def exposition(self) -> tuple[bytes, str]:
        """The text format, and its media type."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"posthorn_{name}", text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"posthorn_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"posthorn_{name}", text, labels, buckets=buckets, registry=self.registry)
