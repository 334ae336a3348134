"""Batch norms folded into what is before them: which ones, and the outputs that stay."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from netwright.building import folded
from netwright.core.net import Net
from netwright.errors import RuleError
from netwright.rules.fold import foldable

CONV, NORM = nw.Conv(4), nw.BatchNorm()
KEPT = nw.Shared(CONV, "conv")
NORMED = nw.Shared(NORM, "norm")
BOTH = nw.Shared(nw.ConvNormAct(4), "both")
IMAGE, STEPS = (4, 8, 8), (3, 4, 8, 8)

FOLDS = {
    "own norm, pool, norm": (nw.Sequential(a=nw.ConvNormAct(4), pool=nw.MaxPool(2), norm=NORM), 1),
    "one block": (nw.ConvNormAct(4), 0),
    "neighbours": (nw.Sequential(CONV, NORM, nw.ReLU(), CONV, NORM), 0),
    "two norms": (nw.Sequential(c=CONV, n=NORM, m=NORM), 1),
    "chains apart": (nw.Sequential(c=nw.Sequential(nw.ReLU(), CONV), n=nw.Sequential(NORM)), 0),
    "depthwise": (nw.Sequential(c=nw.DepthwiseConv(bias=False), n=nw.BatchNorm(affine=False)), 0),
    "transposed": (nw.Sequential(c=nw.TransposedConv(8, 2, 2, groups=2), n=NORM), 0),
    "deformable": (nw.Sequential(c=nw.DeformableConv(8), n=nw.GhostBatchNorm()), 0),
    "dense": (nw.Sequential(f=nw.Flatten(), c=nw.Linear(8, bias=False), n=NORM), 0),
    "stage": (nw.Stage(nw.ConvNormAct(8), 2), 0),
    "before and behind": (nw.Sequential(n=NORM, c=CONV, m=NORM, act=nw.ReLU()), 1),
    "in a graph": (
        nw.Graph(a=CONV, n=nw.Node(NORM, "a"), out=nw.Node(nw.Add(), "n", "input")), 0
    ),
    "in streams": (
        nw.Sequential(c=nw.Fork(CONV, CONV), n=nw.Parallel(NORM, NORM), sum=nw.Sum(
            nw.Identity(), nw.Identity())), 0
    ),
    "frozen": (nw.Sequential(f=nw.Frozen(CONV), n=NORM), 0),
    "both shared": (nw.Sequential(a=KEPT, n=NORMED, b=KEPT, m=NORMED), 0),
    "shared block": (nw.Sequential(a=BOTH, b=BOTH), 0),
    "reflected": (nw.Sequential(c=nw.Conv(4, border="reflect"), n=NORM), 0),
    "a number outside": (nw.Sequential(c=nw.Conv(4, border=0.5), n=NORM), 0),
    "cropped": (nw.Sequential(c=nw.Conv(4, border="crop"), n=NORM), 0),
}  # fmt: skip
"""Specs, and how many norms stay."""
STAYS = {
    "no norm": nw.Sequential(c=CONV),
    "another norm": nw.Sequential(c=CONV, n=nw.GroupNorm(groups=2)),
    "behind a pool": nw.Sequential(c=CONV, pool=nw.AvgPool(2), n=NORM),
    "behind an activation": nw.Sequential(c=CONV, act=nw.ReLU(), n=NORM),
    "weights of another's": nw.Sequential(c=nw.WeightStandardisation(CONV), n=NORM),
    "read beside": nw.Sequential(c=CONV, s=nw.Sum(x=NORM, y=nw.Identity())),
    "returned": nw.Graph(a=CONV, n=nw.Node(NORM, "a"), out=nw.Node(nw.Sequential(), "a")),
    "tapped": nw.Sequential(c=CONV, t=nw.Tap(nw.Sequential(NORM, nw.GlobalAvgPool())), n=NORM),
    "several norms": nw.Sequential(a=KEPT, n=NORM, b=KEPT, m=NORM),
    "one use without": nw.Sequential(a=KEPT, n=NORM, b=KEPT),
    "norm of another": nw.Sequential(a=KEPT, n=NORMED, b=CONV, m=NORMED),
}


def randomised(model: torch.nn.Module, seed: int = 1) -> torch.nn.Module:
    """The model in evaluation mode, its norms as if it had learnt."""
    draw = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, torch.nn.modules.batchnorm._BatchNorm):
            module.running_mean.normal_(0, 0.1, generator=draw)
            module.running_var.uniform_(0.5, 2, generator=draw)
            if module.affine:
                module.weight.data.uniform_(-1.5, 1.5, generator=draw)
                module.bias.data.normal_(0, 0.2, generator=draw)
    return model.eval()


def norms(net: Net) -> int:
    return sum(isinstance(row.unit, nw.BatchNorm) for row in net.plan())


def assert_folds(net: Net) -> None:
    """Outputs stay, in double precision; so do MACs, and nothing else than norms goes."""
    made = net.rewrite("fold-norm")
    assert norms(made) < norms(net)
    assert made.plan().macs == net.plan().macs
    assert nw.from_json(made.to_json()) == made
    model = randomised(net.build(seed=0, init="torch").double())
    x = torch.rand(1, *net.input, generator=torch.Generator().manual_seed(2), dtype=torch.double)
    with torch.inference_mode():
        wanted, found = model(x), folded(model)(x)
    scale = float(wanted.abs().max())
    assert scale > 0
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-9 * scale)


@pytest.mark.parametrize("case", FOLDS)
def test_what_can_be_folded_is(case: str) -> None:
    spec, stay = FOLDS[case]
    net = Net(spec, IMAGE)
    assert norms(net.rewrite("fold-norm")) == stay
    assert_folds(net)


@pytest.mark.parametrize("case", STAYS)
def test_what_cannot_be_folded_stays(case: str) -> None:
    with pytest.raises(RuleError, match="no batch norm directly behind a convolution"):
        Net(STAYS[case], IMAGE).rewrite("fold-norm")


def test_steps_of_time() -> None:
    """A norm of every step folds, one of the sequence has other channels."""
    inside = nw.TimeDistributed(nw.Sequential(CONV, NORM))
    assert_folds(Net(nw.Sequential(t=inside, n=NORM), STEPS))
    assert norms(Net(nw.Sequential(t=inside, n=NORM), STEPS).rewrite("fold-norm")) == 1
    pooled = nw.TimeDistributed(nw.GlobalAvgPool())
    for spec in (nw.Sequential(t=nw.TimeDistributed(CONV), n=NORM),
                 nw.Sequential(f=pooled, c=nw.Linear(4), n=NORM)):  # fmt: skip
        with pytest.raises(RuleError, match="no batch norm directly"):
            Net(spec, STEPS).rewrite("fold-norm")


def test_blocks_keep_their_form_and_parts_their_names() -> None:
    net = Net(FOLDS["own norm, pool, norm"][0], IMAGE)
    made = net.rewrite("fold-norm").spec
    assert made == nw.Sequential(a=nw.ConvNormAct(4, norm=None), pool=nw.MaxPool(2), norm=NORM)
    assert Net(FOLDS["stage"][0], IMAGE).rewrite("fold-norm").spec == nw.Stage(
        nw.ConvNormAct(8, norm=None), 2
    )
    neighbours = Net(FOLDS["neighbours"][0], IMAGE).rewrite("fold-norm").spec
    assert neighbours.names == ("0", "2", "3")


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_type_and_device_stay(dtype: torch.dtype) -> None:
    net = Net(nw.Sequential(a=nw.ConvNormAct(4), b=nw.Conv(2), g=nw.GlobalAvgPool()), IMAGE)
    made = folded(randomised(net.build(seed=0)).to(dtype))
    assert {value.dtype for value in made.state_dict().values()} == {dtype}
    there = folded(net.build(device="meta", init="torch").to(dtype))
    assert {(p.dtype, p.device.type) for p in there.parameters()} == {(dtype, "meta")}


def test_the_model_stays_as_it_was() -> None:
    model = randomised(Net(nw.ConvNormAct(4), IMAGE).build(seed=0))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    made = folded(model)
    for parameter in made.parameters():
        parameter.data.zero_()
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    with pytest.raises(RuleError, match="not built from a net"):
        folded(torch.nn.Linear(1, 1))


NETS = {
    "densenet100_k12_bc_cifar10": {"depth": 22},
    "eegnet_4_2": {},
    "googlenet_bn": {"input": (3, 64, 64), "classes": 5},
    "mobilenet_v2": {"input": (3, 64, 64), "width": 0.25},
    "preresnet20_cifar10": {},
    "resnet18": {"input": (3, 64, 64), "width": 16},
    "vgg11_bn": {"input": (3, 64, 64), "width": 8, "hidden": 32},
}


@pytest.mark.parametrize("name", NETS)
def test_nets_give_the_same_outputs(name: str) -> None:
    assert_folds(nw.net(name, **NETS[name]))


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", nw.nets())
def test_every_net_gives_the_same_outputs(name: str) -> None:
    net = nw.net(name)
    if not foldable(net):
        pytest.skip("no norm directly behind a convolution")
    assert_folds(net)
