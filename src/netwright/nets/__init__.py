"""One family a file; `netwright.nets.registry` knows which names each file holds."""

from netwright.core.lazy import lazy


def _names(pattern: str) -> list[str]:
    from netwright.nets.registry import names

    return names(pattern)


lazy(__name__, {}, _names)
