"""What a finished run is good for afterwards: its command, its net, its predictions."""

from __future__ import annotations

import re
import shlex
from html import unescape

import pytest

from netwright.errors import RunError
from netwright.train import Settings, evaluation, fit
from netwright.train.backbones import chosen_net
from squares import TINY, write_squares


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    return write_squares(tmp_path_factory.mktemp("again") / "squares", 8)


@pytest.fixture(scope="module")
def run(images):
    return fit(images, budget=TINY, epochs=1, flip=False, out=images.parent / "run")


def test_the_command_in_the_report_is_one_that_fit_takes(run, images):
    from netwright.cli.fit import command

    page = run.path.joinpath("report.html").read_text()
    words = shlex.split(unescape(re.search(r"netwright fit ([^\n<]+)", page)[1]))
    assert "--no-flip" in words
    given = command.make_context("fit", words).params
    assert given["data"] == str(images)
    for name, value in run.record["settings"].items():
        if value != getattr(Settings("x"), name, None) and name != "data":
            assert given[name] == value


def test_a_run_folder_says_its_net(run, images):
    assert chosen_net(str(run.path)) == run.net
    again = fit(images, net=str(run.path), epochs=1, transfer="none", out=images.parent / "other")
    assert again.net.plan().params == run.net.plan().params


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "image,class,predicted,probability\nx,red,none,1\n",
                                  "image,class,predicted,probability\nx,red,red,much\n",
                                  "image,class,predicted,probability\nx\n"])  # fmt: skip
def test_predictions_of_others_are_refused(run, text):
    file = run.path / "predictions.csv"
    ours = file.read_text()
    assert len(evaluation.tested(run).truth) == len(ours.splitlines()) - 1
    try:
        file.write_text(text)
        with pytest.raises(RunError, match="was not written by netwright"):
            evaluation.tested(run)
    finally:
        file.write_text(ours)
