"""tmp"""
from netwright.registry import find as net
from netwright.units.conv import Conv
