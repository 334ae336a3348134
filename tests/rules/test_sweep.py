"""Every rule on every net, and two rules after another: a valid net with what the rule claims, or
a refusal with its reason. The suite takes a sample; `-m exhaustive` all of them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

import netwright as nw
from netwright.core.net import Net
from netwright.core.plan import Plan
from netwright.core.rewrite import classifiers, sites
from netwright.errors import NetwrightError, RuleError, UnknownName
from oracles import assert_plan_is_true

ARGUMENTS = {
    "act": "GELU",
    "channels": "4",
    "classes": "7",
    "global-pool": "GeM",
    "norm": "LayerNorm",
    "pool": "AvgPool",
}
"""What rules are given that need an argument, but for paths."""
HEAVIEST = 5e9
"""MACs of nets that are executed, on tensors without numbers."""


def same(name: str) -> Callable[[Plan, Plan], bool]:
    return lambda a, b: getattr(a, name) == getattr(b, name)


def more(name: str) -> Callable[[Plan, Plan], bool]:
    return lambda a, b: getattr(b, name) > getattr(a, name)


def less(name: str) -> Callable[[Plan, Plan], bool]:
    return lambda a, b: getattr(b, name) < getattr(a, name)


CLAIMS: dict[str, tuple[Callable[[Plan, Plan], bool], ...]] = {
    "act": (same("params"), same("macs")),
    "align": (more("params"), more("macs")),
    "blur-pool": (same("params"), more("macs")),
    "cbam": (more("params"), more("macs")),
    "channels": (lambda a, b: b.input[0] != a.input[0],),
    "classes": (lambda a, b: b.output[0] == 7,),
    "conv-head": (same("params"), same("macs")),
    "deepen": (more("params"), more("macs")),
    "deformable": (more("params"), more("macs")),
    "dilate": (same("params"),),
    "drop-path": (same("params"), same("macs")),
    "dropout": (same("params"), same("macs")),
    "eca": (more("params"), more("macs")),
    "fold-norm": (less("params"), same("macs")),
    "gap-head": (less("params"),),
    "grouped": (less("params"), less("macs")),
    "no-bias": (less("params"), same("macs")),
    "norm": (same("macs"),),
    "pool": (same("params"),),
    "pool-to-conv": (more("params"), more("macs")),
    "scale": (more("params"), more("macs")),
    "scse": (more("params"), more("macs")),
    "se": (more("params"), more("macs")),
    "separable": (less("macs"),),
    "stem-stride-1": (more("macs"),),
    "weight-standardise": (same("macs"),),
    "widen": (more("params"), more("macs")),
}
"""What a rule's first lines say of parameters and MACs."""
OTHER_OUTPUTS = {"classes", "without"}
"""Rules after which a net may give another number of channels."""


def texts(net: Net, name: str) -> list[str]:
    """The rule as it is written for this net: a path where it takes one."""
    parts = getattr(net.spec, "names", ())
    inner = parts[len(parts) // 2] if parts else ""
    if name in ("aux-head", "without"):
        return [f"{name}:{inner}"] if parts else []
    if name == "width":
        ends = classifiers(net)
        wide = sites(net, lambda spec: "width" in spec.field_names)
        paths = [s.path for s, _ in wide if not any(end.startswith(s.path) for end in ends)]
        return [f"width:{path},56" for path in paths[:1]]
    return [f"{name}:{ARGUMENTS[name]}" if name in ARGUMENTS else name]


def swept(net: Net, text: str) -> Net | None:
    """The net after the rule, None where it is refused with a reason."""
    name = text.partition(":")[0]
    try:
        made = net.rewrite(text)
    except (RuleError, UnknownName) as error:
        assert len(str(error)) > len(name) + 2, text  # noqa: PT017
        return None
    before, after = net.plan(), made.plan()
    assert made != net, text
    assert nw.from_json(made.to_json()) == made, text
    if name not in OTHER_OUTPUTS:
        assert after.output[0] == before.output[0], text
        assert len(after.output) == len(before.output) or name == "conv-head", text
    broken = [i for i, claim in enumerate(CLAIMS.get(name, ())) if not claim(before, after)]
    assert not broken, (text, broken, (before.params, before.macs), (after.params, after.macs))
    return made


def pairs(count: int) -> list[tuple[str, str]]:
    return Random(9).sample([(net, rule) for net in nw.nets() for rule in nw.rules()], count)


def executed(net: Net, text: str) -> None:
    heavy = net.plan().macs > HEAVIEST or net.plan().partial
    if not heavy:
        uncounted = text.startswith(("pool:", "deformable"))  # by kernels that no counter knows
        assert_plan_is_true(net, macs=not uncounted and not net.name.endswith("_lstm"))


@pytest.mark.parametrize(("name", "rule"), pairs(120))
def test_a_sample_of_rules_and_nets(name: str, rule: str) -> None:
    net = nw.net(name)
    for text in texts(net, rule):
        swept(net, text)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", nw.nets())
def test_every_rule_on_every_net(name: str) -> None:
    net = nw.net(name)
    faults: list[str] = []
    for rule in nw.rules():
        for text in texts(net, rule):
            try:
                swept(net, text)
            except (AssertionError, NetwrightError, LookupError, TypeError, ValueError) as error:
                faults.append(f"{text}: {type(error).__name__}: {str(error)[:200]}")
    assert not faults, "\n".join(faults)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "rule"), pairs(300))
def test_plans_are_true_after_a_rule(name: str, rule: str) -> None:
    net = nw.net(name)
    for text in texts(net, rule):
        made = swept(net, text)
        if made is not None:
            executed(made, text)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "first"), pairs(300))
def test_rules_after_rules(name: str, first: str) -> None:
    made = nw.net(name)
    for text in texts(made, first):
        made = swept(made, text) or made
    for text in texts(made, Random(name + first).choice(nw.rules())):
        swept(made, text)
