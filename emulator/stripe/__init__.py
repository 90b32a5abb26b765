"""A stateful stand-in for Stripe's REST API, with Connect, for local development and tests."""
