"""Long looks end at Ctrl-C, or when their time is up, with what there is."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

import netwright as nw
from netwright.data.image import Preprocessing
from netwright.look.pace import Pace

GIVEN = Preprocessing(16, 3, (0.5,) * 3, (0.25,) * 3)
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3)).astype(np.uint8)


def small() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(6, 2)).eval()  # fmt: skip


def stop_at(share: float) -> Callable[[float], None]:
    """Presses Ctrl-C once this share is done."""

    def tell(done: float) -> None:
        if done >= share:
            raise KeyboardInterrupt

    return tell


def test_sparsity_of_the_images_that_passed():
    some = nw.look.sparsity(small(), IMAGES, batch=5, tell=stop_at(0.5), preprocessing=GIVEN)
    whole = nw.look.sparsity(small(), IMAGES[:10], batch=5, preprocessing=GIVEN)
    assert some.images == 10 and "after 10 of 20 images" in some.notes[0]
    assert np.array_equal(some.active["1"], whole.active["1"])


@pytest.mark.parametrize("how", [{"tell": stop_at(0.5)}, {"seconds": 0}])
def test_top_patches_of_the_images_that_passed(how):
    count = 10 if "tell" in how else 5
    some = nw.look.top_patches(small(), IMAGES, "0", 4, batch=5, preprocessing=GIVEN, **how)
    whole = nw.look.top_patches(small(), IMAGES[:count], "0", 4, batch=5, preprocessing=GIVEN)
    assert some.facts()["images"] == count and whole.facts()["images"] == count
    assert f"after {count} of 20 images" in some.notes[0] and not whole.notes
    for key, values in whole.arrays().items():
        assert np.array_equal(some.arrays()[key], values)


@pytest.mark.parametrize("how", [{"tell": stop_at(0.5)}, {"seconds": 0}])
def test_sensitivity_of_the_images_that_passed(how):
    given = {"changes": "blur", "batch": 5, "preprocessing": GIVEN}
    count = 10 if "tell" in how else 5
    some = nw.look.sensitivity(small(), IMAGES, **given, **how)
    whole = nw.look.sensitivity(small(), IMAGES[:count], **given)
    assert some.count == count and f"after {count} of 20 images" in some.notes[0]
    for key, values in whole.arrays().items():
        assert np.array_equal(some.arrays()[key], values)


@pytest.mark.parametrize("how", [{"tell": stop_at(0.1)}, {"seconds": 0}])
def test_shifts_of_the_images_that_passed(how):
    models = {"one": small(), "two": nn.Sequential(*small()[:4]).eval()}
    given = {"preprocessing": GIVEN}
    count = 2 if "tell" in how else 1
    some = nw.look.shift(models, IMAGES, 2, **given, **how)
    whole = nw.look.shift(models, IMAGES[:count], 2, **given)
    assert f"after {count} of 20 images" in some.notes[0] and not whole.notes
    for key, values in whole.arrays().items():
        assert np.array_equal(some.arrays()[key], values)


def test_separability_of_the_images_and_layers_there_are():
    """Those that passed are drawn from all classes, whatever the order of the set."""
    data = [(image // (1 + i // 10), i // 10) for i, image in enumerate(IMAGES)]
    given = {"layers": ["0", "1", "4"], "batch": 2, "preprocessing": GIVEN}
    whole = nw.look.separability(small(), data, **given)
    some = nw.look.separability(small(), data, seconds=0, **{**given, "batch": 16})
    assert len(some.images) == 16 and set(some.truth) == {0, 1}
    assert list(some.images) == sorted(some.images) and "after 16 of 20 images" in some.notes[0]
    assert np.array_equal(some.truth, whole.truth[some.images])
    few = [data[i] for i in some.images]
    assert some.losses == pytest.approx(nw.look.separability(small(), few, **given).losses)
    first = nw.look.separability(small(), data, tell=stop_at(0.8), **given)
    assert first.layers == ("0", "1") and "after 2 of 3 layers" in first.notes[0]
    assert np.array_equal(first.losses, whole.losses[:2]) and first.plot() is not None


@pytest.mark.parametrize("incremental", [True, False])
@pytest.mark.parametrize("how", [{"tell": stop_at(0.5)}, {"seconds": 0}])
def test_occlusion_by_the_squares_that_were_run(how, incremental):
    """Of the others nothing is known, and the map shows none of them."""
    given = {"size": 4, "stride": 4, "batch": 4, "preprocessing": GIVEN, "incremental": incremental}
    some = nw.look.occlusion(small(), IMAGES[0], **given, **how)
    whole = nw.look.occlusion(small(), IMAGES[0], **given)
    rows = 2 if "tell" in how else 1
    assert f"after {4 * rows} of 16 squares" in some.notes[0] and not whole.notes
    assert some.incremental == whole.incremental == incremental
    for part, all_ in ((some.logit, whole.logit), (some.probability, whole.probability)):
        assert np.array_equal(part[:rows], all_[:rows]) and np.isnan(part[rows:]).all()
    assert np.array_equal(some.map[: 4 * rows], whole.map[: 4 * rows]) and whole.map[12:].any()
    assert not some.map[4 * rows :].any() and np.array_equal(some.boxes, whole.boxes)
    assert some.plot() is not None


@pytest.mark.parametrize("how", [{"tell": stop_at(0.25)}, {"seconds": 0}])
def test_smoothgrad_of_the_samples_there_are(how):
    count = 5 if "tell" in how else 1
    given = {"method": "smoothgrad", "target": 1, "preprocessing": GIVEN}
    some = nw.look.attribute(small(), IMAGES[0], samples=20, **given, **how)
    whole = nw.look.attribute(small(), IMAGES[0], samples=count, **given)
    assert np.array_equal(some.map, whole.map) and not whole.notes
    assert some.notes == (f"stopped early, after {count} of 20 samples",)


class Waves(nn.Module):
    """Its logit bends at so many points that no way of ours is fine enough."""

    def forward(self, x):
        return torch.sin(300 * x.flatten(1)[:, :2])


@pytest.mark.parametrize("how", [{"tell": stop_at(0.04)}, {"seconds": 0}])
def test_integrated_gradients_stopped_are_coarse_and_say_so(how):
    """What was visited covers the whole way, so that the error is all that is missing."""
    given = {"method": "integrated", "target": 1, "preprocessing": GIVEN}
    some = nw.look.attribute(Waves().eval(), IMAGES[0], **given, **how)
    x = GIVEN(IMAGES[0])[None]
    rise = float((Waves()(x) - Waves()(torch.zeros_like(x)))[0, 1])
    assert some.error > 0.01 * abs(rise)
    assert abs(some.values.sum() - rise) == pytest.approx(some.error, rel=1e-3)
    assert some.notes[0].startswith("stopped early, after 16 slopes")
    assert f"{some.error:.2g} is unexplained" in some.notes[0]
    whole = nw.look.attribute(Waves().eval(), IMAGES[0], **given)
    assert not whole.notes and whole.error < some.error


@pytest.mark.parametrize(("share", "classes", "steps"), [(0.15, 1, 0), (0.5, 1, 2), (0.8, 1, 4)])
def test_trust_by_the_maps_there_are(share, classes, steps):
    """One other class, then five steps; the verdict on weights needs three of them."""
    model = nn.Sequential(*[nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.Tanh())
                            for _ in range(4)], *small()).eval()  # fmt: skip
    before = {key: value.clone() for key, value in model.state_dict().items()}
    given = {"method": "gradient", "steps": 5, "preprocessing": GIVEN}
    some = nw.look.trust(model, IMAGES[0], tell=stop_at(share), **given)
    whole = nw.look.trust(model, IMAGES[0], **given)
    assert (len(some.labels), len(some.random), some.maps.shape[0]) == (classes, steps, steps)
    assert some.look.notes == (f"stopped early, after {classes + steps} of 6 maps",)
    assert np.array_equal(some.random, whole.random[:steps]) and some.labels == whole.labels
    assert some.layers == whole.layers[:steps] and not whole.look.notes
    assert some.upper == (whole.upper if steps > 2 else None)
    assert (some.depends_on_weights is None) == (steps <= 2)
    assert ("was stopped in the randomisation check" in some.mark) == (steps <= 2)
    assert some.plot() is not None
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_seconds_end_the_checks_of_a_map():
    checked = nw.look.attribute(small(), IMAGES[0], "gradient", check=True, seconds=0,
                                preprocessing=GIVEN)  # fmt: skip
    assert "after 1 of 3 maps" in checked.notes[0] and "was stopped" in checked.mark
    cut = nw.look.attribute(small(), IMAGES[0], "smoothgrad", check=True, seconds=0,
                            preprocessing=GIVEN)  # fmt: skip
    assert "after 1 of 25 samples" in cut.notes[0] and cut.mark == "not checked: stopped early"


def test_a_stop_in_a_map_that_is_compared_leaves_it_out():
    """Ctrl-C in the third sample of the second map: it would differ for want of samples."""
    model, calls = small(), list[int]()

    def pressed(*_):
        calls.append(1)
        if len(calls) == 2 + 5 + 1 + 3:
            raise KeyboardInterrupt

    model[4].register_forward_hook(pressed)
    with pytest.raises(KeyboardInterrupt):  # no map to hold it against yet
        nw.look.trust(model, IMAGES[0], "smoothgrad", samples=5, preprocessing=GIVEN)


@pytest.mark.parametrize("look", [
    lambda model, **how: nw.look.sparsity(model, IMAGES, ["1"], **how),
    lambda model, **how: nw.look.top_patches(model, IMAGES, ["1"], **how),
    lambda model, **how: nw.look.occlusion(model, IMAGES[0], 4, 4, **how),
])  # fmt: skip
def test_nothing_there_yet_is_no_result(look):
    class Pressed(nn.Module):
        """Ctrl-C in the first batch."""

        def forward(self, x):
            if len(x) > 2:
                raise KeyboardInterrupt
            return x

    model = nn.Sequential(Pressed(), *small())
    with pytest.raises(KeyboardInterrupt):
        look(model, preprocessing=GIVEN)
    assert not model[1]._forward_hooks


def test_a_stop_inside_ends_what_is_around_it_too():
    """A page of looks does not go on with the next one, nor a command with the next image."""
    rounds = list[int]()
    with Pace(4) as outer:
        for i in outer.over(range(4)):
            with Pace(3) as inner:
                for j in inner.over(range(3)):
                    if (i, j) == (1, 2):
                        raise KeyboardInterrupt
            rounds.append(inner.done)
    assert rounds == [3, 2] and outer.note("looks") == ("stopped early, after 2 of 4 looks",)
    with Pace(1) as after:
        assert list(after.over("a")) == ["a"] and not after.early


def test_a_stop_after_the_last_round_leaves_nothing_out():
    look = nw.look.sparsity(small(), IMAGES[:4], batch=2, tell=stop_at(1), preprocessing=GIVEN)
    assert look.images == 4 and not look.notes
