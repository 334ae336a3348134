"""Advice: what in a net does little for its cost at an input, and rewrites that mend it."""

from netwright.advice.advice import advise
from netwright.advice.finding import Change, Finding, Remedy

__all__ = ["Change", "Finding", "Remedy", "advise"]
