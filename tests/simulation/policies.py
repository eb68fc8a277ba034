"""How patient this world's classes are: short, for a run is some minutes long."""

from datetime import timedelta
from typing import Any

from domain.delivery.policy import OnUnknown, RetryPolicy
from domain.kernel.channel import NotificationClass

CALL_MAX = 5.0
"""Seconds of one call to the provider."""
SCAN_MAX = 60.0
"""The same, to a relay that scans what it is given."""
LEASE = timedelta(seconds=CALL_MAX + 11)
_RETRIES: dict[str, Any] = {"retries": 3, "delay_max": timedelta(seconds=10)}
POLICIES = {
    NotificationClass.OTP: RetryPolicy(
        **_RETRIES,
        patience=timedelta(seconds=30),
        lifetime=timedelta(seconds=120),
        address_patience=timedelta(seconds=20),
        on_unknown=OnUnknown.HOLD,
    ),
    NotificationClass.TRANSACTIONAL: RetryPolicy(
        **_RETRIES,
        patience=timedelta(seconds=50),
        lifetime=timedelta(seconds=600),
        address_patience=timedelta(seconds=30),
    ),
    NotificationClass.MARKETING: RetryPolicy(
        **_RETRIES,
        patience=timedelta(seconds=20),
        lifetime=timedelta(seconds=300),
        address_patience=timedelta(),
        on_unknown=OnUnknown.FAIL_OVER,
    ),
}
