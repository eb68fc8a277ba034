"""The revisions, oldest first: each is frozen once released; what follows is a new one."""
