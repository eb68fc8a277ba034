"""What all rooms share: connections, requests, answers, problems, pages, the OpenAPI document."""
