"""Plans of sizes that are symbols: the formulas of the field."""

from __future__ import annotations

import pytest

import netwright as nw
from netwright.core.net import Net

sympy = pytest.importorskip("sympy")
C, H, W, N, K, Y = sympy.symbols("C H W N K Y", positive=True, integer=True)


def plan(spec, shape=(C, H, W)):
    return Net(spec, shape).plan()


def test_three_by_three() -> None:
    made = plan(nw.Conv(C, 3, bias=False))
    assert made.macs == 9 * C**2 * H * W
    assert made.params == 9 * C**2
    assert made.output == (C, H, W)


def test_standard_over_separable() -> None:
    standard = plan(nw.Conv(C, 3, bias=False)).macs
    separable = plan(nw.Sequential(nw.DepthwiseConv(3, bias=False), nw.Conv(C, 1, bias=False))).macs
    assert sympy.simplify(standard / separable - 9 * C / (9 + C)) == 0


def test_separable_over_standard_is_one_over_n_plus_one_over_k_squared() -> None:
    standard = plan(nw.Conv(N, K, padding=0, bias=False)).macs
    deep = nw.DepthwiseConv(K, padding=0, bias=False)
    separable = plan(nw.Sequential(deep, nw.Conv(N, 1, bias=False))).macs
    assert sympy.simplify(separable / standard - (1 / N + 1 / K**2)) == 0


def test_two_three_by_three_for_a_five_by_five() -> None:
    five = plan(nw.Conv(C, 5, bias=False)).params
    pair = plan(nw.Sequential(nw.Conv(C, 3, bias=False), nw.Conv(C, 3, bias=False))).params
    assert (five, pair) == (25 * C**2, 18 * C**2)
    assert 1 - sympy.Rational(18, 25) == sympy.Rational(28, 100)


def test_asymmetric_saves_a_third() -> None:
    square = plan(nw.Conv(C, 3, bias=False)).params
    pair = plan(
        nw.Sequential(nw.Conv(C, (3, 1), bias=False), nw.Conv(C, (1, 3), bias=False))
    ).params
    assert sympy.simplify(pair / square) == sympy.Rational(2, 3)


def test_width_for_resolution() -> None:
    wide, large = (C, 2 * H, 2 * W), (2 * C, H, W)
    a = plan(nw.Conv(C, 3, bias=False), wide)
    b = plan(nw.Conv(2 * C, 3, bias=False), large)
    assert sympy.simplify(a.rows[0].elements - 4 * H * W * C) == 0
    assert sympy.simplify(b.rows[0].elements - 2 * H * W * C) == 0
    assert (a.params, b.params) == (9 * C**2, 36 * C**2)
    assert sympy.simplify(a.macs - b.macs) == 0
    assert sympy.simplify(a.macs - 36 * H * W * C**2) == 0


def test_output_size() -> None:
    made = plan(nw.Conv(C, K, stride=2, padding=1))
    assert made.output[1] == (H + 2 - (K - 1) - 1) // 2 + 1
    assert made.rows[0].field.status == "unknown"


def test_dense_and_pooling() -> None:
    dense = plan(nw.Linear(Y), (C,))
    assert sympy.expand(dense.params - (C + 1) * Y) == 0
    assert dense.macs == C * Y
    pool = plan(nw.MaxPool(K), (C, K * H, K * W))
    assert sympy.simplify(pool.ops - K**2 * C * H * W) == 0


def test_a_whole_block_has_a_formula() -> None:
    made = plan(nw.Bottleneck(C, shortcut="C"), (4 * C, H, W))
    assert made.output == (4 * C, H, W)
    assert sympy.expand(made.macs) == (4 + 9 + 4 + 16) * C**2 * H * W


def test_naive_inception_joins_480_maps() -> None:
    naive = nw.Concat(nw.Conv(64, 1), nw.Conv(128, 3), nw.Conv(32, 5), nw.MaxPool(3, 1, 1))
    assert Net(naive, (256, 28, 28)).plan().output == (480, 28, 28)


@pytest.mark.parametrize(
    "unit",
    [
        nw.MaxPool(3, 2, ceil=True),
        nw.MaxPool(2, 3, 1, ceil=True),
        nw.AdaptiveAvgPool((3, 1)),
        nw.AdaptiveAvgPool(5),
        nw.SpatialPyramidPool((4, 2, 1)),
        nw.TiledConv(4, tiles=(3, 4)),
    ],
    ids=repr,
)
def test_formulas_are_right_at_numbers(unit: nw.Unit) -> None:
    made = plan(unit)
    for h, w in ((3, 4), (5, 5), (6, 9), (11, 8)):
        real = plan(unit, (2, h, w))
        at = {C: 2, H: h, W: w}
        assert tuple(sympy.sympify(size).subs(at) for size in made.output) == real.output
        for what in ("params", "macs", "ops"):
            assert sympy.sympify(getattr(made, what)).subs(at) == getattr(real, what)


@pytest.mark.parametrize(
    ("unit", "shape"),
    [(nw.AdaptiveAvgPool(K), (C, H, W)), (nw.CompactBilinearPool(N), (C, H, W))],
    ids=repr,
)
def test_what_has_no_formula_says_so(unit: nw.Unit, shape: tuple[object, ...]) -> None:
    with pytest.raises(nw.ShapeError, match="is a symbol"):
        plan(unit, shape)


def test_rounding_up_is_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    for n, k, s in ((n, k, s) for n in range(4, 12) for k in (2, 3, 4) for s in (1, 2, 3, 5)):
        for p in range(k // 2 + 1):
            y = torch.nn.functional.max_pool1d(torch.zeros(1, 1, n), k, s, p, ceil_mode=True)
            assert nw.MaxPool(k, s, p, ceil=True).shape((1, n)) == (1, y.shape[2])


def test_transposed_output() -> None:
    made = plan(nw.TransposedConv(N, 4, stride=2, padding=1, extra=1))
    assert sympy.expand(made.output[1] - ((H - 1) * 2 - 2 + 3 + 1 + 1)) == 0
    assert sympy.expand(made.macs - C * N * 16 * H * W) == 0


def test_flattened_against_full() -> None:
    """a^2 (C + Y + X) for three one-dimensional kernels, a^2 C Y X for a full one, a map."""
    flat = plan(nw.FlattenedConv(N, K, bias=False))
    full = plan(nw.Conv(N, K, bias=False))
    assert sympy.expand(full.macs / N - C * K * K * H * W) == 0
    assert sympy.expand(flat.macs / N - (C + K + K) * H * W) == 0


@pytest.mark.parametrize(("k", "depth"), [(3, 1), (3, 7), (5, 4), (2, 3)])
def test_stacked_kernels_see_one_plus_depth_times_k_minus_one(k: int, depth: int) -> None:
    made = Net(nw.Sequential(*[nw.Conv(4, k)] * depth), (3, 99, 99)).plan()
    assert made.field.size == (1 + depth * (k - 1),) * 2


def test_fields_follow_the_recurrence() -> None:
    """j' = j s, r' = r + d(k-1) j, start' = start + (d(k-1)/2 - p) j."""
    j, r, start = 1, 1, sympy.Integer(0)
    parts = [(7, 2, 3, 1), (3, 2, 1, 1), (3, 1, 2, 2), (5, 3, 0, 1)]
    convs = [nw.Conv(4, k, s, p, d) for k, s, p, d in parts]
    for i, (k, s, p, d) in enumerate(parts):
        r += d * (k - 1) * j
        start += (sympy.Rational(d * (k - 1), 2) - p) * j
        j *= s
        field = Net(nw.Sequential(*convs[: i + 1]), (3, 299, 299)).plan().field
        assert (field.size[0], field.jump[0], field.start[0]) == (r, j, start)


def test_three_dilated_kernels_touch_seven_of_thirteen() -> None:
    made = Net(nw.Sequential(*[nw.Conv(4, 3, dilation=2)] * 3), (3, 64, 64)).plan()
    assert made.field.size == (13, 13)
    assert made.field.density == (7 / 13, 7 / 13)
    strided = nw.Sequential(nw.Conv(4, 1, 2), nw.Conv(4, 3))
    field = Net(strided, (3, 64, 64)).plan().field
    assert (field.size, field.density) == ((5, 5), (0.6, 0.6))


def test_dense_layers() -> None:
    made = plan(nw.Linear(N), (C,))
    assert made.macs == C * N
    assert sympy.expand(made.params - (C + 1) * N) == 0
