"""Advice: what in a net does little for its cost at an input, and rewrites that mend it."""

from netwright.advice.advice import advise
from netwright.advice.finding import Effect, Finding, Remedy

__all__ = ["Effect", "Finding", "Remedy", "advise"]
