"""Trained nets as scores, the commands around them, and `fit --search`."""

from __future__ import annotations

import json
import os
import pickle
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from random import Random
from shutil import copytree

import numpy as np
import pytest
from click.testing import CliRunner

import netwright as nw
from netwright import Conv, GlobalAvgPool, Linear, Net, Sequential
from netwright.cli import group, main
from netwright.errors import SearchError
from netwright.search.engine.accuracy import Accuracy
from netwright.search.engine.beside import Beside, at_random, best_of
from netwright.search.engine.home import Home
from netwright.search.engine.identity import identity
from netwright.search.engine.ledger import Ledger
from netwright.search.engine.setup import Setup
from netwright.search.engine.shared import search_shared
from netwright.search.fronts import front
from netwright.search.strategy import find
from netwright.search.trial import Trial
from netwright.space.families import small
from netwright.space.named import space_of
from netwright.space.small_nets import SmallNets
from netwright.train.recipe import Recipe

CHEAP = "params<=4K, macs<=120K"


NET = small("residual", (1, 8, 8), 2, width=4, depth=1, stages=2)


def test_a_net_is_trained_as_a_fit_trains_it(squares, tmp_path):
    """The same approach under the same name and seed, by hand through the trainer of `fit`."""
    from netwright.train.begin import part_of, random_model
    from netwright.train.outcome import Clock
    from netwright.train.training import Training

    evaluator, told = Accuracy(squares, epochs=2), []
    result = evaluator(NET, seed=7, report=lambda step, score: told.append((step, score)))
    approach = evaluator.approach(NET, seed=7)
    data = evaluator.dataset
    train, val = (part_of(data, part, approach.preprocessing) for part in ("train", "val"))
    training = Training(approach, lambda: random_model(approach, train), train, val,
                        folder=tmp_path, fingerprint=data.fingerprint,
                        clock=Clock(None))  # fmt: skip
    rows = [row["val_accuracy"] for row in training.run()]
    assert result.record["curve"] == rows == [score for _, score in told]
    assert result.score == rows[-1] > 0.6
    assert evaluator(NET, seed=7).score == result.score
    assert nw.from_json(result.record["net"]) == NET


def test_a_share_of_the_training_is_fewer_epochs(squares):
    result = Accuracy(squares, epochs=4)(NET, fidelity=0.5)
    assert len(result.record["curve"]) == result.record["epochs"] == 2


def test_a_trial_goes_on_from_its_checkpoint(squares, tmp_path):
    evaluator, steps = Accuracy(squares, epochs=3, folder=str(tmp_path)), []

    def stop(step, score):
        steps.append(step)
        if step == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        evaluator(NET, report=stop)
    assert len([*tmp_path.iterdir()]) == 1
    result = evaluator(NET, report=lambda step, score: steps.append(step))
    assert steps == [1, 2, 3]
    assert result.score == Accuracy(squares, epochs=3)(NET).score
    assert not [*tmp_path.iterdir()]  # removed when it has ended


def test_nets_for_other_images_are_refused(squares):
    other = small("residual", (3, 8, 8), 2, width=4, depth=1, stages=2)
    with pytest.raises(SearchError, match=r"input=\(1, 8, 8\) and classes=2"):
        Accuracy(squares)(other)


def test_a_space_by_its_name_is_made_for_the_images(squares):
    evaluator = Accuracy(squares)
    net = evaluator.space("nasbench201", width=4, depth=1).net("333333")
    assert (net.input, net.plan().output) == ((1, 8, 8), (2,))
    assert pickle.loads(pickle.dumps(evaluator)).input == (1, 8, 8)


@pytest.mark.parametrize(
    "name", sorted({*nw.spaces()} - {"mbconv", "regnet", "randwire", "compound"})
)
def test_every_space_for_small_images_is_made_for_them(name, squares):
    space = Accuracy(squares).space(name)
    net = space.net(space.sample(Random(0)))
    assert (net.input, net.plan().output) == ((1, 8, 8), (2,))


def test_images_are_brought_to_the_size_of_a_scaled_net(squares):
    evaluator = Accuracy(squares, epochs=1)
    space = evaluator.space("compound", net="resnet20_cifar10", step=0.2)
    study = nw.search(space, evaluator, trials=3, strategy="random")
    assert [trial.state for trial in study.trials] == ["complete"] * 3
    sides = {space.net(trial.code).input[1] for trial in study.trials}
    assert len(sides) > 1
    for side in sides:
        net = study.best.net.but(input=(1, side, side))
        assert evaluator.approach(net).preprocessing.size == side
    with pytest.raises(SearchError, match=r"input=\(1, 8, 8\) and classes=2"):
        Accuracy(squares).approach(study.best.net.but(input=(1, 9, 9)))


def test_a_search_in_python_is_made_for_the_images(squares):
    study = nw.search("small", Accuracy(squares, epochs=1), trials=1, budget=CHEAP)
    assert [trial.state for trial in study.trials] == ["complete"]
    assert study.best.net.input == (1, 8, 8)


def test_a_name_in_a_database_is_no_folder_of_images():
    url = "postgresql://db/search"
    assert (Home("photos", url).folder, Home("photos", url).name) == (
        Path("searches/photos"),
        "photos",
    )
    assert Home("mine/photos", url).folder == Path("mine/photos")
    assert Home("photos").folder == Path("photos")


def test_options_of_a_space_are_those_of_its_frame_too():
    space = space_of("darts:depth=3,width=4,input=(1, 8, 8),classes=2")
    net = space.net(space.sample(Random(0)))
    assert (net.input, net.plan().output) == ((1, 8, 8), (2,))
    assert len([name for name in net.spec.names if name.startswith("cell")]) == 3


def test_codes_of_recipes_are_how_the_net_is_trained(squares):
    evaluator = Accuracy(squares, "modern")
    space = evaluator.space("recipe")
    codes = [space.sample(Random(seed)) for seed in range(6)]
    for code in codes:
        trial = Trial(0, code, code, "")
        own = evaluator.approach(space.net(code), trial=trial).recipe
        assert own == Recipe.from_json(space.settings(code)).suited(evaluator.dataset.size("train"))
    plan = Setup("recipe", squares, trials=2, epochs=1, strategy="random").plan()
    for trial in search_shared(plan, name="random").trials:
        assert trial.record["recipe"]["name"] == f"recipe-{trial.code}"


def test_every_recipe_that_may_be_drawn_trains(squares):
    """On the net of the space itself, and on one that can be whitened."""
    wide = Net(Sequential(Conv(18), GlobalAvgPool(), Linear(2)), (1, 8, 8), "wide")
    for given, bases in (({}, 2), ({"net": wide}, 3)):
        evaluator = Accuracy(squares, epochs=1)
        space = evaluator.space("recipe", **given)
        codes = [space.write((base, *[3] * 2, *[0] * 6)) for base in range(3)]
        fit = [code for code in codes if space.fits(code)]
        assert len(fit) == bases
        for number, code in enumerate(fit):
            trial = Trial(number, code, code, "")
            assert 0 <= evaluator(space.net(code), trial=trial).score <= 1


def test_the_time_of_a_trial_is_seen_between_epochs(squares):
    with pytest.raises(SearchError, match=r"of 500 epochs took all of its 0\.5 seconds"):
        Accuracy(squares, epochs=500)(NET, limit=0.5)


def test_codes_of_small_nets_say_how_they_are_trained(squares):
    evaluator = Accuracy(squares)
    space = evaluator.space("small")
    code = space.default()
    net, base = space.net(code), evaluator.approach(space.net(code)).recipe
    trials = [Trial(0, other, other, "") for other in (code, code[:4] + "201")]
    same, other = (evaluator.approach(net, trial=trial).recipe for trial in trials)
    assert same == base
    assert (other.rate, other.decay) == (
        pytest.approx(3 * base.rate),
        pytest.approx(base.decay / 5),
    )
    assert space.code(net) == code


def test_best_of_is_the_mean_over_all_draws():
    scores = [0.1, 0.5, 0.2, 0.9, 0.4, 0.5]
    for count in range(1, 7):
        draws = [max(draw) for draw in combinations(scores, count)]
        assert best_of(scores, count) == pytest.approx(sum(draws) / len(draws))
    with pytest.raises(ValueError, match="wanted 1 to 6"):
        best_of(scores, 7)


def test_random_is_beside_and_given_codes_come_first():
    space = nw.space("nasbench201")
    how = Beside(find("evolution"), every=4, first=("444444", "000300"))
    study = nw.search(space, lambda net: net.plan().macs / 1e9, trials=12, strategy=how)
    assert [trial.code for trial in study.trials[:2]] == ["444444", "000300"]
    assert {trial.number for trial in at_random(study.trials)} >= {3, 7, 11}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("nasbench201:widht=8", "no option of nasbench201 is called 'widht'; near: width"),
     ("darts:widht=8", "no option of darts is called 'widht'; near: width"),
     ("regnet:depth=8", "regnet: depth cannot be given: the codes choose"),
     ("nasbench201:3", "cannot be read; wanted such as width=8"),
     ("nasbench201:width", "cannot be read; wanted such as width=8"),
     ("nasbench2O1", "no space is called 'nasbench2O1'; near: nasbench201"),
     ("no.such.module:space", "cannot be had: cannot import no.such.module: No module named 'no'"),
     ("missing.json", "missing.json cannot be read")],
)  # fmt: skip
def test_spaces_that_cannot_be_had(text, wanted):
    with pytest.raises((nw.NetwrightError), match=wanted):
        space_of(text)


def test_a_space_alone_is_described(run):
    code, out, _ = run("search", "nasbench201:width=4,depth=1")
    assert code == 0
    assert out.startswith("nasbench201: 15,625 codes; options of each choice: 0-1 5, ")
    record = json.loads(run("search", "nasbench201", "--json")[1])
    assert (record["codes"], len(record["choices"]), len(record["sample"])) == (15_625, 6, 6)


def test_the_sample_of_a_space_keeps_to_the_budget(run):
    words = ["search", "nasbench201", "--budget", "macs<=20M", "--json"]
    for seed in range(3):
        assert json.loads(run(*words, "--seed", seed)[1])["macs"] <= 20_000_000


def test_a_search_of_failures_has_no_report(run, squares, tmp_path):
    code, out, err = run("search", "small", squares, "--trials", 1, "--limit", 0.01, "--random", 0,
                         "--json", "--quiet", "--out", tmp_path / "s")  # fmt: skip
    record = json.loads(out)
    assert (code, record["failed"], record["best"], record["report"]) == (2, 1, None, None)
    assert "no net of 1 could be evaluated" in err
    assert not (tmp_path / "s" / "report.html").exists()


def trials_of(folder):
    with Home(folder).opened() as ledger:
        return ledger.trials()


@pytest.fixture(scope="module")
def study(squares, tmp_path_factory):
    """A study of four small nets, in a folder."""
    folder = tmp_path_factory.mktemp("study") / "halves"
    result = CliRunner().invoke(group, ["search", "small", squares, "--trials", "4", "--epochs",
                                        "1", "--budget", CHEAP, "--random", "2", "--out",
                                        str(folder)], catch_exceptions=False)  # fmt: skip
    assert result.exit_code == 0, result.output
    return folder


def best_of_all(trials):
    return max(trials, key=lambda trial: (trial.score, -trial.costs["macs"], -trial.number))


def test_a_study_leaves_its_best_net_and_a_page(study):
    trials = trials_of(study)
    assert len(trials) == 4
    net = nw.from_json((study / "best.json").read_text())
    assert net.hash == best_of_all(trials).hash
    page = (study / "report.html").read_text()
    for word in ("Against random search", "Error against cost", "The best net", "search days"):
        assert word in page
    assert all(f"trial {trial.number}: {trial.code}" in page for trial in trials)


def test_the_front_is_measured_once(study, run, monkeypatch):
    with Home(study).opened() as ledger:
        kept = ledger.kept("latency")
        monkeypatch.setattr("netwright.speed.measure.measured", None)
        Home(study).measure(ledger)  # nothing is left to measure
        assert ledger.kept("latency") == kept
    trials = trials_of(study)
    assert {trial.hash for trial in front(trials)} <= {*kept["seconds"]}
    state = json.loads(run("search", "--show", study, "--json")[1])["latency"]
    assert state["setting"] == kept["setting"]
    best = max(trials, key=lambda trial: (trial.score, -kept["seconds"].get(trial.hash, 9)))
    assert state["front"][0]["trial"] == best.number
    assert state["front"][0]["latency"] == kept["seconds"][best.hash] > 0
    out = run("search", "--show", study)[1]
    assert f"  trial {best.number}, {100 * best.score:.2f}% on validation, " in out
    assert f"measured on {kept['setting']}:" in out
    assert "Error against measured latency" in (study / "report.html").read_text()


def test_show_says_what_is_best_so_far(study, run):
    record = json.loads(run("search", "--show", study, "--json")[1])
    trials = trials_of(study)
    best = best_of_all(trials)
    assert record["best"]["trial"] == best.number
    assert (record["trials"], record["complete"], record["wanted"]) == (4, 4, 4)
    assert record["front"][0]["score"] == best.score
    out = run("search", "--show", study)[1]
    assert f"best: trial {best.number}, {100 * best.score:.2f}% on validation" in out
    assert "so far the strategy has drawn nets at random only" in out


def test_a_result_is_taken_out_and_trained_again(study, run, tmp_path, squares):
    file = tmp_path / "net.json"
    code, out, _ = run("search", "--export", study, file, "--trial", 2)
    trial = trials_of(study)[2]
    assert code == 0
    assert nw.from_json(file.read_text()).hash == trial.hash
    words = out.splitlines()[1].split()
    assert words[:5] == ["train", "it", "netwright", "fit", squares]
    recipe = words[words.index("--recipe") + 1]
    assert json.loads(Path(recipe).read_text()) == trial.record["recipe"]
    record = json.loads(run("search", "--export", study, file, "--trial", 2, "--json")[1])
    assert (record["trial"], record["score"]) == (2, trial.score)
    assert record["fit"] == {"net": str(file), "recipe": recipe, "epochs": "1", "seed": "0"}
    again = json.loads(run("search", "--again", study, "--trial", 2, "--json")[1])
    assert (again["trial"], again["before"], again["after"]) == (2, trial.score, trial.score)
    text = f"{100 * trial.score:.2f}%"
    out = run("search", "--again", study, "--trial", 2)[1]
    assert out == f"trial 2: {text} on validation then, {text} now\n"
    assert "no trial 9; there are 0 to 3" in run("search", "--export", study, file, "--trial", 9)[2]


def test_the_test_images_of_an_exported_net_are_new_to_it(run, tmp_path, squares):
    """The images have no split of their own: the seed makes it, in the search and in the fit."""
    from netwright.train.fitting import load

    folder, file = tmp_path / "s", tmp_path / "net.json"
    words = ["small", squares, "--epochs", 1, "--budget", CHEAP, "--seed", 5, "--trials", 2]
    assert run("search", *words, "--out", folder, "--quiet")[0] == 0
    train_it, repeat_it = run("search", "--export", folder, file, "--trial", 1)[1].splitlines()[1:3]
    fit = train_it.split()[2:]
    assert fit[:3] == ["netwright", "fit", squares]
    seed = int(fit[fit.index("--seed") + 1])
    with Home(folder).opened() as ledger:
        trial, searched = ledger.trials()[1], Home(folder).plan(ledger).evaluator.dataset
    fitted, other = (load(squares, seed=number).splits for number in (seed, trial.seed))
    for part in ("train", "val", "test"):
        assert searched.splits[part].tolist() == fitted[part].tolist()
    assert {*searched.splits["train"]} & {*other["test"]}  # as the seed of the trial would do
    assert run(*fit[1:], "--out", tmp_path / "run", "--quiet")[0] == 0
    assert nw.Run.load(tmp_path / "run").record["data"]["fingerprint"] == searched.fingerprint
    code, out, _ = run(*repeat_it.split()[3:])
    text = f"{100 * trial.score:.2f}%"
    assert (code, out) == (0, f"trial 1: {text} on validation then, {text} now\n")


def test_what_is_kept_elsewhere_is_shown_and_exported_from_there(run, tmp_path, squares):
    """The commands that a search prints name its --storage."""
    where = ["--out", tmp_path / "s", "--storage", tmp_path / "my own.journal"]
    words = ["small", squares, "--epochs", 1, "--budget", CHEAP, "--trials", 1, "--quiet"]
    export = shlex.split(run("search", *words, *where)[1].splitlines()[-1])
    assert export[:3] == ["export", "netwright", "search"]
    export[export.index("net.json")] = tmp_path / "net.json"
    assert run(*export[2:])[0] == 0
    assert (tmp_path / "net.json").is_file()


def test_a_study_is_gone_on_with_and_joined(study, squares, run, tmp_path):
    folder = tmp_path / "halves"
    words = ["small", squares, "--epochs", 1, "--budget", CHEAP, "--out", folder, "--quiet"]
    assert run("search", *words, "--trials", 2)[0] == 0
    assert run("search", *words, "--trials", 3)[0] == 0
    code, out, _ = run("work", folder)
    assert (code, out) == (0, "halves: 0 trials here; 3 trials\n")
    code, _, err = run("search", *words[:3], 2, *words[4:], "--trials", 4)
    assert code == 2
    assert "halves/study.journal was begun with epochs 1, got 2; begin another study" in err
    assert err.endswith(", by another --out\n")
    changed = [*words[:-3], "--out", folder, "--quiet", "--trials", 4]
    changed[changed.index("--budget") + 1] = "params<=3K"
    assert (
        "was begun with budget params<=4000, macs<=120000, got params<=3000"
        in run("search", *changed)[2]
    )
    assert (
        "was begun with split seed 0, got 1" in run("search", *words, "--trials", 4, "--seed", 1)[2]
    )


def test_a_study_goes_on_in_a_folder_of_another_name(study, run, tmp_path, squares):
    moved = tmp_path / "moved"
    copytree(study, moved)
    assert len(trials_of(moved)) == 4
    assert run("search", "--show", moved)[0] == 0
    code, out, _ = run("search", "small", squares, "--epochs", 1, "--budget", CHEAP, "--seed", 0,
                       "--trials", 4, "--out", moved, "--quiet")  # fmt: skip
    assert code == 0
    assert "4 of 4 trials" in out


def test_again_wants_the_images_of_the_study(study, run, tmp_path, squares):
    moved = tmp_path / "moved"
    copytree(study, moved)
    images, before = Path(squares), Path(squares).read_bytes()
    try:
        arrays = dict(np.load(squares))
        arrays["images"] = arrays["images"][::-1].copy()
        np.savez(images, **arrays)
        code, _, err = run("search", "--again", moved, "--trial", 2)
    finally:
        images.write_bytes(before)
    assert code == 2
    assert "was begun with data halves.npz" in err


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [({"epochs": 0}, "at least 1"), ({"precision": "fp8"}, "no precision is called 'fp8'")],
)
def test_settings_of_a_training_that_are_none(squares, settings, wanted):
    with pytest.raises(nw.NetwrightError, match=wanted):
        Accuracy(squares, **settings)


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 16, 16)])
def test_a_space_for_other_images_is_refused_before_anything_is_tried(squares, shape):
    with pytest.raises(SearchError, match="the images are 1x8x8 of 2 classes"):
        nw.search(SmallNets(2, shape), squares, trials=2)


def test_images_that_are_not_there_are_told_before_anything_is_tried():
    with pytest.raises(nw.DataError, match="nowhere"):
        nw.search(nw.space("nasbench201"), "nowhere", trials=2)


def test_a_space_that_is_searched_to_its_end_is_said_to_be(run, squares, tmp_path, monkeypatch):
    (tmp_path / "own_few.py").write_text(
        "import netwright as nw\n"
        "def make():\n"
        "    parts = nw.Conv(nw.Choice(1, 2)), nw.GlobalAvgPool(), nw.Linear(2)\n"
        "    return nw.space(nw.Net(nw.Sequential(*parts), (1, 8, 8), 'few'))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    words = ["search", "own_few:make", squares, "--epochs", 1, "--trials", 5, "--quiet"]
    code, out, _ = run(*words, "--out", tmp_path / "s")
    assert code == 0
    why = "no function of few is left to evaluate after 2; take another space"
    assert out.splitlines()[1].startswith("2 of 5 trials: 2 complete; ")
    assert out.splitlines()[2] == f"ended: {why}"
    assert json.loads(run(*words, "--out", tmp_path / "s", "--json")[1])["stopped"] == why


def test_what_is_not_there_is_one_line(run, tmp_path, squares, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for words, wanted in (
        (["search", "--trials", "3"], "wanted SPACE and DATA"),
        (["search", "--show", tmp_path / "no"], "there is no study"),
        (["work", tmp_path / "no"], "there is no study"),
        (["search", "small", squares, "--budget", "params<=10"], "the nearest, "),
        (["search", "small", squares, "--minutes", "-1"], "wanted a number above 0"),
        (["search", "small", squares, "--random", "-1"], "wanted 1 or more, or 0 for none"),
        (["search", "small", "--show", "s"], "--show and SPACE at once; wanted one of them"),
        (["search", "small", squares, "--trial", "1"], "--trial 1 is for --export and --again"),
        (["search", "nasbench201", "--budget", "macs<=1k"], "the nearest, "),
        (["work", tmp_path, "--minutes", "0"], "wanted a number above 0"),
        (["search", "small", squares, "--strategy", "randon"], "near: random"),
    ):
        code, _, err = run(*words)
        assert (code, err.count("\n")) == (2, 1)
        assert wanted in err
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_a_search_that_is_stopped_says_how_to_go_on(squares, tmp_path):
    words = ["search", "small", squares, "--epochs", "2000", "--budget", CHEAP, "--out", "s"]
    process = subprocess.Popen([sys.executable, "-m", "netwright", *words], cwd=tmp_path, text=True,
                               stderr=subprocess.PIPE,
                               env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    until = time.monotonic() + 60
    while not [*tmp_path.glob("s/trials/*/*")] and time.monotonic() < until:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("stopped; all trials that ended are kept, go on with the same command; "
                        "netwright search --show s\n")  # fmt: skip
    assert trials_of(tmp_path / "s") == []  # given back


def _group(number: int) -> list[str]:
    """What the processes of a group that still run are."""
    found = list[str]()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, rest = stat.read_text().rsplit(")", 1)
            state, _, group = rest.split()[:3]
            if int(group) == number and state != "Z":
                found.append(name)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 0.3, 1.0])
def test_ctrl_c_while_workers_start_is_quiet(seconds, squares, tmp_path):
    """A terminal sends it to all processes, those that are still importing too."""
    words = ["search", "small", squares, "--epochs", "2000", "--budget", CHEAP, "--out", "s",
             "--workers", "2"]  # fmt: skip
    process = subprocess.Popen([sys.executable, "-m", "netwright", *words], cwd=tmp_path, text=True,
                               stderr=subprocess.PIPE, start_new_session=True,
                               env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    until = time.monotonic() + 60
    workers = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while not workers.read_text() and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    try:
        _, err = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert "all trials that ended are kept" in err.splitlines()[-1]
    assert trials_of(tmp_path / "s") == []
    until = time.monotonic() + 10
    while (left := _group(process.pid)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not left


@pytest.mark.slow
def test_fit_searches_and_says_what_it_gained(squares, tmp_path, capsys):
    from netwright.search.engine import automl

    run, found = automl.fit_by_search(squares, tmp_path / "run", minutes=0.25)
    assert run.finished
    assert run.net.spec == nw.from_json((tmp_path / "run-search/net.json").read_text()).spec
    assert found.trials >= 2
    assert found.gain["default"] >= 0
    assert run.metrics["test"]["accuracy"] > 0.6
    with pytest.raises(nw.RunError, match="which chooses the net"):
        nw.fit(squares, out=tmp_path / "other", search=True, net="resnet18")


def test_a_fit_says_how_many_nets_its_gain_is_between(capsys, monkeypatch, tmp_path):
    """As `--show` says it, by the same words."""
    from netwright.search.engine import automl, summary

    trials = [Trial(i, str(i), str(i), "", score, "complete", costs={"macs": 1, "params": 1},
                    record={"recipe": {}, "note": {"from": "random"} if i < 2 else {}})
              for i, score in enumerate((0.5, 0.75, 0.25))]  # fmt: skip
    found = automl.Found(trials[1], 3, summary.gain(trials), summary.compared(trials), tmp_path)
    monkeypatch.setattr(automl, "fit_by_search", lambda *_, **__: (None, found))
    monkeypatch.setattr("netwright.cli.fit._tell", lambda *_: None)
    with pytest.raises(SystemExit):
        main(["fit", str(tmp_path), "--search", "--out", str(tmp_path / "run")])
    words = "-37.50 points over random search, each the best of 1 net"
    assert words in summary.summary_text(summary.summary("s", {"identity": {
        "space": "", "data": ""}}, trials))  # fmt: skip
    err = " ".join(capsys.readouterr().err.split())
    assert f"the search, on validation: 3 nets; {words}; " in err


def test_a_fit_does_not_go_on_with_the_search_of_other_images(squares, run, tmp_path):
    from netwright.search.engine.automl import fit_by_search

    other = tmp_path / "other.npz"
    np.savez(other, images=np.load(squares)["images"][::-1], labels=np.load(squares)["labels"])
    run("search", "small", squares, "--trials", 1, "--epochs", 1, "--budget", CHEAP, "--quiet",
        "--out", tmp_path / "run-search")  # fmt: skip
    with pytest.raises(SearchError, match=r"was begun with data halves\.npz.*got other\.npz"):
        fit_by_search(other, tmp_path / "run", minutes=0.1, budget=CHEAP)
    with pytest.raises(SearchError, match=r"was begun with split seed 0, got 1"):
        fit_by_search(squares, tmp_path / "run", minutes=0.1, budget=CHEAP, seed=1)


def test_setups_are_kept_as_they_are(squares):
    setup = Setup("small", squares, trials=None, first=("a",), limit=3.0)
    assert Setup.from_json(json.loads(json.dumps(setup.to_json()))) == setup
    with pytest.raises(SearchError, match="begun in Python"):
        Setup.from_json(None)


def test_a_space_of_ones_own_joins(squares, tmp_path, monkeypatch):
    (tmp_path / "own_space.py").write_text(
        "from netwright.space.small_nets import SmallNets\n"
        "def cells():\n    return SmallNets(classes=2, input=(1, 8, 8))\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    setup = Setup("own_space:cells", squares, trials=1, epochs=1, budget=CHEAP)
    study = search_shared(setup.plan(), name="default", storage=tmp_path / "j")
    assert study.best.net.input == (1, 8, 8)


@pytest.mark.slow
def test_processes_of_torchrun_train_one_net(squares, tmp_path):
    """They come to what one process alone comes to, but for the order of sums."""
    setup = Setup("small", squares, trials=2, epochs=2, budget=CHEAP, beside=0)
    home = Home(tmp_path / "pair")
    with Ledger.opened(
        home.place(),
        {"identity": identity(setup.plan().space, setup.plan().evaluator),
         "setup": setup.to_json()},
    ):  # fmt: skip
        pass
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2",
               "--master-addr=127.0.0.1", "--local-addr=127.0.0.1", "--rdzv-backend=c10d",
               "--rdzv-endpoint=127.0.0.1:0", "-m", "netwright", "work",
               str(home.folder)]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == "pair: 2 trials here; 2 trials\n"
    alone = search_shared(setup.plan(), name="default", storage=tmp_path / "j")
    with home.opened() as ledger:
        pair = ledger.trials()
    assert pair[0].code == alone.trials[0].code
    assert pair[0].score == pytest.approx(alone.trials[0].score, abs=0.2)
    assert len(pair[1].record["curve"]) == 2
