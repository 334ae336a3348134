"""One law for all interpreters: plan, built module, written source, foreign plan and outline of
any net say the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import Tensor, nn

import netwright as nw
from nets import all_nets
from netwright.core.interpret import Shapes
from netwright.core.net import Net
from netwright.core.plan import Plan
from netwright.report.outline import Part, outline
from oracles import assert_plan_is_true, executed_shapes


@given(all_nets())
@settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
def test_all_say_the_same(net: Net) -> None:
    all_alike(net)


def all_alike(net: Net) -> None:
    """Plan, module, source, foreign plan and outline of a net agree."""
    plan = net.plan()
    assert_plan_is_true(net)
    model = net.build(seed=0)
    heads_run(plan, model)
    written_alike(net, model)
    followed_alike(plan, model)
    outlined_alike(plan, outline(net))


CONV = nw.Conv(4)
BOTH = nw.Sequential(cat=nw.Concat(nw.Identity(), nw.Identity()), fc=nw.Conv(2))
TWO = nw.Fork(nw.Conv(4), nw.Conv(4, 5))
SUM = nw.Sum(nw.Identity(), nw.Identity())
CASES = {
    "a tap over two streams": nw.Sequential(two=TWO, tap=nw.Tap(BOTH), sum=SUM),
    "a tap of nothing else": nw.Tap(CONV),
    "a tap in a tap": nw.Sequential(a=CONV, tap=nw.Tap(nw.Sequential(b=CONV, tap=nw.Tap(CONV)))),
    "numbered taps": nw.Sequential(CONV, nw.Tap(CONV), nw.Sequential(CONV, nw.Tap(CONV), CONV)),
    "a tap in a graph": nw.Graph(a=CONV, tap=nw.Node(nw.Tap(CONV), "a"), b=nw.Node(CONV, "a")),
    "numbered frozen parts": nw.Sequential(CONV, nw.Sum(nw.Frozen(CONV), nw.Identity())),
    "frozen streams": nw.Sequential(TWO, nw.Frozen(nw.Parallel(CONV, nw.ReLU())), SUM),
    "frozen nothing": nw.Sum(CONV, nw.Frozen(nw.Identity())),
    "shared in shared": nw.Sequential(
        *(nw.Shared(nw.Sequential(a=nw.Shared(CONV, "in"), b=nw.Shared(CONV, "in")), "out"),) * 2,
    ),
    "shared with the classifier": nw.Sequential(a=nw.Shared(CONV, "key"), b=nw.Shared(CONV, "key")),
    "frozen and shared": nw.Sequential(*(nw.Frozen(nw.Shared(CONV, "key")),) * 2),
}
STEPS = {
    "a tap in time": nw.TimeDistributed(nw.Sequential(a=CONV, tap=nw.Tap(CONV), b=CONV)),
    "a tap in time in time": nw.TimeDistributed(
        nw.Sequential(CONV, nw.Tap(nw.TimeDistributed(nw.Sequential(nw.Linear(3), nw.ReLU()))))
    ),
    "a sum in time": nw.Sequential(nw.TimeDistributed(nw.Sum(CONV, nw.Identity())), nw.Identity()),
}


@pytest.mark.parametrize("case", [*CASES, *STEPS])
def test_what_broke_once(case: str) -> None:
    size = (4, 9, 8) if case in CASES else (3, 4, 9, 8)
    all_alike(Net({**CASES, **STEPS}[case], size))


class Named(Shapes):
    """Notes which method ran which wiring."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, str]] = []

    def flow(self, wiring, path, xs):
        self.ran.append(("flow", path))
        return super().flow(wiring, path, xs)

    def tap(self, tap, path, xs):
        self.ran.append(("tap", path))
        return super().flow(tap, path, xs)

    def frozen(self, frozen, path, xs):
        self.ran.append(("frozen", path))
        return super().flow(frozen, path, xs)

    def shared(self, shared, path, xs):
        self.ran.append(("shared", path))
        return super().flow(shared, path, xs)

    def time_distributed(self, wiring, path, xs):
        self.ran.append(("time_distributed", path))
        return super().time_distributed(wiring, path, xs)


@pytest.mark.parametrize(
    ("wiring", "name"),
    [
        (nw.Tap(CONV), "tap"),
        (nw.Frozen(CONV), "frozen"),
        (nw.Shared(CONV, "key"), "shared"),
        (nw.Sequential(body=CONV), "flow"),
        (SUM, "flow"),
        (nw.Graph(a=CONV), "flow"),
        (nw.TimeDistributed(CONV), "time_distributed"),
    ],
)
def test_every_wiring_has_its_method(wiring, name):
    walk = Named()
    size = (3, 4, 9, 8) if name == "time_distributed" else (4, 9, 8)
    y = walk(nw.Sequential(part=wiring), "", (size,))
    assert walk.ran == [("flow", ""), (name, "part")]
    assert y == size


def as_dict(outputs: Any) -> dict[str, Tensor]:
    return outputs if isinstance(outputs, dict) else {"out": outputs}


def heads_run(plan: Plan, model: nn.Module) -> None:
    """In training, parts that only training sees have the shapes of their rows."""
    shapes = executed_shapes(model.train(), torch.rand(2, *plan.input))
    for row in plan:
        if row.auxiliary and (row.path in shapes or not row.frozen):
            assert row.output in shapes[row.path], row.path


def written_alike(net: Net, model: nn.Module) -> None:
    """The source has the same keys, and in training and evaluation the same outputs."""
    space: dict[str, Any] = {"__name__": "written"}
    text = net.source()
    exec(compile(text, "written.py", "exec"), space)
    kind = [v for v in space.values() if getattr(v, "__module__", "") == "written"][-1]
    other = kind()
    other.load_state_dict(model.state_dict(), strict=True)
    x = torch.rand(2, *net.input)
    for mode in (False, True):
        wanted = as_dict(model.train(mode)(x))
        outputs = as_dict(other.train(mode)(x))
        assert outputs.keys() == wanted.keys(), text
        for name, value in wanted.items():
            torch.testing.assert_close(outputs[name], value, rtol=0, atol=0, msg=text)
    learns = {name for name, p in model.named_parameters() if p.requires_grad}
    assert learns == {name for name, p in other.named_parameters() if p.requires_grad}, text


def followed_alike(plan: Plan, model: nn.Module) -> None:
    """The built module, followed as if it were anybody's."""
    other = nw.plan(model, plan.input)
    assert (other.params, other.buffers, other.macs) == (plan.params, plan.buffers, plan.macs)
    assert other.output == plan.output
    mine, theirs = [[r.field for r in p if not r.auxiliary] for p in (plan, other)]
    # What a followed module sees may be lost on the way, as through time, but is never wrong.
    assert not theirs or theirs[-1].status == "unknown" or theirs[-1] == mine[-1]
    assert not other.partial


def outlined_alike(plan: Plan, tree: Part) -> None:
    """Every row is in one part of each level."""
    assert tree.group.rows == plan.rows
    if not tree.group.auxiliary:
        assert (tree.group.params, tree.group.macs) == (plan.params, plan.macs)
    for part in _every(tree):
        inside = tuple([row for inner in part.parts for row in inner.group.rows])
        assert part.group.rows[: len(inside)] == inside, part.group.path
        if part.parts and part.count == 1:
            assert part.group.rows == inside, part.group.path


def _every(part: Part) -> Iterator[Part]:
    yield part
    for inner in part.parts:
        yield from _every(inner)
