"""What following a forward pass sees: sharing, several inputs, control flow, mistakes."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

import netwright as nw
from netwright.foreign.fallback import multiplies
from netwright.foreign.formulas import FORMULAS


class Follow(nn.Module):
    """A module whose forward pass is a given function of it and its inputs."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *xs, **kwargs):
        return self.function(self, *xs, **kwargs)


def test_a_shared_module_counts_its_weights_once_and_its_work_each_time():
    conv = nn.Conv2d(8, 8, 3, padding=1, bias=False)
    plan = nw.plan(Follow(lambda m, x: m.conv(m.conv(x)), conv=conv), (8, 16, 16))
    assert plan.params == 8 * 8 * 9
    assert plan.macs == 2 * 8 * 8 * 9 * 256
    assert [row.path for row in plan] == ["conv", "conv_2"]
    assert [row.params for row in plan] == [576, 0]
    assert plan.field.size == (5, 5)


def test_tied_weights_count_once():
    module = Follow(lambda m, x: F.linear(m.a(x), m.a.weight.t()), a=nn.Linear(8, 5, bias=False))
    plan = nw.plan(module, (8,))
    assert (plan.params, plan.macs, plan.output) == (40, 80, (8,))


def test_what_is_made_of_weights_alone_does_not_blur_a_field():
    gate = nn.Parameter(torch.ones(1, 4))
    module = Follow(lambda m, x: m.conv(x) * torch.sigmoid(m.fc(m.gate))[..., None, None],
                    conv=nn.Conv2d(3, 8, 3), fc=nn.Linear(4, 8), gate=gate)  # fmt: skip
    plan = nw.plan(module, (3, 16, 16))
    assert (plan.field.size, plan.field.status) == ((3, 3), "exact")
    assert plan.params == 224 + 40 + 4
    assert plan.macs == 27 * 8 * 196 + 32


def test_several_inputs_and_outputs():
    module = Follow(lambda m, x, y: {"sum": m.a(x) + m.b(y), "y": [y]},
                    a=nn.Conv2d(3, 8, 3, padding=1), b=nn.Conv2d(1, 8, 5, padding=2))  # fmt: skip
    plan = nw.plan(module, ((3, 16, 16), (1, 16, 16)))
    join = plan.rows[-1]
    assert join.unit == nw.Add()
    assert join.sources == (0, 1)
    assert join.field.size == (5, 5)
    assert plan.output == (8, 16, 16)


@pytest.mark.parametrize(("inputs", "options", "images"), [
    ({"x": (3, 16, 16), "scale": (1,)}, {}, 1),
    ({"x": torch.ones(4, 3, 16, 16), "scale": torch.ones(4, 1)}, {}, 4),
    ({"x": torch.ones(4, 3, 16, 16), "scale": torch.ones(4, 1)}, {"batch_dim": 0}, 1),
])  # fmt: skip
def test_keywords_and_tensors(inputs, options, images):
    module = Follow(lambda m, x, scale: m.conv(x) * scale[..., None, None], conv=nn.Conv2d(3, 8, 1))
    plan = nw.plan(module, inputs, **options)
    assert plan.input == (3, 16, 16)
    assert plan.macs == images * 3 * 8 * 256


def test_types_of_tensors_are_those_given():
    module = Follow(lambda m, words: m.fc(m.table(words).mean(1)), table=nn.Embedding(100, 16),
                    fc=nn.Linear(16, 2))  # fmt: skip
    plan = nw.plan(module, torch.zeros(3, 7, dtype=torch.long))
    assert (plan.params, plan.macs, plan.output) == (1600 + 34, 3 * 32, (2,))


def test_control_flow_on_shapes_is_followed():
    def forward(m, x):
        while x.shape[-1] > 4:
            x = F.max_pool2d(x, 2)
        return x if x.size(1) == 3 else -x

    assert nw.plan(Follow(forward), (3, 32, 32)).output == (3, 4, 4)


def test_control_flow_on_numbers_is_told_with_its_line():
    def forward(m, x):
        y = m.conv(x)
        if y.sum() > 0:
            return y
        return -y

    module = Follow(lambda m, x: m.inner(x), inner=Follow(forward, conv=nn.Conv2d(3, 4, 1)))
    with pytest.raises(
        nw.TraceError, match=r"at inner: bool needs the numbers.*if y.sum\(\) > 0:"
    ) as told:
        nw.plan(module, (3, 8, 8))
    assert next(row.path for row in told.value.rows) == "inner.conv"


def test_shapes_that_depend_on_numbers_are_told():
    with pytest.raises(nw.TraceError, match=r"getitem needs the numbers.*x\[x > 0\]"):
        nw.plan(Follow(lambda m, x: x[x > 0]), (3, 8, 8))


def test_squeezing_leaves_the_batch():
    module = Follow(lambda m, x: m.fc(F.adaptive_avg_pool2d(x, 1).squeeze()), fc=nn.Linear(3, 2))
    assert nw.plan(module, (3, 8, 8)).output == (2,)


def test_weights_made_from_the_input_see_all_of_it():
    module = Follow(lambda m, x: F.conv2d(x, m.fc(x.mean((2, 3))).view(4, 4, 1, 1)),
                    fc=nn.Linear(4, 16))  # fmt: skip
    plan = nw.plan(module, (4, 8, 8))
    assert (plan.macs, plan.field.status) == (64 + 16 * 64, "global")


def test_an_operator_without_a_kernel_for_shapes_runs_on_zeros():
    library = torch.library.Library("netwright_tests_zeros", "DEF")
    library.define("halve(Tensor x) -> Tensor")
    library.impl("halve", lambda x: x[..., ::2].clone(), "CPU")
    try:
        plan = nw.plan(Follow(lambda m, x: torch.ops.netwright_tests_zeros.halve(x)), (3, 8, 8))
    finally:
        library._destroy()
    assert plan.output == (3, 8, 4)
    assert plan.partial == ("netwright_tests_zeros::halve",)


def test_flags_and_counters_of_the_module_may_be_read():
    class Flagged(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("ready", torch.tensor(True))
            self.conv = nn.Conv2d(3, 4, 1)

        def forward(self, x):
            return self.conv(x) if self.ready else x

    assert nw.plan(Flagged(), (3, 8, 8)).output == (4, 8, 8)


def test_a_shape_that_does_not_fit_is_told_with_the_rows_before():
    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Sequential(nn.Conv2d(4, 8, 3)))
    with pytest.raises(
        nw.ShapeError, match=r"at 2.0: Conv2d takes 4 channels, got 8x30x30"
    ) as told:
        nw.plan(module, (3, 32, 32))
    assert len(told.value.rows) == 2


def test_what_is_not_run_is_counted_as_auxiliary():
    module = Follow(lambda m, x: m.aux(x) if m.training else m.body(x),
                    body=nn.Conv2d(3, 4, 1), aux=nn.Conv2d(3, 5, 1))  # fmt: skip
    plan = nw.plan(module, (3, 8, 8))
    assert (plan.params, plan.macs) == (16 + 20, 3 * 4 * 64)
    assert plan.row("aux").auxiliary


def test_paths_say_where_functions_are_called():
    module = Follow(
        lambda m, x: F.relu(m.inner(F.relu(x))), inner=Follow(lambda m, x: F.relu(x) + x)
    )
    assert [row.path for row in nw.plan(module, (3, 8, 8))] == [
        "relu",
        "inner.relu",
        "inner.add",
        "relu_2",
    ]


class Odd(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(8, 8)

    def forward(self, x):
        return torch.linalg.solve(self.fc.weight, self.fc(x).mT).mT


def test_what_has_no_formula_is_named_and_a_formula_for_a_class_ends_it():
    module = nn.Sequential(nn.Linear(6, 8), Odd())
    plan = nw.plan(module, (4, 6))
    assert [name for name in plan.partial if "solve" in name]
    with pytest.raises(nw.TraceError, match=r"no rule for .*solve.*netwright.count"):
        nw.plan(module, (4, 6), strict=True)
    nw.count(Odd)(lambda odd, x: x.numel() * odd.fc.out_features)
    try:
        plan = nw.plan(module, (4, 6), strict=True)
    finally:
        del FORMULAS[Odd]
    assert plan.macs == 4 * 6 * 8 + 4 * 8 * 8
    assert plan.params == 56 + 72
    assert [row.unit.label for row in plan] == ["Linear", "Odd"]


PRODUCTS = ("fft_fft", "linalg_solve", "cdist", "cholesky", "svd", "_trilinear", "lu_unpack",
            "convolution", "bmm", "_thnn_fused_lstm_cell", "_embedding_bag")  # fmt: skip
OTHERS = ("relu_", "celu_", "digamma", "lgamma", "cummax", "upsample_bilinear2d", "softmax",
          "max_pool2d", "native_layer_norm", "cumsum", "grid_sampler")  # fmt: skip


@pytest.mark.parametrize("name", [*PRODUCTS, *OTHERS])
def test_operators_that_multiply_are_known_by_name(name):
    packet = getattr(torch.ops.aten, name)
    assert multiplies(getattr(packet, packet.overloads()[0])) == (name in PRODUCTS)


def test_a_copy_changed_in_place_leaves_what_it_was_copied_from():
    def forward(m, x):
        y = m.conv(x)
        z = y.clone()
        z[:, :2] = 0
        return torch.relu(y), z

    plan = nw.plan(Follow(forward, conv=nn.Conv2d(3, 4, 3)), (3, 8, 8))
    assert plan.row("relu").field.size == (3, 3)


@pytest.mark.parametrize(
    "reduced",
    [
        lambda x: x.var(1, True),
        lambda x: x.std((2, 3), False, True),
        lambda x: torch.mean(x, 1, True),
        lambda x: x.sum(dim=-1, keepdim=True),
        lambda x: (x > 0).sum((1, 2)) / 2,
        lambda x: x.amax((2, 3)),
        lambda x: x.max(1, True).values,
        lambda x: x.argmax(1),
        lambda x: torch.var_mean(x, 1)[0],
        lambda x: F.softmax(x, -1),
        lambda x: x.norm(dim=1, keepdim=True),
    ],
)
def test_reductions_have_the_shapes_and_types_of_execution(reduced):
    found = []
    nw.plan(Follow(lambda m, x: found.append(reduced(x))), (4, 6, 5))
    executed = reduced(torch.ones(1, 4, 6, 5))
    assert (found[0].shape, found[0].dtype) == (executed.shape, executed.dtype)


def test_small_products_are_counted():
    matrix = nn.Parameter(torch.ones(5, 8))
    module = Follow(lambda m, x: torch.mv(m.matrix, x[0]) + torch.dot(x[0], x[0]), matrix=matrix)
    assert nw.plan(module, (8,), strict=True).macs == 40 + 8


def test_wrong_arguments_are_told():
    with pytest.raises(nw.SpecError, match=r"or a torch.nn.Module; got 'resnet50'"):
        nw.plan("resnet50", (3, 8, 8))
    with pytest.raises(nw.SpecError, match=r"got the class ReLU"):
        nw.plan(nn.ReLU, (3, 8, 8))
    for input in (8, "3x8x8"):
        with pytest.raises(nw.ShapeError, match=r"8'? is no input; give a shape"):
            nw.plan(nn.ReLU(), input)
    with pytest.raises(nw.ShapeError, match=r"does not say its input"):
        nw.plan(nn.ReLU())
    with pytest.raises(nw.ShapeError, match=r"\(3, 0, 8\) has a size that is no positive"):
        nw.plan(nn.ReLU(), (3, 0, 8))
    with pytest.raises(nw.SpecError, match=r"dtype 'float3' is unknown"):
        nw.plan(nn.ReLU(), (3, 8, 8), dtype="float3")
    with pytest.raises(nw.SpecError, match=r"batch is 0, wanted an integer of at least 1"):
        nw.plan(nn.ReLU(), (3, 8, 8), batch=0)
    assert nw.plan(nn.ReLU(), (3, 8, 8), dtype="half").dtype == "float16"


def test_a_net_is_planned_as_ever():
    net = nw.net("lenet5")
    assert nw.plan(net) == net.plan()
