"""One family a file; `netwright.registry` knows which names each file holds."""

from netwright.lazy import lazy

lazy(__name__, {})
