"""Examples of bodies: a test sends each of them."""

from typing import Any

ORDER_CONFIRMATION: dict[str, Any] = {
    "notificationType": "order_confirmation",
    "channelType": "email",
    "priority": "high",
    "templateId": "order_confirmation_email",
    "recipientId": "456",
    "data": {"orderId": "123", "total": 99.99, "items": [{"name": "Brass horn", "quantity": 1}]},
    "metadata": {"orderId": "123"},
    "idempotencyKey": "order_created:123:456",
}
GUEST: dict[str, Any] = {
    "notificationType": "order_shipped",
    "channelType": "email",
    "priority": "medium",
    "recipients": [{"email": "guest@example.com", "name": "Ada", "timezone": "Europe/London"}],
    "subject": "Your parcel is on its way",
    "body": "It left our house this morning.",
    "htmlBody": "<p>It left our house <b>this morning</b>.</p>",
}
NOTIFICATIONS = {"template and customer": ORDER_CONFIRMATION, "own words, to a guest": GUEST}
BATCH = {"two at once": {"notifications": [ORDER_CONFIRMATION, GUEST]}}

TEMPLATE_VERSION: dict[str, Any] = {
    "name": "Order confirmation",
    "channelType": "email",
    "subjectTemplate": "Order {{ orderId }} is confirmed",
    "bodyTemplate": "Thank you, {{ recipient.name }}: {{ total }} EUR.",
    "htmlBodyTemplate": "<p>Thank you, {{ recipient.name }}: {{ total }} EUR.</p>",
    "variables": {"orderId": {"required": True}, "total": {"required": False, "default": 0}},
    "isActive": True,
}
TEMPLATE = {"e-mail": {"id": "order_confirmation_email", **TEMPLATE_VERSION}}
TEMPLATE_VERSIONS = {"e-mail": TEMPLATE_VERSION}
TRIGGER = {
    "order confirmation": {
        "event": "order.created",
        "notificationType": "order_confirmation",
        "templateId": "order_confirmation_email",
        "priority": "high",
        "to": {"userId": "data.userId", "email": "data.email"},
        "key": "order:{data.orderId}:confirmed",
        "metadata": {"orderId": "data.orderId"},
    }
}
CHANNEL = {"one provider, not paused": {"isEnabled": True, "isPaused": False, "providers": ["sandbox"]}}
USER = {
    "customer": {
        "email": "lisa@example.com",
        "phone": "+4930901820",
        "name": "Lisa",
        "locale": "de-DE",
        "timezone": "Europe/Berlin",
    }
}
DROP = {"over": {"reason": "the sale is over"}}
ERASE = {"a guest": {"email": "guest@example.com"}, "a customer": {"userId": "456"}}
_GROUP = "b1946ac92492d234"
REPLAY = {
    "a group": {"group": _GROUP},
    "some": {"deliveryIds": ["0198f7a0-0000-7000-8000-000000000000"]},
    "of one channel, since a time": {"channelType": "email", "since": "2026-01-31T12:00:00Z"},
    "all": {"all": True},
}
DISCARD = {"a group": {"group": _GROUP, "reason": "the campaign is over"}}
RESOLVE = {"it went out": {"resolution": "sent"}, "send again": {"resolution": "resend"}}
