"""What was published about nets: a row for every net, numbers with a source."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

import netwright as nw
from netwright.published import CATEGORIES, category, published
from netwright.registry import Paper, entry, net


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
        from netwright import registry

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
