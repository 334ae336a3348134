"""`evaluate` and `compare-runs`: figures against their definitions, views against cuts by hand."""

from __future__ import annotations

import json
from math import comb
from shutil import copytree

import numpy as np
import pytest
from PIL import Image
from scipy.stats import binom
from sklearn.metrics import f1_score, log_loss, top_k_accuracy_score

from netwright.cli import main
from netwright.data.corrupt import CORRUPTIONS
from netwright.data.dataset import load
from netwright.data.image import Preprocessing
from netwright.errors import DataError, UnknownName
from netwright.space.families import small
from netwright.train import Run, evaluation, fit
from netwright.train.evaluation import Evaluation, compare, evaluate, robustness
from netwright.train.finish import _predictions
from netwright.train.scores import calibration_error, cooled, paired, scores, temperature, wilson
from netwright.train.unseen import asked
from netwright.train.views import Views
from squares import COLOURS, TINY, square, write_squares


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("evaluation")


@pytest.fixture(scope="module")
def images(home):
    return write_squares(home / "squares", 16)


@pytest.fixture(scope="module")
def more(home):
    """Images that the runs have not seen, larger than they take them."""
    generator = np.random.default_rng(7)
    for name, colour in COLOURS.items():
        (home / "more" / name).mkdir(parents=True)
        for i in range(6):
            picture = square(colour, generator, side=16)
            Image.fromarray(picture).save(home / "more" / name / f"{i}.png")
    return home / "more"


@pytest.fixture(scope="module")
def runs(home, images):
    net = small("plain", (3, 12, 12), 3, width=8, depth=1, stages=2)
    (home / "net.json").write_text(net.to_json())
    words = {"net": str(home / "net.json"), "epochs": 8, "transfer": "none", "flip": True}
    return [fit(images, out=home / name, recipe=name, **words) for name in ("resnet", "modern")]


def drawn(count=400, classes=8, seed=0):
    """Truth and probabilities of a classifier that knows something."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, classes, count)
    logits = generator.normal(size=(count, classes)) + 1.5 * np.eye(classes)[truth]
    powers = np.exp(logits)
    return truth, powers / powers.sum(1, keepdims=True)


def test_figures_are_those_of_scikit_learn():
    truth, shares = drawn()
    figures = scores(truth, shares, [f"c{i}" for i in range(8)])
    assert figures["accuracy"] == (shares.argmax(1) == truth).mean()
    assert figures["top5"] == pytest.approx(top_k_accuracy_score(truth, shares, k=5))
    assert figures["macro_f1"] == pytest.approx(f1_score(truth, shares.argmax(1), average="macro"))
    assert figures["loss"] == pytest.approx(log_loss(truth, shares))
    confusion = np.array(figures["confusion"])
    assert confusion.sum() == 400
    assert np.trace(confusion) == figures["correct"]
    for i, row in enumerate(figures["classes"]):
        assert row["recall"] == pytest.approx(confusion[i, i] / confusion[i].sum())
        assert row["precision"] == pytest.approx(confusion[i, i] / confusion[:, i].sum())


def test_intervals_hold_the_truth_as_often_as_they_say():
    """Of 95% intervals some 95% hold the share that the counts were drawn with."""
    for share, count in ((0.9, 60), (0.5, 30), (0.97, 150)):
        inside = [
            low <= share <= high for low, high in (wilson(k, count) for k in range(count + 1))
        ]
        assert 0.92 < binom.pmf(np.arange(count + 1), count, share)[inside].sum() < 0.985
    truth, shares = drawn()
    figures = scores(truth, shares, [f"c{i}" for i in range(8)])
    for name in ("loss", "macro_f1", "calibration_error"):
        low, high = figures["intervals"][name]
        assert low < high
        if name != "calibration_error":  # its resamples are further off than the sample
            assert low < figures[name] < high
    assert scores(truth, shares, [f"c{i}" for i in range(8)]) == figures
    means = [scores(*drawn(seed=seed), [f"c{i}" for i in range(8)])["loss"] for seed in range(12)]
    width = np.diff(figures["intervals"]["loss"])[0]
    assert 0.5 < width / (2 * 1.96 * np.std(means)) < 2


def test_calibration_error_is_zero_where_confidence_is_right():
    generator = np.random.default_rng(0)
    confidence = generator.uniform(0.5, 1, 40_000)
    truth = (generator.random(40_000) > confidence).astype(int)
    shares = np.stack([confidence, 1 - confidence], 1)
    assert calibration_error(truth, shares) < 0.01
    assert calibration_error(truth, cooled(shares, 0.3)) > 0.1
    sure = np.eye(2)[np.zeros(10, int)]
    assert calibration_error(np.array([0] * 7 + [1] * 3), sure) == pytest.approx(0.3)


def test_temperature_undoes_what_was_heated():
    truth, shares = drawn(4000)
    best = temperature(truth, shares)
    for heat in (0.4, 2.5):
        found = temperature(truth, cooled(shares, 1 / heat))
        assert found == pytest.approx(best * heat, rel=1e-2)
        assert (cooled(shares, heat).argmax(1) == shares.argmax(1)).all()


def test_the_paired_test_is_mcnemars():
    first = np.array([True] * 50 + [False] * 3 + [True] * 12 + [False] * 5)
    second = np.array([True] * 50 + [True] * 3 + [False] * 12 + [False] * 5)
    test = paired(first, second)
    assert (test.only_first, test.only_second) == (12, 3)
    assert test.p == pytest.approx(2 * sum(comb(15, k) for k in range(4)) / 2**15)
    assert test.difference == pytest.approx(-9 / 70)
    assert test.interval[0] < test.difference < test.interval[1]
    assert test.interval[1] < 0
    assert paired(first, first).p == 1.0
    assert paired(first, first).interval == (0.0, 0.0)


def windows(picture, corners, size):
    return np.stack([picture[top : top + size, left : left + size] for top, left in corners])


def test_ten_crops_are_corners_and_centre_and_their_mirror_images(runs, more):
    run = runs[0]
    size = run.preprocessing.size
    side = round(size / 0.875)
    found = evaluate([run], more, views="ten-crop")
    rest = side - size
    corners = [(0, 0), (0, rest), (rest, 0), (rest, rest), (rest // 2, rest // 2)]
    large = Preprocessing(side, 3, (), ())
    for i, name in enumerate(found.names):
        cuts = windows(large.image(more / name), corners, size)
        assert found.shares[i].sum() == pytest.approx(1)
        assert np.allclose(
            found.shares[i], run.probabilities(cuts, views=Views(mirrored=True)).mean(0)
        )


def test_views_are_means_of_views(runs, more):
    run = runs[0]
    plain, mirrored = (evaluate([run], more, views=views) for views in ("plain", "mirrored"))
    same = evaluate([run], more, views="run")
    assert np.array_equal(same.shares, (mirrored if run.views.mirrored else plain).shares)
    assert not np.array_equal(plain.shares, mirrored.shares)
    scaled = evaluate([run], more, views="multi-scale")
    assert np.allclose(scaled.shares.sum(1), 1)
    assert not np.allclose(scaled.shares, mirrored.shares, atol=1e-6)
    with pytest.raises(UnknownName, match="ten-crop"):
        evaluate([run], more, views="tencrop")


def test_a_window_never_has_a_border():
    """Where weights resize images to less than the ten windows need, they are resized to more."""
    from netwright.train.evaluation import _whole

    seen = Preprocessing(260, 3, (), (), resize=270, crop="center")
    whole = _whole(seen, "ten-crop")
    assert (whole.size, whole.resize) == (297, 297)
    white = whole.image(Image.new("RGB", (400, 300), "white"))
    assert (white == 255).all()
    assert _whole(seen, "plain") == seen


def test_runs_together_say_the_mean(runs, more):
    each = [evaluate([run], more) for run in runs]
    both = evaluate(runs, more)
    assert np.allclose(both.shares, (each[0].shares + each[1].shares) / 2)
    assert both.truth.tolist() == each[0].truth.tolist()


def test_a_few_images_of_some_classes_suffice_to_be_tested_on(runs, more, tmp_path):
    """What suffices to be right or wrong need not suffice to learn from."""
    whole = evaluate(runs[:1], more)
    for name, count in (("red", 1), ("blue", 2)):
        (tmp_path / "few" / name).mkdir(parents=True)
        for i in range(count):
            copy = tmp_path / "few" / name / f"{i}.png"
            copy.write_bytes((more / name / f"{i}.png").read_bytes())
        few = evaluate(runs[:1], tmp_path / "few")
        rows = [whole.names.index(own) for own in few.names]
        assert len(rows) == {"red": 1, "blue": 3}[name]
        assert np.allclose(few.shares, whole.shares[rows])
        assert few.right.tolist() == whole.right[rows].tolist()
        assert few.scores()["images"] == len(rows)
    with pytest.raises(SystemExit) as caught:
        main(["evaluate", str(runs[0].path), str(tmp_path / "few"), "--quiet"])
    assert caught.value.code == 0


def test_names_of_images_may_hold_any_character(runs):
    names = ["a\nb.png", "a\u2028b.png", 'a","b.png', "a\x0bb.png"]
    classes = runs[0].classes
    shares = np.full((4, 3), 0.25) + 0.25 * np.eye(3)[[0, 1, 2, 0]]
    text = _predictions(Evaluation(classes, names, np.array([0, 1, 2, 2]), shares))
    file = runs[0].path / "predictions.csv"
    before = file.read_bytes()
    try:
        file.write_bytes(text.encode())
        again = evaluation.tested(runs[0])
    finally:
        file.write_bytes(before)
    assert again.names == names
    assert again.right.tolist() == [True, True, True, False]


def test_bad_photos_are_told_by_kind_and_strength(runs, more):
    figures = robustness([runs[0]], more)
    assert set(figures) == set(CORRUPTIONS)
    assert all(len(row) == 3 for row in figures.values())
    values = [value for row in figures.values() for value in row]
    assert all(0 <= value <= 1 for value in values)
    clean = evaluate([runs[0]], more).right.mean()
    assert min(values) < clean > 0.5


def test_runs_are_compared_on_the_same_images(runs, more, images, home):
    record = compare(*(evaluation.tested(run) for run in runs))
    assert record["images"] == runs[0].metrics["test"]["images"]
    other = fit(images, out=home / "other", budget=TINY, epochs=1, transfer="none", seed=5)
    with pytest.raises(DataError, match="were tested on other images"):
        compare(evaluation.tested(runs[0]), evaluation.tested(Run.load(other.path)))
    pair = compare(*(evaluate([run], more) for run in runs))
    assert pair["difference"] == pytest.approx(pair["second"] - pair["first"])


@pytest.fixture(scope="module")
def reseeded(home, images):
    """A run that split the same images otherwise."""
    return fit(images, out=home / "reseeded", net=str(home / "net.json"), epochs=1,
               transfer="none", seed=5)  # fmt: skip


def test_of_its_own_images_a_run_is_asked_about_those_it_has_not_learnt_from(
    runs, reseeded, images
):
    data, own = load(images, learn=False), runs[0].record["splits"]
    found = evaluate([runs[0]], images)
    assert sorted(found.names) == sorted(own["test"])
    assert found.right.mean() == runs[0].metrics["test"]["accuracy"]
    for part in ("train", "val"):
        assert sorted(evaluate([runs[0]], images, split=part).names) == sorted(own[part])
    assert len(evaluate([runs[0]], images, split="all").names) == data.size()
    new = {*own["test"]} & {*reseeded.record["splits"]["test"]}
    assert new
    assert {data.names[i] for i in asked([runs[0], reseeded], data)} == new
    with pytest.raises(DataError, match="says of no image that it is of 'tset'; there are: all"):
        evaluate([runs[0]], images, split="tset")


def test_no_image_is_new_to_runs_that_tested_what_the_other_learnt(runs, images, monkeypatch):
    parts = iter(({"test": np.arange(3)}, {"test": np.arange(3, 6)}))
    monkeypatch.setattr("netwright.train.unseen.own_parts", lambda run, data: next(parts))
    with pytest.raises(DataError, match="no image is of 'test' in every run, as they split it"):
        asked(runs, load(images, learn=False))


def test_images_of_the_same_names_are_not_the_same(runs, images, home):
    """Other pictures, under names as they were."""
    twin = home / "twin"
    copytree(images, twin)
    for file in twin.rglob("*.png"):
        Image.fromarray(np.asarray(Image.open(file)).copy()[::-1]).save(file)
    other = fit(twin, out=home / "other-pictures", net=str(home / "net.json"), epochs=1,
                transfer="none")  # fmt: skip
    assert other.record["splits"] == runs[0].record["splits"]
    with pytest.raises(DataError, match="were tested on other images"):
        compare(evaluation.tested(runs[0]), evaluation.tested(other))
    assert len(evaluate([runs[0]], twin).names) == load(images, learn=False).size()


def said(capsys, *words):
    with pytest.raises(SystemExit) as caught:
        main([str(word) for word in words])
    text = capsys.readouterr()
    return caught.value.code, text.out, text.err


def test_commands_say_all_of_it(runs, more, images, capsys, tmp_path):
    page = tmp_path / "page.html"
    code, out, _ = said(capsys, "evaluate", runs[0].path, runs[1].path, more, "--json",
                        "--html", page, "--corrupt")  # fmt: skip
    assert code == 0
    record = json.loads(out)
    assert record["images"] == 18
    assert {"interval", "intervals", "macro_f1", "calibration_error", "confusion", "worst",
            "corrupted", "classes"} <= set(record)  # fmt: skip
    html = page.read_text()
    for words in ("Worst mistakes", "Confusion", "Bad photos"):
        assert words in html
    code, out, _ = said(capsys, "evaluate", runs[0].path, more)
    assert code == 0
    assert "95% interval" in out
    assert "calibration error" in out
    code, out, _ = said(capsys, "evaluate", runs[0].path, images)
    assert out.startswith("of 48 images only the test part, which was not learnt from; --split all")
    code, out, _ = said(capsys, "compare-runs", runs[0].path, runs[1].path, images, "--json")
    assert json.loads(out)["images"] == runs[0].metrics["test"]["images"]
    code, out, _ = said(capsys, "compare-runs", runs[0].path, runs[1].path, more, "--json")
    assert code == 0
    assert 0 <= json.loads(out)["p"] <= 1
