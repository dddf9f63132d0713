"""What the receiver counts, for Prometheus. Labels hold nothing of a payload."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)


class Metrics:
    """The figures of one receiver, since it started."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.answers = Counter(
            "pluvo_webhooks_answers",
            "Answers to deliveries, by HTTP status",
            ["status"],
            registry=self.registry,
        )
        self.kept = Counter(
            "pluvo_webhooks_events_kept", "Events that were kept", registry=self.registry
        )
        self.repeated = Counter(
            "pluvo_webhooks_events_repeated",
            "Deliveries of events that were there already",
            registry=self.registry,
        )
        self.last_kept = Gauge(
            "pluvo_webhooks_last_kept_timestamp_seconds",
            "When events were last kept, in Unix time",
            registry=self.registry,
        )
        self.commit = Histogram(
            "pluvo_webhooks_commit_seconds",
            "How long it took to keep a group of events",
            registry=self.registry,
        )
