"""A package of the action's own."""
from .search import plan

__all__ = ["plan"]
