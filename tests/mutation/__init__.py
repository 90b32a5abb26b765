"""Mutation testing of what decides about money and statuses (docs/mutation.md)."""
