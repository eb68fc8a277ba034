"""The OpenAPI document, from the routes and what their handlers say of themselves."""
