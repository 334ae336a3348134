"""What is printed, letter by letter; NETWRIGHT_OVERWRITE_GOLDEN=1 writes the files anew."""

import json
import os
from pathlib import Path

import pytest

import netwright as nw
from netwright.core.diff import diff
from netwright.drawing.blocks_svg import block_file
from netwright.drawing.diagram import diagram
from netwright.drawing.pages import compare_page, summary_page
from netwright.report.changes import diff_record, diff_text
from netwright.report.compare import compare_text
from netwright.report.markdown import compare_markdown, plan_markdown
from netwright.report.outline import outline
from netwright.report.record import compare_record, csv_text, plan_record
from netwright.report.table import plan_table
from report.examples import CHAIN, ODD, SKIP

GOLDEN = Path(__file__).parent / "golden"


def changed():
    smaller = CHAIN.but(stem__act=nw.Tanh(), classes=7, name="smaller", input=(3, 16, 16))
    return diff(CHAIN, smaller)


def three():
    return [CHAIN.plan(), ODD.plan(), CHAIN.plan((3, 64, 64))]


CASES = {
    "odd.txt": lambda: plan_table(ODD.plan()),
    "odd_depth1.txt": lambda: plan_table(ODD.plan(), 1),
    "chain_width80.txt": lambda: plan_table(CHAIN.plan(), width=80),
    "chain_bold.txt": lambda: plan_table(CHAIN.plan(batch=2, dtype="float16"), 2, bold=True),
    "resnet18_depth2.txt": lambda: plan_table(nw.net("resnet18").plan(), 2),
    "chain_rows.csv": lambda: csv_text(plan_record(CHAIN.plan())["rows"]),
    "odd_groups.csv": lambda: csv_text(plan_record(ODD.plan())["groups"]),
    "odd.json": lambda: json.dumps(plan_record(ODD.plan(), 2), indent=1),
    "compare.txt": lambda: compare_text(three(), CHAIN.plan()),
    "compare.json": lambda: json.dumps(
        compare_record([CHAIN.plan(), ODD.plan()], CHAIN.plan()), indent=1
    ),
    "odd_diagram.txt": lambda: diagram(outline(ODD)),
    "resnet50_diagram.txt": lambda: diagram(outline(nw.net("resnet50"))),
    "skip_diagram.txt": lambda: diagram(outline(SKIP)),
    "lenet5.svg": lambda: block_file(outline(nw.net("lenet5"))),
    "resnet18.svg": lambda: block_file(outline(nw.net("resnet18"))),
    "compare.md": lambda: compare_markdown(three(), CHAIN.plan()),
    "odd.md": lambda: plan_markdown(ODD.plan(), sort="macs"),
    "diff.txt": lambda: diff_text(changed()),
    "diff.json": lambda: json.dumps(diff_record(changed()), indent=1),
    "chain.html": lambda: summary_page(CHAIN.plan()).render(),
    "compare.html": lambda: compare_page(three()[:2], CHAIN.plan()).render(),
}


@pytest.mark.parametrize("name", CASES)
def test_golden(name):
    made, file = CASES[name]() + "\n", GOLDEN / name
    if os.environ.get("NETWRIGHT_OVERWRITE_GOLDEN"):
        file.write_text(made)
    assert made == file.read_text()


def test_no_golden_file_is_left_over():
    assert {file.name for file in GOLDEN.iterdir()} == set(CASES)
