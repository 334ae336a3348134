"""What was published about nets: a row for every net, numbers with a source."""

from __future__ import annotations

import csv
import re
from importlib.resources import files
from pathlib import Path

import pytest

import netwright as nw
from netwright.nets.published import CATEGORIES, category, ilsvrc, published
from netwright.nets.registry import Paper, entry, net
from peers import library


def rows(file):
    text = (files("netwright.nets") / file).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


ROWS = rows("published.csv")


def test_every_net_has_a_row_and_every_row_a_net():
    assert {row["name"] for row in ROWS} == set(nw.nets())


def test_rows_are_sorted_and_one_a_data_set():
    names = [row["name"] for row in ROWS]
    assert names == sorted(names)
    keys = [(row["name"], row["dataset"]) for row in ROWS]
    assert len(set(keys)) == len(keys)


def test_categories_are_of_the_seven():
    known = {name.casefold() for name in CATEGORIES}
    for row in ROWS:
        parts = row["category"].split(" + ")
        assert {part.casefold() for part in parts} <= known, row
        assert len(set(parts)) == len(parts), row


def test_errors_are_per_cent_and_have_a_source():
    for row in ROWS:
        errors = [float(row[name]) for name in ("top1_error", "top5_error") if row[name]]
        assert all(0 < error < 100 for error in errors), row
        assert errors == sorted(errors, reverse=True), row  # of five guesses fewer are wrong
        assert bool(errors) == bool(row["source"]) == bool(row["dataset"]), row


WEIGHTS = re.compile(r"(torchvision|timm|pytorchcv) [\w.]+")
README = re.compile(r"[\w.-]+/[\w.-]+, README(: .+)?")
QUOTED = re.compile(r"(\D+) (\d{4}), (?:(?:table|figure|section) [\w.]+|abstract)(?:: .+)?")
"""The three ways to name a source."""


def cited():
    """How every registered paper is cited: `He et al. 2015`, `Tan & Le 2019`, `Chollet 2016`."""
    papers = {entry(name).paper for name in nw.nets()}
    for paper in papers:
        first, *others = paper.authors.split(", ")
        rest = f" & {others[0]}" if len(others) == 1 else " et al." if others else ""
        yield f"{first}{rest}", str(paper.year)


def test_sources_have_one_style_and_say_where():
    """Papers are registered ones, by the year that is registered."""
    papers = {*cited()}
    for row in ROWS:
        source = row["source"]
        if not source or WEIGHTS.fullmatch(source) or README.fullmatch(source):
            continue
        quoted = QUOTED.fullmatch(source)
        assert quoted and quoted.groups() in papers, row
    for contest in ilsvrc():
        quoted = QUOTED.fullmatch(contest.source)
        results = f"ILSVRC {contest.year} results, classification"
        assert contest.source.startswith(results) or (
            quoted and quoted.groups() in papers and int(quoted[2]) <= contest.year
        ), contest


def test_figures_are_of_one_version():
    """The search of DARTS by first and second order: current version, tables 1 and 3."""
    assert told("darts_v1_cifar10", "CIFAR-10") == (3.00, None)
    assert told("darts_v2_cifar10", "CIFAR-10") == (2.76, None)
    assert told("darts") == (26.7, 8.7)
    assert entry("cmpe_se_resnet50").paper.authors == "Hu, Wen, Luo, Dai, Ma, Yu"


def test_entries_carry_what_was_published():
    known = entry("resnet110_cifar10_a")
    assert known.category == "Depth + multi-path"
    assert [row.dataset for row in known.published] == ["CIFAR-10", "CIFAR-100"]
    assert known.published[0].top1_error == 6.43
    assert known.published[0].top5_error is None


def test_own_nets_need_no_row():
    own = net("own_of_this_test", input=(3, 8, 8), paper=Paper("Mine", "Me", 2020))
    try:
        own(nw.Sequential)
        assert entry("own_of_this_test").published == ()
        assert entry("own_of_this_test").category == ""
    finally:
        from netwright.nets import registry

        registry._entries.pop("own_of_this_test")


def test_a_category_is_found_by_a_part_of_its_name():
    assert category("map") == "Feature-map exploitation"
    for name in CATEGORIES:
        assert category(name.upper()) == name
    for text in ("", "exploitation", "nonsense"):
        with pytest.raises(nw.UnknownName) as error:
            category(text)
        assert all(name in str(error.value) for name in CATEGORIES)


def test_unknown_names_have_nothing_published():
    assert published("resnet5") == ()


def test_contributions_are_short_and_of_papers_that_are_cited():
    made = rows("contributions.csv")
    titles = [row["title"] for row in made]
    assert titles == sorted(set(titles))
    assert set(titles) <= {entry(name).paper.title for name in nw.nets()}
    for row in made:
        assert 50 < len(row["contribution"]) < 200
        assert row["contribution"].endswith(".")
    assert entry("resnet50").paper.contribution.startswith("Blocks learn what to add")
    assert Paper("Mine", "Me", 2020).contribution == ""


REFERENCES = Path(__file__).parents[1] / "reference"


def reference(name):
    """Rows of a published table."""
    return csv.DictReader((REFERENCES / name).read_text().splitlines())


def told(name, dataset="ImageNet-1k"):
    (row,) = [row for row in published(name) if row.dataset == dataset]
    return row.top1_error, row.top5_error


def test_errors_are_those_of_the_reference_tables():
    names = {
        "ResNet-50": "seresnet50",
        "ResNet-101": "seresnet101",
        "ResNet-152": "seresnet152",
        "ResNeXt-50": "seresnext50_32x4d",
        "ResNeXt-101": "seresnext101_32x4d",
        "VGG-16": "se_vgg16",
        "BN-Inception": "se_bn_inception",
        "Inception-ResNet-v2": "se_inception_resnet_v2",
    }
    for row in reference("senet.csv"):
        wanted = float(row["se_top1_error"]), float(row["se_top5_error"])
        assert told(names[row["net"]]) == wanted, row
    for row in reference("efficientnet.csv"):
        if row["net"].startswith("EfficientNet"):
            accuracies = float(row["top1"]), float(row["top5"])
            wanted = tuple(pytest.approx(100 - accuracy) for accuracy in accuracies)
            assert told(row["net"].replace("-", "_").lower()) == wanted, row
    for row in reference("resnet.csv"):
        top5 = told(row["net"].replace("-", "").lower())[1]
        assert top5 == pytest.approx(float(row["imagenet_top5_error"]), abs=0.02), row
    for row in reference("resnext_cardinality.csv"):
        name = f"{row['net'].replace('-', '').lower()}_{row['groups']}x{row['group_width']}d"
        for kept in published(name):
            if kept.source.startswith("Xie"):
                assert kept.top1_error == float(row["top1_error"]), row


def test_errors_on_cifar_are_those_of_the_reference_table():
    names = {
        "NIN": "nin_cifar10",
        "DSN": "dsn_cifar10",
        "FitNet": "fitnet4_cifar10",
        "Highway": "highway19_cifar10",
        "ResNet 110": "resnet110_cifar10_a",
        "ResNet 1202": "resnet1202_cifar10_a",
        "stochastic depth 110": "stochastic_depth_resnet110_cifar10",
        "stochastic depth 1202": "stochastic_depth_resnet1202_cifar10",
        "pre-act ResNet 110": "preresnet110_cifar10",
        "pre-act ResNet 164": "preresnet164bn_cifar10",
        "pre-act ResNet 1001": "preresnet1001_cifar10",
        "WRN 40-4": "wrn40_4_cifar10",
        "WRN 16-8": "wrn16_8_cifar10",
        "WRN 28-10": "wrn28_10_cifar10",
    }
    rows = {
        f"{row['net']} {row['depth_width']}".strip(): row for row in reference("wide_resnet.csv")
    }
    for title, name in names.items():
        assert told(name, "CIFAR-10")[0] == float(rows[title]["cifar10_error"]), name
        if rows[title]["cifar100_error"]:
            assert told(name, "CIFAR-100")[0] == float(rows[title]["cifar100_error"]), name


def test_errors_of_torchvision_are_its_own():
    models = library("torchvision")
    checked = 0
    for row in ROWS:
        who, _, weights = row["source"].partition(" ")
        if who == "torchvision":
            name = row["name"].removesuffix("_bn") if "google" in row["name"] else row["name"]
            metrics = models.get_model_weights(name)[weights].meta["_metrics"]
            measured = metrics[row["dataset"].replace("1k", "1K")]
            for error, accuracy in (("top1_error", "acc@1"), ("top5_error", "acc@5")):
                assert float(row[error]) == pytest.approx(100 - measured[accuracy]), row
            checked += 1
    assert checked > 50


def test_errors_of_pytorchcv_are_its_own():
    library("pytorchcv")
    text = (files("pytorchcv.models.common") / "model_metainfos.csv").read_text()
    measured = {row["model_name"]: row["error_value"] for row in csv.DictReader(text.splitlines())}
    checked = 0
    for row in ROWS:
        who, _, name = row["source"].partition(" ")
        if who == "pytorchcv":
            errors = row["top5_error"] if row["dataset"] == "ImageNet-1k" else row["top1_error"]
            assert float(errors) == int(measured[name]) / 100, row
            checked += 1
    assert checked > 10


def test_weights_of_timm_exist():
    known = library("timm").list_pretrained()
    named = {row["source"].removeprefix("timm ") for row in ROWS if row["source"][:5] == "timm "}
    assert named <= {*known}
    assert named
