"""Spaces against registered nets, brute force, executed nets and published counts."""

from __future__ import annotations

import math
from collections import Counter
from itertools import permutations
from random import Random

import pytest
import torch

import netwright as nw
from netwright.blocks.genotype import CellGenotype
from netwright.nets.registry import entry
from netwright.space.cells import CellSpace
from netwright.space.hierarchical import Hierarchical
from netwright.space.macro import MacroSpace
from netwright.space.mobile import MobileSpace
from netwright.space.nasbench101 import NasBench101
from netwright.space.option_space import RandWireSpace
from netwright.space.recipes import BASES, WHITENING, RecipeSpace
from netwright.space.registry import names
from netwright.train.recipe import RECIPES, Recipe
from netwright.train.whitening import whiten
from oracles import counted_macs

SIZES = {
    "nasnet": math.prod(state**2 * 13**2 for state in range(2, 7)) ** 2,
    "amoebanet": math.prod(state**2 * 8**2 for state in range(2, 7)) ** 2,
    "enas": math.prod(state**2 * 5**2 for state in range(2, 7)) ** 2,
    "pnas": math.prod(state**2 * 8**2 for state in range(2, 7)),  # Liu et al. 2017: 5.6 x 10^14
    "darts": (1 * 3 * 6 * 10 * 7**8) ** 2,  # Liu et al. 2018: about 10^9 a cell
    "nasbench101": 2**21 * 3**5,
    "hierarchical": 7**36 * 7**10,
    "macro": 6**12 * 2**55,
    "mobile": 6**6 * 7**15,
}
SMALL = {
    **{name: {"depth": 3, "width": 4} for name in ("nasnet", "amoebanet", "enas", "darts", "pnas")},
    "nasbench101": {"width": 12, "depth": 1},
    "hierarchical": {"width": 4},
    "macro": {"layers": 5, "width": 6},
    "mobile": {"width": 0.25, "classes": 5, "input": (3, 64, 64)},
    "mbconv": {"classes": 5, "input": (3, 64, 64)},
    "regnet": {"classes": 5, "input": (3, 64, 64)},
    "randwire": {"width": 6, "nodes": (8, 7), "input": (3, 32, 32)},
    "recipe": {},
    "small": {"input": (1, 8, 8)},
    "compound": {"net": "mobilenet_v2", "step": 0.1, "classes": 5, "input": (3, 64, 64)},
    "rewrites": {"classes": 5, "input": (3, 16, 16)},
}
"""Spaces of this file's, and options that make their nets small."""


def drawn(name, count, seed=0, **options):
    space = nw.space(name, **{**SMALL[name], **options})
    random = Random(seed)
    return space, [space.sample(random) for _ in range(count)]


@pytest.mark.parametrize("name", SIZES)
def test_sizes(name):
    space = nw.space(name)
    assert space.size == SIZES[name]
    assert f"{space.size:,} codes" in repr(space)


def test_every_space_of_ours_is_sampled():
    ours = {*names()} - {"nasbench201"}
    assert ours <= {*SMALL}


@pytest.mark.parametrize("name", SMALL)
def test_totals_are_those_of_the_plan(name):
    space, codes = drawn(name, 6)
    for code in codes:
        plan = space.net(code).plan()
        assert space.totals(code) == (plan.params, plan.macs, plan.ops)
        same = space.canonical(code)
        assert space.canonical(same) == same
        assert space.totals(same)[:2] == space.totals(code)[:2]
        assert space.canonical(space.code(space.net(code))) == same


@pytest.mark.parametrize("name", sorted({*SMALL} - {"recipe"}))
def test_a_net_of_another_space_is_refused(name):
    space = nw.space(name, **SMALL[name])
    with pytest.raises(nw.SpecError, match=r"is no net of|has no .* cell"):
        space.code(nw.net("resnet20_cifar10"))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*SMALL} - {"recipe"}))
def test_macs_are_those_that_torch_counts(name):
    space, codes = drawn(name, 3, seed=1)
    for code in codes:
        net = space.net(code)
        with torch.device("meta"):
            model = net.build(init="torch").eval()
        assert (
            counted_macs(model, torch.zeros(1, *net.input, device="meta"))
            == space.totals(code).macs
        )


@pytest.mark.parametrize(
    ("space", "name"),
    [("nasnet", "nasnet_a_cifar10"), ("amoebanet", "amoebanet_a_cifar10"),
     ("enas", "enas_cifar10"), ("pnas", "pnasnet5mobile"), ("mbconv", "efficientnet_b0"),
     ("randwire", "randwire_ws_small"), ("randwire", "randwire_er_small"),
     ("randwire", "randwire_ba_small"), ("regnet", "regnet_x_400mf"), ("regnet", "regnet_y_32gf")],
)  # fmt: skip
def test_registered_nets_are_codes(space, name):
    made = nw.space(space, frame=name) if space == "pnas" else nw.space(space)
    net = nw.net(name)
    code = made.code(net)
    assert made.net(code).hash == net.hash
    assert made.net(made.canonical(code)).plan().macs == net.plan().macs


@pytest.mark.parametrize("name", ["darts_v1_cifar10", "darts_v2_cifar10"])
def test_darts_cells_are_codes_up_to_the_order_of_edges(name):
    space, net = nw.space("darts"), nw.net(name)
    code = space.code(net)
    own, known = space.genotype(code), entry(name).options["genotype"]
    for cell, other in ((own.normal, known.normal), (own.reduction, known.reduction)):
        assert [*map(sorted, cell.nodes)] == [*map(sorted, other.nodes)]
        assert cell.output == other.output

    def bare(plan):  # without the number of an edge
        return Counter((row.path.rpartition(".")[0].count("."), row.unit, row.input, row.output)
                       for row in plan)  # fmt: skip

    assert bare(space.net(code).plan()) == bare(net.plan())


def test_a_space_of_a_frame_of_imagenet():
    space = nw.space("nasnet", frame="nasnet_4a1056", width=8, input=(3, 65, 65))
    code = space.sample(Random(0))
    plan = space.net(code).plan()
    assert "identity" in space.operations
    assert space.totals(code) == (plan.params, plan.macs, plan.ops)


def test_cells_of_one_block():
    """Liu et al. 2017, section 4.1: 136 unique cells of one block, 256 by inputs and operations."""
    space = nw.space("pnas", nodes=1)
    assert space.size == 256
    assert len({space.canonical(code) for code in space.codes()}) == 136


@pytest.mark.parametrize(
    ("nodes", "apart", "unread"),
    [(3, True, False), (3, True, True), (2, False, False), (2, False, True)],
)
def test_cells_are_one_where_they_are_one_function(nodes, apart, unread):
    """All cells of so many nodes and two operations, against all numberings."""
    space = CellSpace("toy", ("max_pool_3x3", "conv_1x1"), nodes, "darts_v2_cifar10", apart=apart,
                      unread=unread, alike=True, depth=3, width=4)  # fmt: skip
    functions, classes = {}, {}
    for code in space.codes():
        cell = space.genotype(code).normal
        functions.setdefault(function(cell, values=not unread), set()).add(space.canonical(code))
        classes.setdefault(space.canonical(code), []).append(code)
    assert all(len(keys) == 1 for keys in functions.values())
    assert len(functions) == len(classes) < space.size
    assert all(key in codes for key, codes in classes.items())


def function(cell, values):
    """What a cell computes, the least of all numberings of its nodes; nodes without weights go by
    what they compute where `values` count, for all of one value are one."""
    states = range(2, 2 + len(cell.nodes))
    numbered = [state for state, edges in enumerate(cell.nodes, 2)
                if not values or any(name == "conv_1x1" for name, _ in edges)]  # fmt: skip

    def key(numbers):
        label = dict(zip(numbered, numbers, strict=True))

        def read(state):
            if state < 2:
                return f"input{state}"
            return f"node{label[state]}" if state in label else edges(state)

        def edges(state):
            return repr(sorted([(name, read(a)) for name, a in cell.nodes[state - 2]]))

        own = sorted([(label[state], edges(state)) for state in states if state in label])
        return repr((own, sorted(map(read, cell.output))))

    return min(map(key, permutations(range(len(numbered)))))


def test_equal_cells_give_equal_outputs():
    """A cell and its canonical form, executed: weights go where the same is computed."""
    space = nw.space("darts", nodes=3, depth=3, width=4, drop=0.0)
    pools = (("max_pool_3x3", 0), ("avg_pool_3x3", 1))
    convs = (("sep_conv_3x3", 0), ("skip_connect", 3))
    cell = CellGenotype((pools, pools, convs), (2, 3, 4))
    other = CellGenotype((pools, pools, (convs[0], ("skip_connect", 2))), (2, 3, 4))
    codes = [space.written(nw.Genotype(own, own)) for own in (cell, other)]
    assert codes[0] != codes[1]
    assert len({*map(space.canonical, codes)}) == 1
    one, two = [space.net(code).build(seed=0).eval() for code in codes]
    assert one.state_dict().keys() == two.state_dict().keys()
    two.load_state_dict(one.state_dict())
    x = torch.randn(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    assert torch.equal(one(x), two(x))


def test_vertices_of_nasbench101():
    """The readme of the authors' code: 2,694,282 parameters of an Inception-like cell."""
    edges = ((0, 1), (0, 2), (0, 3), (0, 5), (1, 6), (2, 6), (3, 4), (4, 6), (5, 6))
    names = ("conv_1x1", "conv_3x3", "conv_3x3", "conv_3x3", "max_pool_3x3")
    space = NasBench101()
    there = [int(edge in edges) for edge in space.edges]
    code = space.write([*there, *map(("conv_1x1", "conv_3x3", "max_pool_3x3").index, names)])
    assert space.net(code).plan().params == 2_694_282


def test_all_codes_of_four_vertices_are_the_84_cells():
    space = NasBench101(vertices=4)
    keys = {space.canonical(code) for code in space.codes()}
    assert len(keys) == 84 + 6 + 1
    hashes = {space.net(key).hash for key in keys}
    assert len(hashes) == len(keys)
    assert {space.net(code).hash for code in space.codes()} == hashes


def paths(names, edges, nodes, idle):
    """What a motif computes, as a value made of what flows into its last node."""
    values = {0: "x"}
    for node in range(1, nodes):
        terms = []
        for (a, b), name in zip(edges, names, strict=True):
            if b == node and name not in ("none", None) and a in values:
                terms.append(values[a] if name == idle else f"{name}({values[a]})")
        if terms:
            values[node] = terms[0] if len(terms) == 1 else f"[{' '.join(sorted(terms))}]"
    return values.get(nodes - 1)


def test_motifs_are_one_where_they_compute_the_same():
    """All motifs of three nodes and two primitives, two of them at all places of three nodes."""
    space = Hierarchical(motifs=2, nodes=3, top=3, primitives=("conv_1x1", "identity"))
    classes = {}
    for code in space.codes():
        motifs, edges = space._levels(space.choices(code))
        forms = [paths(names, space.inner, 3, "identity") for names in motifs]
        named = [f"<{forms[motif - 1]}>" if motif and forms[motif - 1] else None for motif in edges]
        value = paths(named, space.outer, 3, idle="")
        assert value is not None
        classes.setdefault(value, set()).add(space.canonical(code))
    # Nodes are read once or twice: of three nodes no two numberings differ in that.
    assert all(len(keys) == 1 for keys in classes.values())
    assert len({key for keys in classes.values() for key in keys}) == len(classes)


def test_layers_that_are_left_out_are_identities():
    space = MobileSpace(stages=((24, 3, 2), (40, 2, 1)), kernels=(3, 5), expansions=(3,))
    functions = {space.canonical(code) for code in space.codes()}
    assert len(functions) == (2 + 4 + 8) * (2 + 4)
    by_hash = {space.net(code).hash for code in space.codes()}
    assert len(by_hash) == len(functions)


def test_lines_of_regnets_are_one_by_their_widths():
    space = nw.space("regnet")
    random = Random(3)
    for _ in range(30):
        code = space.sample(random)
        assert space.net(space.canonical(code)).hash == space.net(code).hash
    near = [
        other for other in space.neighbours(code) if space.net(other).hash == space.net(code).hash
    ]
    assert near
    assert {space.canonical(other) for other in near} == {space.canonical(code)}


def test_random_graphs_are_one_by_their_edges():
    graphs = (nw.BarabasiAlbert(1), nw.ErdosRenyi(0.5))
    space = RandWireSpace(graphs=graphs, seeds=20, nodes=(4, 3), width=6)
    by_edges = {}
    for code in space.codes():
        by_edges.setdefault(space._drawn(space.choices(code)), set()).add(space.canonical(code))
    assert all(len(keys) == 1 for keys in by_edges.values())
    assert 1 < len(by_edges) < 40


def test_layers_of_the_macro_space_read_their_skips():
    space = MacroSpace(layers=4, width=4)
    plan = space.net(space.write([0, 2, 4, 1, 3, 0, 1])).plan()  # layer 3 reads 1, layer 4 reads 2
    cats = [row for row in plan if row.path.endswith(".cat")]
    reads = [[plan.rows[i].path.split(".")[0].split("_")[0] for i in row.sources] for row in cats]
    assert [row.path for row in cats] == ["layer3.cat", "layer4.cat"]
    assert reads == [["layer1", "layer2"], ["layer2", "layer3"]]
    assert len({space.net(code).hash for code in space.neighbours("0000000")}) == 4 * 5 + 3


def test_recipes():
    space, codes = drawn("recipe", 20)
    for code in codes:
        recipe = Recipe.from_json(space.settings(code))
        base = RECIPES[space.settings(code)["base"]]
        assert recipe.optimiser == base.optimiser
        assert 0.09 < recipe.rate / base.rate < 11
        assert space.code(space.net(code)) == code
    assert {name: (RECIPES[name].rate, RECIPES[name].decay) for name in BASES} == BASES
    assert RecipeSpace("resnet18").net(codes[0]).hash == nw.net("resnet18").hash
    assert {name for name in BASES if RECIPES[name].whiten} == WHITENING


def stem(*parts, channels=3):
    """A net of small images that begins with these parts."""
    spec = nw.Sequential(*parts, nw.GlobalAvgPool(), nw.Linear(2))
    return nw.Net(spec, (channels, 8, 8), "stem")


@pytest.mark.parametrize(
    ("net", "whitens"),
    [
        (nw.net("airbench94_cifar10"), True),
        (nw.net("resnet20_cifar10"), False),
        (stem(nw.ConvNormAct(54)), True),
        (stem(nw.ConvNormAct(53)), False),
        (stem(nw.Conv(18), channels=1), True),
        (stem(nw.Conv(24, (1, 4)), nw.Conv(4)), True),
        (stem(nw.Conv(60, 3, groups=3)), False),
        (stem(nw.Conv(4, 1), nw.Conv(99)), False),
        (nw.Net(nw.Sequential(nw.Flatten(), nw.Linear(2)), (3, 8, 8), "dense"), False),
    ],
)  # fmt: skip
def test_recipes_whiten_nets_that_have_the_filters(net, whitens):
    space = RecipeSpace(net)
    legal = {code[0] for code in (space.write((i, *[0] * 8)) for i in range(3))
             if space.fits(code)}  # fmt: skip
    assert legal == ({"0", "1", "2"} if whitens else {"0", "1"})
    images = torch.rand(64, *net.input, generator=torch.Generator().manual_seed(0))
    if whitens:
        whiten(net.build(), images)
    else:
        with pytest.raises(nw.NetwrightError, match="whitens the first convolution"):
            whiten(net.build(), images)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("nasbench101", {"vertices": 1}, "vertices is 1"),
        ("hierarchical", {"primitives": ("conv_2x2",)}, "near: conv_1x1"),
        ("macro", {"layers": 0}, "layers is 0"),
        ("darts", {"frame": "resnet51"}, "near: resnet50"),
        ("darts", {"depth": 0}, "depth is 0"),
    ],
)
def test_what_cannot_be_is_told(name, options, said):
    with pytest.raises(nw.NetwrightError, match=said):
        nw.space(name, **options).totals("0" * 24)


@pytest.mark.parametrize("name", ["darts", "enas", "mobile", "nasbench101"])
def test_a_budget_is_kept_and_its_neighbours_too(name):
    space, codes = drawn(name, 40)
    params = sorted(space.totals(code).params for code in codes)[20]
    tight = space.within(f"params<={params}")
    random = Random(1)
    for _ in range(5):
        code = tight.sample(random)
        assert tight.net(code).plan().params <= params
        child = tight.mutate(code, random)
        assert tight.totals(child).params <= params
        assert tight.canonical(child) != tight.canonical(code)
    with pytest.raises(nw.BudgetError, match=r"keeps to params.*the nearest, "):
        space.within("params<=10").sample(random)
