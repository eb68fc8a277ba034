"""The OpenAPI document: Litestar's own, and what it cannot know of problems, parameters and webhooks."""
