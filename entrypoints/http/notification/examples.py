"""Examples of the bodies: a test sends each of them."""

from domain.kernel.json_values import Json

ORDER_CONFIRMATION: dict[str, Json] = {
    "notificationType": "order_confirmation",
    "channelType": "email",
    "priority": "high",
    "templateId": "order_confirmation_email",
    "recipientId": "456",
    "data": {"orderId": "123", "total": 99.99, "items": [{"name": "Brass horn", "quantity": 1}]},
    "metadata": {"orderId": "123"},
    "idempotencyKey": "order_created:123:456",
}
GUEST: dict[str, Json] = {
    "notificationType": "order_shipped",
    "channelType": "email",
    "priority": "medium",
    "recipients": [{"email": "guest@example.com", "name": "Ada", "timezone": "Europe/London"}],
    "subject": "Your parcel is on its way",
    "body": "It left our house this morning.",
    "htmlBody": "<p>It left our house <b>this morning</b>.</p>",
}
IN_TURN: dict[str, Json] = {
    "notificationType": "order_shipped",
    "channels": ["push", "sms"],
    "routing": "first",
    "recipientId": "456",
    "subject": "Your parcel is on its way",
    "body": "It left our house this morning.",
}
NOTIFICATIONS = {
    "template and customer": ORDER_CONFIRMATION,
    "own words, to a guest": GUEST,
    "push, else a text message": IN_TURN,
}
BATCH = {"two at once": {"notifications": [ORDER_CONFIRMATION, GUEST]}}
