"""Shared weights: supernets against extracted nets, gradients against differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional

import netwright as nw
from netwright.data.image import Preprocessing
from netwright.data.stream import Memory
from netwright.search.shared.correlation import tau
from netwright.search.shared.differentiable import architecture_gradient, darts
from netwright.search.shared.images import RECIPE, evaluated, halves
from netwright.search.shared.relaxed import Relaxed
from netwright.search.shared.single_path import enas, one_shot
from netwright.search.shared.supernet import Supernet
from netwright.space.cells import CellSpace
from netwright.train.batches import Images
from netwright.train.learner import Learner

PLAIN = replace(RECIPE, operations=(), batch=16, clip=None)
SHAPE = (1, 12, 12)


def images(count=64, seed=0, classes=2):
    """Noise, of which class 1 repeats itself four positions to the right, class 0 further down."""
    random = np.random.default_rng(seed)
    pixels = random.integers(0, 256, (count, 12, 12, 1), dtype=np.uint8)
    labels = random.integers(0, classes, count)
    for pixel, label in zip(pixels, labels, strict=True):
        if label:
            pixel[:, 4:] = pixel[:, :-4]
        else:
            pixel[4:] = pixel[:-4]
    place = torch.device("cpu")
    plain = Preprocessing(12, 1, (0.5,), (0.25,))
    return Images(Memory(pixels, place), labels, classes, plain, place)


def small(name="darts", **options):
    return nw.space(name, **{"depth": 3, "width": 2, "input": SHAPE, "classes": 2, **options})


@pytest.mark.parametrize("name", ["darts", "enas", "pnas", "nasnet"])
def test_slices_of_shared_weights_are_the_net(name):
    """The logits of the supernet at a code are those of the net with its weights copied."""
    from random import Random

    space = small(name, width=4)
    supernet = Supernet(space, seed=1)
    x = torch.randn(3, *SHAPE, generator=torch.Generator().manual_seed(0))
    random, seen = Random(2), []
    for _ in range(4):
        code = space.sample(random)
        supernet.choose(code)
        alone = supernet.extracted(code)
        for training in (True, False):
            supernet.model.train(training)
            alone.train(training)
            wanted = alone(x)
            torch.testing.assert_close(supernet.model(x), wanted)
        assert alone.net.plan().params == space.totals(code).params
        seen.append(wanted)
    assert not torch.allclose(seen[0], seen[1])


def test_the_supernet_is_a_net():
    supernet = Supernet(small(), mixed=True)
    plan = supernet.net.plan()
    assert sum(p.numel() for p in supernet.model.parameters()) == plan.params
    assert plan.output == (2,)
    with pytest.raises(nw.SearchError, match="macro is none"):
        Supernet(nw.space("macro"))


def learning(second_space=None, momentum=0.9):
    """A relaxed supernet in double precision that has made a step, and two batches."""
    space = second_space or CellSpace(
        "toy", ("skip_connect", "conv_1x1", "avg_pool_3x3"), 1, "darts_v2_cifar10", apart=True,
        unread=False, depth=3, width=2, input=SHAPE, classes=2,
    )  # fmt: skip
    relaxed = Relaxed(Supernet(space, mixed=True, seed=3), seed=3)
    relaxed.supernet.model.double()
    relaxed.alphas = [alphas.detach().double().requires_grad_() for alphas in relaxed.alphas]
    recipe = replace(PLAIN, momentum=momentum, rate=0.1)
    learner = Learner(relaxed.supernet.model, recipe, epochs=2)
    learner.loss = functional.cross_entropy  # in double precision too
    batches = [(x.double(), y) for x, y in images(48).epoch(recipe, 0, 0)]
    with torch.no_grad():
        relaxed.weigh()
    learner.learn(*batches[2], 0.1)
    return relaxed, learner, batches


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_second_order_is_the_gradient_after_the_step(momentum):
    """Against differences of the loss on validation after the optimiser's own next step."""
    relaxed, learner, (train, val, _) = learning(momentum=momentum)
    gradient, _ = architecture_gradient(relaxed, learner, train, val, 0.1, True, reach=1e-7)
    first, _ = architecture_gradient(relaxed, learner, train, val, 0.1, second=False)
    state = {name: value.clone() for name, value in learner.model.state_dict().items()}
    moments = [group.state_dict() for group in learner.optimisers]

    def after(kind, place, by):
        from copy import deepcopy

        learner.model.load_state_dict(state)
        for optimiser, own in zip(learner.optimisers, deepcopy(moments), strict=True):
            optimiser.load_state_dict(own)
        with torch.no_grad():
            relaxed.alphas[kind].view(-1)[place] += by
            relaxed.weigh()
        learner.learn(*train, 0.1)
        with torch.no_grad():
            loss = float(learner.loss(relaxed(val[0]), val[1]))
            relaxed.alphas[kind].view(-1)[place] -= by
        return loss

    for kind in range(2):
        numbers = [(after(kind, place, 1e-6) - after(kind, place, -1e-6)) / 2e-6
                   for place in range(relaxed.alphas[kind].numel())]  # fmt: skip
        wanted = torch.tensor(numbers).double().view_as(gradient[kind])
        torch.testing.assert_close(gradient[kind], wanted, rtol=1e-3, atol=2e-6)
        assert not torch.allclose(first[kind], wanted, rtol=0.02, atol=1e-4)


def test_the_gradient_leaves_weights_and_moments_alone():
    relaxed, learner, (train, val, _) = learning()
    before = {name: value.clone() for name, value in learner.model.state_dict().items()}
    architecture_gradient(relaxed, learner, train, val, 0.1, second=True)
    after = learner.model.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())


def test_cells_are_the_strongest_edges():
    space = small(nodes=2)
    relaxed = Relaxed(Supernet(space, mixed=True))
    with torch.no_grad():
        for alphas in relaxed.alphas:
            alphas.zero_()
            alphas[:, -1] = 9  # no operation is the strongest everywhere, and never taken
        normal = relaxed.alphas[0]
        normal[0, 3], normal[1, 5] = 2, 3  # node 2: states 0 and 1
        normal[2, 1], normal[3, 0], normal[4, 6] = 1, 4, 2  # node 3: states 0, 1, 2
    ops = space.operations
    nodes = (((ops[3], 0), (ops[5], 1)), ((ops[0], 1), (ops[6], 2)))
    assert relaxed.genotype().normal.nodes == nodes
    assert space.genotype(relaxed.code()).normal.nodes == nodes


@pytest.mark.parametrize("second", [False, True])
def test_a_planted_operation_is_chosen(second):
    """Only a dilated kernel sees four positions far; a pool of one position does not."""
    space = CellSpace("toy", ("skip_connect", "dil_conv_5x5"), 1, "darts_v2_cifar10", apart=True,
                      unread=False, depth=3, width=6, input=SHAPE, classes=2)  # fmt: skip
    train, val = halves(images(256, seed=1))
    made = darts(space, train, val, second=second, epochs=6 if second else 12, recipe=PLAIN,
                 rate=0.03, decay=0.0, skips=None)  # fmt: skip
    (node,) = made.net.spec.part("cell1").genotype.nodes
    assert "dil_conv_5x5" in [name for name, _ in node]
    assert len(made.history) == (6 if second else 12)


def test_darts_stops_before_all_are_skips():
    space = CellSpace("toy", ("skip_connect", "max_pool_3x3"), 2, "darts_v2_cifar10", apart=True,
                      unread=False, depth=3, width=2, input=SHAPE, classes=2)  # fmt: skip
    train, val = halves(images(32))
    free = darts(space, train, val, epochs=6, recipe=PLAIN, skips=None)
    counts = [row["skips"] for row in free.history]
    assert (len(counts), free.stopped) == (6, "6 epochs")
    most = max(counts[1:]) - 1  # the first fifth does not count
    made = darts(space, train, val, epochs=6, recipe=PLAIN, skips=most)
    ends = next(i for i, count in enumerate(counts) if i and count > most)
    assert made.history == free.history[: ends + 1]
    assert made.stopped == f"epoch {ends + 1}: {most + 1} skips in the normal cell"
    sound = [row["code"] for row in made.history if row["skips"] <= most]
    assert made.code == (sound[-1] if sound else made.history[-1]["code"])
    with pytest.raises(nw.SearchError, match="two different states"):
        darts(small("enas"), train, val)


def test_enas_learns_and_chooses():
    train, val = halves(images(64))
    rows = []
    space = small("enas")
    made = enas(space, train, val, epochs=2, recipe=PLAIN, asks=6, batch=3, candidates=3,
                progress=rows.append)  # fmt: skip
    assert rows == made.history
    assert [row["epoch"] for row in rows] == [1, 2]
    assert all(0 <= row["val_accuracy"] <= 1 for row in rows)
    again = enas(space, train, val, epochs=2, recipe=PLAIN, asks=6, batch=3, candidates=3)
    assert again == made
    assert made.net.plan().output == (2,)


def test_one_shot_tells_what_its_ranking_is_worth():
    train, val = halves(images(48))
    made = one_shot(small(), train, val, epochs=1, recipe=PLAIN, candidates=6, checked=4,
                    evaluator=lambda net: -net.plan().macs)  # fmt: skip
    assert list(made.shared.values()) == sorted(made.shared.values(), reverse=True)
    assert made.code == next(iter(made.shared))
    assert len(made.alone) == 4
    assert made.tau == tau([made.shared[code] for code in made.alone], [*made.alone.values()])
    assert one_shot(small(), train, val, epochs=1, recipe=PLAIN, candidates=3).tau is None


@pytest.mark.parametrize("search", [darts, enas, one_shot])
def test_what_is_stopped_goes_on_from_its_checkpoint(search, tmp_path):
    given = {"epochs": 3, "recipe": PLAIN, "candidates": 4}
    given |= {"asks": 4} if search is enas else {"skips": None} if search is darts else {}
    space, (train, val) = small("enas" if search is enas else "darts"), halves(images(48))
    whole, file = search(space, train, val, **given), tmp_path / "supernet.safetensors"

    def stop(row):
        if row["epoch"] == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(space, train, val, **given, checkpoint=file, progress=stop)
    epochs = []
    again = search(space, train, val, **given, checkpoint=file,
                   progress=lambda row: epochs.append(row["epoch"]))  # fmt: skip
    assert epochs == [3]
    assert again == whole


def test_counts_below_one_are_refused_before_anything_is_trained():
    train, val = halves(images(8))
    for search, name in ((darts, "epochs"), (enas, "candidates"), (enas, "asks"),
                         (one_shot, "checked")):  # fmt: skip
        with pytest.raises(nw.SearchError, match=f"{name} is 0, wanted at least 1"):
            search(small(), train, val, **{name: 0})


def test_one_net_alone_has_no_rank_correlation():
    train, val = halves(images(16))
    made = one_shot(small(), train, val, epochs=1, recipe=PLAIN, candidates=2, checked=1,
                    evaluator=lambda net: 1.0)  # fmt: skip
    assert (len(made.alone), made.tau) == (1, None)


def test_tau_counts_pairs_in_the_same_order():
    random = np.random.default_rng(0)
    for _ in range(20):
        scores = random.integers(0, 6, (2, 12))
        signs = [np.sign(own[:, None] - own)[np.triu_indices(12)] for own in scores]
        apart = np.sqrt(np.prod([np.abs(sign).sum() for sign in signs]))
        assert tau(*scores.tolist()) == pytest.approx((signs[0] * signs[1]).sum() / apart)
    assert tau([1, 1], [1, 2]) == 0
    with pytest.raises(nw.SearchError, match="1 and 1 scores"):
        tau([1], [2])


def test_halves_have_nothing_in_common():
    whole = images(31)
    one, other = halves(whole, 0.3, seed=4)
    assert (len(one), len(other)) == (9, 22)
    rows = [
        x.flatten().tolist() for part in (one, other) for batch in part.inorder() for x in batch
    ]
    everything = [x.flatten().tolist() for batch in whole.inorder() for x in batch]
    assert sorted(rows) == sorted(everything)
    model = torch.nn.Sequential(
        torch.nn.BatchNorm2d(1), torch.nn.Flatten(), torch.nn.Linear(144, 2)
    )
    before = model[0].running_mean.clone()
    assert 0 <= evaluated(model, other) <= 1
    assert torch.equal(model[0].running_mean, before)
    with pytest.raises(nw.SearchError, match="1 images cannot be parted"):
        halves(images(1))
