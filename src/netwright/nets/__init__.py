"""One family a file; `netwright.nets.registry` knows which names each file holds."""

from netwright.core.lazy import lazy

lazy(__name__, {})
