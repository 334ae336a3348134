"""Forms of one block: those that compute the same do, with the same weights; those that differ
only in order cost the same."""

from __future__ import annotations

import pytest
import torch

import netwright as nw
from netwright.blocks.ordering import ORDERS
from netwright.blocks.resnet import PLACES
from netwright.core.net import Net
from netwright.core.spec import Spec
from peers import library

MAP = (16, 9, 11)


def built(spec: Spec, seed: int = 0, shape: tuple[int, ...] = MAP) -> torch.nn.Module:
    """A module in evaluation mode, its batch norms away from the identity."""
    model = Net(spec, shape).build(seed=seed).eval()
    torch.manual_seed(seed)
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias)
    return model


def images(shape: tuple[int, ...] = MAP) -> torch.Tensor:
    return torch.randn(2, *shape, generator=torch.Generator().manual_seed(5))


def shared(state: dict[str, torch.Tensor], groups: int, form: str) -> dict[str, torch.Tensor]:
    """The weights of a grouped ResNeXt block, cut for one of its other forms."""
    made: dict[str, torch.Tensor] = {}
    body = "residual.body."
    for key, value in state.items():
        part, _, rest = key.removeprefix(body).partition(".")
        if not key.startswith(body) or (part == "restore" and form == "concatenated"):
            made[key] = value
        elif part == "restore" and rest.startswith("norm"):
            made[f"{body}{rest}"] = value
        elif value.dim() == 0:  # batches tracked
            made |= {f"{body}paths.{i}.{part}.{rest}": value for i in range(groups)}
        else:
            cuts = value.chunk(groups, 1 if part == "restore" else 0)
            name = "restore" if part == "restore" else f"{part}.{rest.rpartition('.')[0]}"
            last = rest.rpartition(".")[2]
            made |= {f"{body}paths.{i}.{name}.{last}": cut for i, cut in enumerate(cuts)}
    return made


@pytest.mark.parametrize("form", ["split", "concatenated"])
@pytest.mark.parametrize("stride", [1, 2])
def test_resnext_forms_are_equal_with_shared_weights(form: str, stride: int) -> None:
    grouped = nw.ResNeXtBlock(4, stride, 4, 3)
    model = built(grouped)
    other = built(nw.ResNeXtBlock(4, stride, 4, 3, form), seed=1)
    assert not torch.allclose(other(images()), model(images()))
    other.load_state_dict(shared(model.state_dict(), 4, form), strict=True)
    torch.testing.assert_close(other(images()), model(images()), rtol=1e-5, atol=1e-5)
    plans = [Net(nw.ResNeXtBlock(4, stride, 4, 3, f), MAP).plan() for f in ("grouped", form)]
    assert plans[0].params == plans[1].params
    assert plans[0].macs == plans[1].macs


def test_grouped_form_is_the_bottleneck_of_the_registered_nets() -> None:
    block = nw.ResNeXtBlock(64, 2)
    assert block.expand((256, 56, 56)) == nw.Bottleneck(64, 2, 32, widen=2).expand((256, 56, 56))


def test_a_sum_of_branches_is_a_grouped_convolution() -> None:
    """Convolutions of slices side by side, and a 1x1 of all against a sum of 1x1s."""
    slices = [
        nw.Sequential(take=nw.Channels(4 * i, 4 * i + 4), conv=nw.Conv(3, bias=False))
        for i in range(4)
    ]
    apart, grouped = built(nw.Concat(*slices)), built(nw.Conv(12, groups=4, bias=False))
    weight = torch.cat([apart.get_submodule(f"{i}.conv").weight for i in range(4)])
    grouped.load_state_dict({"weight": weight})
    torch.testing.assert_close(grouped(images()), apart(images()), rtol=1e-5, atol=1e-5)
    points = [nw.Sequential(take=part["take"], conv=nw.Conv(5, 1, bias=False)) for part in slices]
    summed, whole = built(nw.Sum(*points)), built(nw.Conv(5, 1, bias=False))
    weight = torch.cat([summed.get_submodule(f"{i}.conv").weight for i in range(4)], 1)
    whole.load_state_dict({"weight": weight})
    torch.testing.assert_close(whole(images()), summed(images()), rtol=1e-5, atol=1e-5)


PAIR = (nw.ConvNormAct(16), nw.ConvNormAct(16))


def test_orderings_cost_the_same() -> None:
    plans = [Net(nw.ResidualUnit(PAIR, order), MAP).plan() for order in ORDERS]
    assert len({(plan.params, plan.macs, plan.field.size) for plan in plans}) == 1
    outputs = [built(nw.ResidualUnit(PAIR, order))(images()) for order in ORDERS]
    for i, a in enumerate(outputs):
        assert not any(torch.allclose(a, b) for b in outputs[i + 1 :])


@pytest.mark.parametrize(
    ("order", "block"),
    [("original", nw.BasicBlock(16)), ("full-pre-activation", nw.PreBasicBlock(16))],
)
@pytest.mark.parametrize("stride", [1, 2])
def test_two_orderings_are_blocks_of_the_nets(order: str, block: Spec, stride: int) -> None:
    """Their weights come in the same order."""
    known = built(type(block)(16, stride))
    unit = built(nw.ResidualUnit((nw.ConvNormAct(16, 3, stride), PAIR[1]), order), seed=1)
    names, state = list(unit.state_dict()), known.state_dict()
    unit.load_state_dict(dict(zip(names, state.values(), strict=True)), strict=True)
    torch.testing.assert_close(unit(images()), known(images()), rtol=1e-5, atol=1e-5)


def test_orderings_by_hand() -> None:
    """The three that no registered net is made of (figure 4 b to d)."""
    x = images()

    def weights(order: str) -> tuple[list[torch.nn.Module], list[torch.nn.Module]]:
        model = built(nw.ResidualUnit(PAIR, order))
        layers = list(model.modules())
        models[order] = model
        convs = [m for m in layers if isinstance(m, torch.nn.Conv2d)]
        return convs, [m for m in layers if isinstance(m, torch.nn.BatchNorm2d)]

    models: dict[str, torch.nn.Module] = {}
    (c1, c2), (n1, n2) = weights("bn-after-addition")
    torch.testing.assert_close(models["bn-after-addition"](x), n2(c2(n1(c1(x)).relu()) + x).relu())
    (c1, c2), (n1, n2) = weights("relu-before-addition")
    torch.testing.assert_close(
        models["relu-before-addition"](x), n2(c2(n1(c1(x)).relu())).relu() + x
    )
    (c1, c2), (n1, n2) = weights("relu-only-pre-activation")
    torch.testing.assert_close(
        models["relu-only-pre-activation"](x), n2(c2(n1(c1(x.relu())).relu())) + x
    )


def test_places_of_squeeze_excitation_by_hand() -> None:
    """Figure 5 of Hu et al. 2017; a shortcut that stays has no weights."""
    x = images()
    for place in PLACES:
        model = built(nw.BasicBlock(16, attention=nw.SqueezeExcite(4), place=place))
        body = model.get_submodule("residual.body")
        convs = torch.nn.Sequential(body.get_submodule("conv1"), body.get_submodule("conv2"))
        name = {"post": "", "identity": "residual.shortcut."}.get(place, "residual.body.")
        gate = model.get_submodule(name + "attention")
        wanted = {
            "standard": lambda c=convs, g=gate: (g(c(x)) + x).relu(),
            "pre": lambda c=convs, g=gate: (c(g(x)) + x).relu(),
            "post": lambda c=convs, g=gate: g((c(x) + x).relu()),
            "identity": lambda c=convs, g=gate: (c(x) + g(x)).relu(),
        }[place]()
        torch.testing.assert_close(model(x), wanted)
    costs = {
        Net(nw.BasicBlock(16, attention=nw.SqueezeExcite(4), place=place), MAP).plan().params
        for place in PLACES
    }
    assert len(costs) == 1


def test_efficient_channel_attention_is_timms() -> None:
    library("timm")
    from timm.layers import EcaModule

    for channels in (16, 64, 512):
        shape = (channels, 5, 4)
        ours, theirs = built(nw.ECA(), shape=shape), EcaModule(channels)
        (weight,) = ours.parameters()
        theirs.load_state_dict({"conv.weight": weight})
        torch.testing.assert_close(ours(images(shape)), theirs(images(shape)))


def test_double_fc_competition_by_hand() -> None:
    """Both means are squeezed, and weigh the body together (Hu et al. 2018)."""
    model = built(nw.PreBasicBlock(16, attention=nw.CompetitiveExcite(4)))
    x, weights = images(), model.get_submodule("sum.weights")
    u = model.get_submodule("both.body")(x)
    z = [
        weights.get_submodule(f"both.{name}.linear")(y.mean((2, 3))).relu()
        for name, y in (("body", u), ("shortcut", x))
    ]
    s = weights.get_submodule("expand")(torch.cat(z, 1)).sigmoid()
    torch.testing.assert_close(model(x), u * s[:, :, None, None] + x)


def test_inner_imaging_by_hand() -> None:
    """The means are an image: body above, shortcut below."""
    model = built(nw.PreBasicBlock(16, attention=nw.CompetitiveExcite(4, "2x1")))
    x, weights = images(), model.get_submodule("sum.weights")
    u = model.get_submodule("both.body")(x)
    image = torch.stack([u.mean((2, 3)), x.mean((2, 3))], 1)[:, None]
    m = weights.get_submodule("conv")(image).mean(1).flatten(1)
    z = weights.get_submodule("squeeze")(m)
    s = weights.get_submodule("expand")(z).sigmoid()
    torch.testing.assert_close(model(x), u * s[:, :, None, None] + x)


def test_highway_gates_by_hand() -> None:
    model = built(nw.Highway(gate_bias=-3.0))
    x = images()
    h = model.get_submodule("transform.conv")(x).relu()
    t = (model.get_submodule("gate.conv")(x) - 3).sigmoid()
    torch.testing.assert_close(model(x), h * t + x * (1 - t))
    closed = built(nw.Highway(gate_bias=-50.0))
    torch.testing.assert_close(closed(x), x)


def test_mobile_forms_cost_less_and_less() -> None:
    """A map of 16 channels to 16: 9 C^2, (9 + C) C, and 6 times that and more, expanded."""
    macs = {
        form: Net(nw.MobileConv(16, form=form), MAP).plan().macs // (9 * 11)
        for form in ("regular", "separable", "linear", "expanded")
    }
    assert macs["regular"] == 9 * 16 * 16
    assert macs["separable"] == macs["linear"] == (9 + 16) * 16
    assert macs["expanded"] == 6 * 16 * (16 + 9 + 16)
    body = nw.InvertedResidual(24).expand(MAP)["body"]
    names = ("expand", "depthwise", "project")
    assert [nw.MobileConv(24, form="expanded").expand(MAP)[name] for name in names] == list(body)
