"""Nets for elsewhere: as PyTorch source that stands alone."""

from netwright.export.source import source

__all__ = ["source"]
