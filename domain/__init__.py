"""The rules of notification: pure values and decisions, no input or output."""
