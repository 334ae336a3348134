"""Spaces whose choices are read from the parts of a net, and held against it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from netwright.core.net import Net
from netwright.core.spec import Spec
from netwright.core.wiring import Wiring
from netwright.errors import SpecError
from netwright.space.search_space import Digits, Space

__all__ = ["ReadSpace", "part"]

Kind = TypeVar("Kind", bound=Spec)


class ReadSpace(Space):
    """A space that says where its choices stand in a net (`parsed`); that the rest of the net is
    its own too is found by making it again.
    """

    def parsed(self, net: Net) -> Sequence[int]:
        """The choices that a net seems to stand for; `LookupError` or `ValueError` where it has
        not the parts to tell.
        """
        raise NotImplementedError

    def read(self, net: Net) -> Digits:
        try:
            choices = tuple(self.parsed(net))
        except (LookupError, ValueError):
            choices = ()
        whole = len(choices) == len(self.digits) and self.legal(choices)
        if not whole or self.build(choices).spec != net.spec:
            raise SpecError(f"{net.name} is no net of {self.name} with these options, such as its "
                            "width and classes")  # fmt: skip
        return choices


def part(net: Net, kind: type[Kind], *path: str) -> Kind:
    """The part at a path of wiring, of that class; `LookupError` or `ValueError` for another net.

    >>> import netwright as nw
    >>> part(nw.net("efficientnet_b0"), nw.Stage, "stage2").depth
    2
    """
    spec: Spec = net.spec
    for name in path:
        if not isinstance(spec, Wiring):
            raise SpecError(f"{net.name} has no part {'.'.join(path)}")
        spec = spec.part(name)
    if not isinstance(spec, kind):
        raise SpecError(f"{'.'.join(path)} of {net.name} is no {kind.__name__}")
    return spec
