"""Every rule on every net, and two rules after another: a valid net with what the rule claims, or
a refusal with its reason. The suite takes a sample; `-m exhaustive` all of them."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
import torch

import netwright as nw
from netwright.core.classifier import classifiers
from netwright.core.net import Net
from netwright.core.plan import Plan
from netwright.core.rewrite import matches, sites
from netwright.core.wiring import Sequential
from netwright.errors import RuleError
from oracles import assert_plan_is_true

ARGUMENTS = {
    "act": "GELU", "channels": "4", "classes": "7", "global-pool": "GeM", "norm": "LayerNorm",
    "pool": "AvgPool",
}  # fmt: skip
"""What rules are given that need an argument, but for paths."""
SMALL = {
    "alexnet": (3, 96, 96),
    "conv_lstm": (4, 1, 16, 16),
    "densenet121": (3, 64, 64),
    "eegnet_4_2": (1, 64, 128),
    "googlenet": (3, 64, 64),
    "lenet5": (1, 32, 32),
    "mobilenet_v2": (3, 64, 64),
    "nin_cifar10": (3, 32, 32),
    "plain20_cifar10": (3, 32, 32),
    "resnet18": (3, 64, 64),
    "resnet20_cifar10": (3, 32, 32),
    "resnet50": (3, 64, 64),
    "resnext50_2x40d": (3, 64, 64),
    "unet": (1, 64, 64),
    "vgg11_bn": (3, 64, 64),
}
"""Nets that are executed, and at what."""
STUMBLED = ["airbench94_cifar10", "channel_boosted_cnn", "fcn8s", "hrnetv1_w18", "r3d_18",
            "squeezenet1_0"]  # fmt: skip
"""Nets with what rules stumbled over: streams, time, groups, sums at the end, no classifier, none
with a bias."""
HEAVIEST = 5e9
"""MACs of nets that are executed, on tensors without numbers."""

eq, ge, gt, le, lt = operator.eq, operator.ge, operator.gt, operator.le, operator.lt


def any_way(after: int, before: int) -> bool:
    return True


CLAIMS: dict[str, tuple[Callable[[int, int], bool], Callable[[int, int], bool]]] = {
    "act": (eq, eq), "align": (gt, gt), "aux-head": (gt, eq), "blur-pool": (eq, gt),
    "cbam": (gt, gt), "conv-head": (eq, eq), "deepen": (gt, gt),
    "deformable": (gt, gt), "dilate": (eq, gt), "drop-path": (eq, eq), "dropout": (eq, eq),
    "eca": (gt, gt), "fold-norm": (lt, eq), "gap-head": (le, le), "grouped": (lt, lt),
    "move-first-pool": (eq, gt), "no-bias": (lt, eq), "no-first-pool": (any_way, gt),
    "norm": (any_way, eq), "pool": (eq, le), "pool-to-conv": (gt, gt), "residual": (ge, ge),
    "scale": (ge, gt), "scse": (gt, gt), "se": (gt, gt), "separable": (any_way, lt),
    "stem-stride-1": (any_way, gt), "weight-standardise": (le, eq), "widen": (gt, gt),
}  # fmt: skip
"""What docstrings say of parameters and of MACs, after to before, where they say it of all nets."""
REASON = re.compile(r"[\w-]+(:\S+)?( breaks |: ).{20}", re.DOTALL)


def texts(net: Net, name: str) -> list[str]:
    """The rule as it is written for this net: with paths where it takes one."""
    if name in ("aux-head", "without"):
        chains = [(path, spec) for path, spec in matches(net, Sequential) if len(spec.names) > 1]
        parts = [f"{path}.{spec.names[len(spec) // 2]}".strip(".") for path, spec in chains]
        return [f"{name}:{path}" for path in dict.fromkeys([*parts[:1], *parts[-1:]])]
    if name == "width":
        ends = classifiers(net)
        wide: Any = sites(net, lambda spec: "width" in spec.field_names)
        own = [(site.path, spec.width + 8) for site, spec in wide
               if not any(end.startswith(site.path) for end in ends)]  # fmt: skip
        return [f"width:{path},{width}" for path, width in own[:1]]
    return [f"{name}:{ARGUMENTS[name]}" if name in ARGUMENTS else name]


def swept(net: Net, text: str) -> Net | None:
    """The net after the rule, with what it claims; None where it is refused with a reason."""
    name = text.partition(":")[0]
    try:
        made = net.rewrite(text)
    except RuleError as error:
        assert REASON.match(str(error)), str(error)  # noqa: PT017
        return None
    before, after = net.plan(), made.plan()
    assert made != net
    assert nw.from_json(made.to_json()) == made
    if name == "channels":
        more = sum(made.input) > sum(net.input)
        assert (after.params > before.params, after.macs > before.macs) == (more, more)
    if name == "classes":
        assert after.output[0] == 7
    elif name != "without":
        # where the net ends in a sum of branches, what it gives is one of its widths
        assert after.output[0] == before.output[0] or not classifiers(net)
        assert len(after.output) == len(before.output) or name == "conv-head"
    if name == "dilate":
        assert sizes(after) == sizes(before)
    params, macs = CLAIMS.get(name, (any_way, any_way))
    assert params(after.params, before.params), (after.params, before.params)
    assert macs(after.macs, before.macs), (after.macs, before.macs)
    return made


def sizes(plan: Plan) -> dict[str, object]:
    """Sizes of the fields of all convolutions."""
    return {row.path: row.field.size for row in plan if isinstance(row.unit, nw.Conv)}


def faults(net: Net, rules: list[str], then: Callable[[Net], object] = lambda made: None) -> str:
    """What is wrong with the net after each of these rules, a line a rule."""
    lines: list[str] = []
    for rule in rules:
        for text in texts(net, rule):
            try:
                made = swept(net, text)
                if made is not None:
                    then(made)
            except Exception as error:  # noqa: BLE001 the other rules are tried too
                lines.append(f"{net.name} {text}: {type(error).__name__}: {str(error)[:900]}")
    return "\n".join(lines)


def executed(net: Net) -> None:
    plan = net.plan()
    if plan.macs <= HEAVIEST and not plan.partial:
        # by kernels that torch's counter does not know
        uncounted = any(isinstance(row.unit, nw.LpPool | nw.DeformableConv) for row in plan)
        assert_plan_is_true(net, macs=not uncounted and not net.name.endswith("_lstm"))


def written(net: Net) -> None:
    """The keys of the file that stands alone are those of the built net."""
    space: dict[str, Any] = {"__name__": "written"}
    exec(compile(net.source(), net.name, "exec"), space)
    classes = [one for one in space.values() if getattr(one, "__module__", "") == "written"]
    with torch.device("meta"):
        found = classes[-1]().state_dict()
    wanted = net.build(device="meta", init="torch").state_dict()
    assert {key: x.shape for key, x in found.items()} == {k: x.shape for k, x in wanted.items()}


def small(name: str) -> Net:
    return nw.net(name).but(input=SMALL[name])


def pairs(count: int, nets: list[str], seed: int = 9) -> list[tuple[str, str]]:
    return Random(seed).sample([(net, rule) for net in nets for rule in nw.rules()], count)


@pytest.mark.parametrize(("name", "rule"), pairs(80, nw.nets()))
def test_a_sample_of_rules_and_nets(name: str, rule: str) -> None:
    assert not faults(nw.net(name), [rule])


@pytest.mark.parametrize("name", STUMBLED)
def test_every_rule_where_rules_stumbled(name: str) -> None:
    assert not faults(nw.net(name), nw.rules())


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", nw.nets())
def test_every_rule_on_every_net(name: str) -> None:
    assert not faults(nw.net(name), nw.rules())


@pytest.mark.parametrize("rule", nw.rules())
def test_every_rule_fits_somewhere(rule: str) -> None:
    nets = [small(name) for name in SMALL]
    assert any(swept(net, text) for net in nets for text in texts(net, rule))


@pytest.mark.parametrize(("name", "rule"), pairs(60, [*SMALL]))
def test_plans_are_true_after_a_rule(name: str, rule: str) -> None:
    assert not faults(small(name), [rule], executed)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SMALL)
def test_plans_are_true_after_every_rule(name: str) -> None:
    assert not faults(small(name), nw.rules(), executed)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SMALL)
def test_source_has_the_keys_after_every_rule(name: str) -> None:
    assert not faults(small(name), nw.rules(), written)


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "rule"), pairs(400, nw.nets()))
def test_plans_of_large_nets_are_true(name: str, rule: str) -> None:
    assert not faults(nw.net(name), [rule], executed)


def test_a_sample_of_rules_after_rules() -> None:
    draw = Random(5)
    for name, first in pairs(40, [*SMALL], seed=5):
        second = draw.sample(nw.rules(), 3)
        assert not faults(small(name), [first], lambda made, rules=second: again(made, rules))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", SMALL)
def test_every_rule_after_every_rule(name: str) -> None:
    assert not faults(small(name), nw.rules(), lambda made: again(made, nw.rules()))


@pytest.mark.exhaustive
@pytest.mark.parametrize(("name", "first"), pairs(300, nw.nets(), seed=7))
def test_rules_after_rules_on_every_net(name: str, first: str) -> None:
    second = Random(name + first).sample(nw.rules(), 4)
    assert not faults(nw.net(name), [first], lambda made: again(made, second))


def again(made: Net, rules: list[str]) -> None:
    assert not (wrong := faults(made, rules)), wrong
