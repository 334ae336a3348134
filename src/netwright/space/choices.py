"""The search space of a net with choices in it."""

from __future__ import annotations

from typing import Any, cast

from netwright.core.choice import Choice, settled
from netwright.core.net import Net
from netwright.core.spec import Spec
from netwright.core.wiring import Sequential, Sum, Wiring
from netwright.errors import ShapeError, SpecError
from netwright.space.search_space import Digit, Digits, Space
from netwright.units.activation import Identity

__all__ = ["ChoiceSpace"]


class ChoiceSpace(Space):
    """All nets that settle the choices of an open one; a digit a choice, one for all of a name.

    Choices inside options that are not taken are 0 in a code. Choices among the same options are
    one function in another order where they are branches of a `Sum`, or neighbours in a
    `Sequential` that differ in where `Identity` stands.

    net: a net whose spec holds at least one `Choice`

    >>> from netwright import Choice, Conv, GlobalAvgPool, Identity, Linear, ReLU
    >>> body = Sequential(Conv(Choice(8, 16)), ReLU(), Choice(Conv(8), Identity()))
    >>> net = Net(Sequential(body=body, pool=GlobalAvgPool(), fc=Linear(10)), (3, 32, 32), "tiny")
    >>> space = ChoiceSpace(net)
    >>> space
    <space tiny: 4 codes of 2 choices>
    >>> space.net("11").plan().params, space.code(space.net("01"))
    (618, '01')
    """

    def __init__(self, net: Net) -> None:
        if not net.spec.is_open:
            raise SpecError(f"{net.name} has no choice in it; write Choice(A, B) where its nets "
                            "are to differ")  # fmt: skip
        self.template = net
        self._known: dict[str, Choice] = {}
        self._gather(net.spec)
        self._index = {name: i for i, name in enumerate(self._known)}
        super().__init__(net.name, [_digit(*item) for item in self._known.items()])
        self._groups = [group for group in _groups(net.spec, "") if group[0]]

    def _gather(self, spec: Spec) -> None:
        """All choices by name, those inside options too."""

        def visit(value: Any, where: str) -> None:
            if isinstance(value, Choice):
                name = value.name or where
                if self._known.setdefault(name, value).options != value.options:
                    raise SpecError(f"two choices are called {name!r} and differ in their options")
                for i, option in enumerate(value.options):
                    visit(option, f"{where}={i}")
            elif isinstance(value, Spec) and value.is_open:
                for name in value.field_names:
                    visit(getattr(value, name), where if name == "parts" else _below(where, name))
            elif type(value) is tuple:
                for i, item in enumerate(cast("tuple[Any, ...]", value)):
                    visit(item, _below(where, _word(item, i)))

        visit(spec, "")
