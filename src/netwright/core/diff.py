"""What changed between two nets, and what it costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from netwright.core.net import Net, need_nets
from netwright.core.plan import Plan, Row
from netwright.core.spec import Spec
from netwright.core.wiring import Wiring

__all__ = ["Change", "Diff", "diff"]


@dataclass(frozen=True)
class Change:
    """A part that was added (`before` is None), removed (`after` is None) or replaced, and
    the parameters and MACs that came with it.
    """

    path: str
    before: Spec | None
    after: Spec | None
    d_params: int
    d_macs: int


@dataclass(frozen=True)
class Diff:
    """The changes from one net to another, and both plans.

    `elsewhere` is the change in cost (parameters, MACs) of parts that stayed as they were
    but meet other shapes now.
    """

    before: Plan
    after: Plan
    changes: tuple[Change, ...]

    def pair(self, name: str) -> tuple[Any, Any]:
        """A total of both plans, such as `params`, `macs`, `ops` or `memory`."""
        return getattr(self.before, name), getattr(self.after, name)

    @property
    def elsewhere(self) -> tuple[int, int]:
        params, macs = self.pair("params"), self.pair("macs")
        return (
            params[1] - params[0] - sum(change.d_params for change in self.changes),
            macs[1] - macs[0] - sum(change.d_macs for change in self.changes),
        )

    def __str__(self) -> str:
        from netwright.report.changes import diff_text

        return diff_text(self)

    def __bool__(self) -> bool:
        return bool(self.changes) or self.before.input != self.after.input


def diff(a: Net, b: Net) -> Diff:
    """The parts in which `b` differs from `a`, as far up as they differ whole.

    >>> import netwright as nw
    >>> net = nw.net("resnet18")
    >>> [change.path for change in diff(net, net.but(classes=10)).changes]
    ['head.fc']
    """
    need_nets("diff", a, b)
    before, after = a.plan(), b.plan()
    changes: list[Change] = []
    _walk(a.spec, b.spec, "", changes, before, after)
    return Diff(before, after, tuple(changes))


def _walk(a: Spec, b: Spec, path: str, changes: list[Change], before: Plan, after: Plan) -> None:
    if a == b:
        return
    if isinstance(a, Wiring) and isinstance(b, Wiring) and type(a) is type(b):
        names = dict.fromkeys((*a.names, *b.names))
        shared = [name for name in names if name in a.names and name in b.names]
        if shared:
            for name in names:
                where = f"{path}.{name}" if path else name
                if name in shared:
                    _walk(a.part(name), b.part(name), where, changes, before, after)
                elif name in a.names:
                    changes.append(_change(where, a.part(name), None, before, after))
                else:
                    changes.append(_change(where, None, b.part(name), before, after))
            return
    changes.append(_change(path, a, b, before, after))


def _change(path: str, a: Spec | None, b: Spec | None, before: Plan, after: Plan) -> Change:
    old = _cost(before, path) if a is not None else (0, 0)
    new = _cost(after, path) if b is not None else (0, 0)
    return Change(path, a, b, new[0] - old[0], new[1] - old[1])


def _cost(plan: Plan, path: str) -> tuple[Any, Any]:
    rows = [row for row in plan.rows if _under(row, path)]
    return sum(row.params for row in rows), sum(row.macs for row in rows if not row.auxiliary)


def _under(row: Row, path: str) -> bool:
    return not path or row.path == path or row.path.startswith(path + ".")
