"""Shop events: updates of users, and the notifications that triggers make of them."""
