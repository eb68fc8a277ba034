"""What the routes of all rooms share: requests, bodies, queries, answers, pages, the OpenAPI document."""
