"""Rules that promise to keep what a net says: outputs before and after, in double precision."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor, nn

import netwright as nw
from netwright.building import folded
from netwright.core.net import Net
from netwright.core.rewrite import matches
from netwright.core.wiring import Sequential
from netwright.errors import RuleError

NETS = {
    "alexnet": {"classes": 5, "input": (3, 64, 64)},
    "conv_lstm": {"widths": (4, 3), "kernel": 3, "input": (4, 2, 24, 32)},
    "densenet100_k12_bc_cifar10": {"depth": 22},
    "eegnet_4_2": {},
    "googlenet": {"aux": True, "classes": 5, "input": (3, 96, 96)},
    "lenet5": {},
    "mobilenet_v2": {"width": 0.25, "input": (3, 64, 64)},
    "mobilenet_v3_small": {"width": 0.5, "input": (3, 64, 64)},
    "preresnet20_cifar10": {},
    "resnet18": {"width": 8, "input": (3, 64, 64)},
    "squeezenet1_0": {"classes": 5, "input": (3, 64, 64)},
    "unet": {"width": 8, "depth": 3, "input": (1, 32, 32)},
    "vgg11_bn": {"width": 8, "hidden": 32, "input": (3, 64, 64)},
}
"""Nets that are executed, small."""
BIASED = nw.Sequential(
    a=nw.ConvNormAct(8, bias=True), b=nw.Conv(8, groups=2), n=nw.BatchNorm(affine=False),
    sum=nw.Sum(x=nw.Sequential(c=nw.Conv(8), n=nw.BatchNorm()), y=nw.Identity()),
    pool=nw.GlobalAvgPool(), fc1=nw.Linear(6), m=nw.BatchNorm(), fc2=nw.Linear(3),
)  # fmt: skip
KEEPING = ["conv-head", "deformable", "drop-path", "dropout", "no-bias"]
"""Rules that keep outputs on the same weights, beside those that take a path."""
HEAVIEST = 7e8
"""MACs of nets that are executed in double precision."""


def learnt(net: Net, seed: int = 1) -> nn.Module:
    """The net built in double precision, in evaluation, its norms as if it had learnt."""
    model = net.build(seed=seed, init="torch").double().eval()
    draw = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.1, generator=draw)
            module.running_var.uniform_(0.5, 2, generator=draw)
    return model


def carried(old: Mapping[str, Tensor], model: nn.Module) -> nn.Module:
    """The model with the weights that are there under its own keys, or without the name of a
    chain that a rule put around a part; others stay as they began.
    """
    state = model.state_dict()
    for key, value in state.items():
        words = key.split(".")
        names = [key, *[".".join(words[:i] + words[i + 1 :]) for i in range(len(words))]]
        source = next((old[name] for name in names if name in old), None)
        if source is not None:
            state[key] = source.reshape(value.shape)
    model.load_state_dict(state)
    return model


def batch_statistics(model: nn.Module) -> nn.Module:
    """The model with norms that take away the mean of the batch, as in training."""
    for module in model.modules():
        module.train(isinstance(module, nn.modules.batchnorm._BatchNorm))
    return model


def scores(model: nn.Module, x: Tensor) -> Tensor:
    """What the net says, its auxiliary heads aside."""
    with torch.inference_mode():
        out = model(x)
    return next(iter(out.values())) if isinstance(out, dict) else out


def assert_keeps(net: Net, rule: str) -> None:
    """The net says the same after the rule, on the weights it had."""
    made = net.rewrite(rule)
    model = learnt(net)
    other = carried(model.state_dict(), made.build(seed=2).double().eval())
    x = torch.rand(3, *net.input, dtype=torch.double, generator=torch.Generator().manual_seed(3))
    if rule == "no-bias":
        model, other = batch_statistics(model), batch_statistics(other)
    wanted = scores(model, x)
    found = scores(other, x).reshape(wanted.shape)
    size = float(wanted.abs().max())
    assert size > 0
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-9 * size)


def paths(net: Net) -> list[str]:
    """Rules with paths that keep outputs: auxiliary heads, parts taken out that do nothing."""
    chains = [(path, spec) for path, spec in matches(net, Sequential) if len(spec.names) > 1]
    idle = [
        f"{path}.{name}".strip(".")
        for path, chain in chains
        for name, part in chain.parts
        if isinstance(part, nw.Identity | nw.Dropout | nw.DropPath) or part == Sequential()
    ]
    heads = [chain.names[0] for path, chain in chains if not path]
    return [f"without:{path}" for path in idle] + [f"aux-head:{path}" for path in heads]


def kept(net: Net, rule: str) -> bool:
    """Whether the rule fits the net; where it does, it keeps what the net says."""
    try:
        net.rewrite(rule)
    except RuleError:
        return False
    assert_keeps(net, rule)
    return True


@pytest.mark.parametrize("rule", KEEPING)
def test_what_a_net_says_stays(rule: str) -> None:
    nets = [Net(BIASED, (3, 16, 16)), *[nw.net(name, **NETS[name]) for name in NETS]]
    assert sum(kept(net, rule) for net in nets) > 1


def test_what_does_nothing_may_go_and_heads_may_come() -> None:
    tried = [rule for name in NETS for net in [nw.net(name, **NETS[name])] for rule in paths(net)
             if kept(net, rule)]  # fmt: skip
    assert {rule.partition(":")[0] for rule in tried} == {"without", "aux-head"}


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", nw.nets())
def test_what_every_net_says_stays(name: str) -> None:
    net = nw.net(name)
    if net.plan().macs > HEAVIEST:
        pytest.skip("too heavy for double precision")
    for rule in [*KEEPING, *paths(net)]:
        kept(net, rule)


def test_folding_two_rules_later() -> None:
    """Norms that another rule brought are folded like those of the net's own."""
    net = nw.net("resnet18", width=8, input=(3, 64, 64)).rewrite("separable", "no-first-pool")
    model = learnt(net)
    x = torch.rand(2, *net.input, dtype=torch.double)
    torch.testing.assert_close(scores(folded(model), x), scores(model, x), rtol=1e-9, atol=1e-9)
