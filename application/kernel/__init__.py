"""What all rooms share: time and ids, caches, budgets, supervision of tasks."""
