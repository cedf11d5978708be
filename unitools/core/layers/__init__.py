"""Primitives that more than one folder needs."""

__all__ = []
