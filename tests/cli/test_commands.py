"""The commands that read: what they print, and one line for every mistake."""

import csv
import json
import re
import shlex
import subprocess
import sys
from io import StringIO

import pytest

import netwright as nw
from netwright.cli import COMMANDS, main
from netwright.cli.examples import EXAMPLES


@pytest.fixture
def said(capsys):
    """Runs the command line in this process: (exit code, stdout, stderr)."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        return (stop.value.code or 0, *capsys.readouterr())

    return run


def one_line(text):
    assert text.count("\n") == 1
    assert text.startswith("netwright: ")
    return text


def test_summary_says_what_the_plan_says(said):
    code, out, err = said("summary", "resnet18", "--classes", "10", "--input", "3x64x64")
    plan = nw.net("resnet18", classes=10, input=(3, 64, 64)).plan()
    assert (code, err) == (0, "")
    for number in (plan.params, plan.macs, plan.ops, plan.activations):
        assert f"{number:,}" in out
    assert " ".join(nw.CONVENTION.split()) in " ".join(out.split())
    assert "435" in out
    assert "\x1b" not in out


def test_summary_depths(said):
    lines = [len(said("summary", "resnet18", *more)[1].splitlines())
             for more in (("--depth", 1), ("--depth", 2), ())]  # fmt: skip
    assert lines == sorted(set(lines))
    assert said("summary", "resnet18", "--depth", 1)[1].count("\nstage") == 4


def test_summary_bytes_follow_batch_and_dtype(said):
    _, out, _ = said("summary", "lenet5", "--json")
    one = json.loads(out)["totals"]
    _, out, _ = said("summary", "lenet5", "--json", "--batch", 6, "--dtype", "float16")
    many = json.loads(out)["totals"]
    assert many["peak_bytes"] == 3 * one["peak_bytes"]
    assert many["weight_bytes"] == one["weight_bytes"] / 2
    assert many["macs"] == one["macs"]


def test_summary_as_json_and_csv_agree_with_the_plan(said):
    plan = nw.net("seresnet50").plan()
    record = json.loads(said("summary", "seresnet50", "--json")[1])
    assert record["schema"] == 2
    assert [row["path"] for row in record["rows"]] == [row.path for row in plan.rows]
    assert sum(row["params"] for row in record["rows"]) == record["totals"]["params"] == plan.params
    assert sum(group["macs"] for group in record["groups"]) == plan.macs
    rows = list(csv.DictReader(StringIO(said("summary", "seresnet50", "--csv")[1])))
    assert [int(row["macs"]) for row in rows] == [row.macs for row in plan.rows]
    assert rows[0]["kernel"] == "7x7"
    assert rows[0]["output"] == "64x112x112"
    groups = list(csv.DictReader(StringIO(said("summary", "seresnet50", "--csv", "--depth", 1)[1])))
    assert [group["path"] for group in groups][:2] == ["stem", "stage1"]


def test_a_net_in_a_file(said, tmp_path):
    file = tmp_path / "net.json"
    file.write_text(nw.net("lenet5").to_json())
    assert said("summary", file)[1] == said("summary", "lenet5")[1]
    record = json.loads(said("summary", file, "--classes", 7, "--json")[1])
    assert record["output"] == [7]


@pytest.mark.parametrize("command", ["summary", "compare"])
def test_pages_are_written(said, tmp_path, command):
    code, out, err = said(command, "lenet5", "--html", tmp_path / "page.html")
    assert (code, out) == (0, "")
    assert err == f"wrote {tmp_path / 'page.html'}\n"
    assert "<svg" in (tmp_path / "page.html").read_text()


def test_a_shape_error_shows_the_table_up_to_the_fault(said):
    code, out, err = said("summary", "vgg16", "--input", "1x4x4")
    assert (code, out) == (2, "")
    *table, last = err.splitlines()
    assert last.startswith("netwright: at stage3.pool: a window of 2 does not fit a map of 1")
    assert table[0].startswith("layer")
    assert any(line.startswith("stage2") for line in table)
    assert not any(line.startswith("stage4") for line in table)


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        ("sumary lenet5", "no command is called 'sumary'; near: summary"),
        ("check lenet5 --budget ,", "--budget has no bound; wanted some, such as 'params<=5M"),
        ("summary resnet5", "no net is called 'resnet5'; near: resnet50"),
        ("summary VGG16", "no net is called 'VGG16'; near: vgg16"),
        ("summary zzz", "there are: airbench94_cifar10, airbench95_cifar10, alexnet, "),
        ("summary lenet5 --input 3x", "--input '3x' is no shape; wanted sizes such as 3x224x224"),
        ("summary lenet5 --input 3x0x9", "--input '3x0x9' is no shape"),
        ("summary lenet5 --input ²", "is no shape"),
        ("summary lenet5 --batch none", "--batch 'none' is not a whole number of at least 1"),
        ("summary lenet5 --depth 0", "--depth '0' is not a whole number"),
        ("summary lenet5 --classes -1", "--classes '-1' is not a whole number"),
        ("summary lenet5 --dtype float", "dtype 'float' is unknown; there are: float64"),
        ("summary unet --classes 3 --depth x", "--depth 'x' is not"),
        ("summary nowhere.json", "cannot read nowhere.json: No such file"),
        ("summary ./lenet5", "cannot read ./lenet5: No such file"),
        ("summary {here}/bad.json", "this is no JSON"),
        ("summary {here}/deep.json", "this is no JSON"),
        (f"summary lenet5 --batch {'9' * 5000}", "of at least 1 and at most 18 digits"),
        ("summary {here}/bytes.json", "this is no text"),
        ("summary {here}/list.json", 'a net has "schema", "input" and "spec"'),
        ("summary lenet5 --html {here}/bad.json/page.html", "cannot write"),
        ("summary lenet5 --html {here}", "cannot write {here}: Is a directory"),
        ("compare lenet5 alexnett", "no net is called 'alexnett'; near: alexnet"),
        ("nets rasnet*", "no net is called 'rasnet*'; near: "),
        ("nets --sort size", "no column to sort by is called 'size'; there are: error, field"),
        ("nets --category deep", "no category fits 'deep'; there are: Spatial exploitation, Dep"),
        ("summary lenet5 --fit 24XB", "--fit: '24XB' is no number of bytes; wanted one"),
        ("nets --max-macs 10Q", "--max-macs: '10Q' is no count; wanted a number such as 300, 10M"),
        ("show resnet5", "no net is called 'resnet5'; near: resnet50"),
        ("rewrite resnet18 stem3x3", "no rule is called 'stem3x3'; near: stem-3x3"),
        ("rewrite resnet18 widen:wide", "widen: factor is 'wide', wanted a number"),
        ("rewrite resnet18 widen:0", "factor is 0, wanted a number above 0"),
        ("rewrite resnet18 widen:1e300", "widen: factor is 1e+300, wanted a number above 0 and at"),
        ("rewrite resnet18 scale:1e5", "scale: phi is 100000.0, wanted a number from -64 to 64"),
        ("rewrite resnet18 deepen:100000000", "a stage of 100000002 blocks is too long"),
        ("rewrite resnet18 grouped:0", "groups is 0, wanted an integer of at least 1"),
        ("rewrite resnet18 gap-head", "gap-head: resnet18 has no flattened head"),
        ("rewrite resnet5 widen", "no net is called 'resnet5'; near: resnet50"),
        ("rewrite lenet5 widen --out {here}/bad.json/net.json", "cannot write"),
        ("diff lenet5 lenet6", "no net is called 'lenet6'; near: lenet5"),
    ],
)
def test_mistakes_end_in_one_line(said, tmp_path, arguments, wanted):
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "list.json").write_text("[]")
    (tmp_path / "deep.json").write_text("[" * 200_000)
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00")
    code, out, err = said(*arguments.format(here=tmp_path).split(" "))
    assert code == 2
    assert not out or "--out" in arguments
    assert wanted.format(here=tmp_path) in one_line(err)


@pytest.mark.parametrize("input", ["3x64x48", "3X64X48", "3,64,48", "3, 64, 48"])
def test_shapes_are_written_as_people_write_them(said, input):
    assert json.loads(said("summary", "resnet18", "--json", "--input", input)[1])["input"] == [
        3, 64, 48,
    ]  # fmt: skip


def test_compare_gives_ratios_to_the_first(said):
    out = said("compare", "resnet18", "resnet34", "resnet18")[1]
    first, second, third = [re.split(r"  +", line) for line in out.splitlines()[2:5]]
    assert first[0] == third[0] == "resnet18"
    assert first[3] == third[3] == "1.00x"
    assert second[2:4] == ["21,797,672", "1.86x"]
    assert out.count("█") > 10
    record = json.loads(said("compare", "resnet18", "resnet34", "--json")[1])
    assert record["nets"][1]["ratios"]["params"] == pytest.approx(21797672 / 11689512)
    rows = list(csv.DictReader(StringIO(said("compare", "resnet18", "resnet34", "--csv")[1])))
    assert [row["params"] for row in rows] == ["11689512", "21797672"]


def test_compare_at_another_input(said):
    record = json.loads(said("compare", "resnet18", "vgg11", "--input", "3x64x64", "--json")[1])
    assert [net["input"] for net in record["nets"]] == [[3, 64, 64]] * 2


def test_nets_lists_what_matches_in_order(said):
    out = said("nets", "resnet*_cifar10")[1]
    listed = [line.split()[0] for line in out.splitlines()[2:]]
    assert listed == nw.nets("resnet*_cifar10")
    row = next(line for line in out.splitlines() if line.startswith("resnet20_cifar10 "))
    assert row.split()[1:] == ["3x32x32", "272K", "40.8M", "81", "2015", "5.97"]
    record = json.loads(said("nets", "resnet*_cifar10", "--json")[1])["nets"]
    assert [net["name"] for net in record] == listed
    assert {net["paper"]["year"] for net in record} == {2015}
    assert record[-1]["category"] == "Depth + multi-path"


def test_every_net_is_listed(said):
    record = json.loads(said("nets", "--json")[1])["nets"]
    assert [net["name"] for net in record] == nw.nets()
    assert all(net["params"] > 0 and net["macs"] > 0 for net in record)


def test_diff_says_what_changed(said, tmp_path):
    file = tmp_path / "small.json"
    file.write_text(nw.net("resnet18").but(classes=10).to_json())
    out = said("diff", "resnet18", file)[1]
    assert out.startswith(
        "head.fc\n  - Linear(1000)\n  + Linear(10)\n    params -507,870, MACs -506,880"
    )
    assert "no difference" in said("diff", "resnet18", "resnet18")[1]
    record = json.loads(said("diff", "resnet18", file, "--json")[1])
    (change,) = record["changes"]
    assert change["path"] == "head.fc"
    assert change["d_params"] == record["after"]["params"] - record["before"]["params"] == -507870


def test_diff_adds_up(said):
    record = json.loads(said("diff", "resnet18", "seresnet50", "--json")[1])
    changed = sum(c["d_macs"] for c in record["changes"]) + record["elsewhere"]["d_macs"]
    assert changed == record["after"]["macs"] - record["before"]["macs"]


@pytest.mark.parametrize("command", [*COMMANDS])
def test_help_names_every_option(said, command):
    from importlib import import_module

    out = said(command, "--help")[1]
    for param in import_module(f"netwright.cli.{command.replace('-', '_')}").command.params:
        assert all(name in out for name in param.opts if name.startswith("--"))


def test_every_command_has_examples():
    assert EXAMPLES.keys() == COMMANDS.keys()


LONG = {
    *["calibrate", "bench", "fit", "search", "work", "predict", "evaluate", "compare-runs", "look"]
}
"""Commands that measure, train or want images."""
READING = [
    line
    for name, lines in EXAMPLES.items()
    if name not in LONG
    for line in lines
    if "your." not in line
]


@pytest.mark.parametrize("line", READING)
def test_examples_of_the_help_run(said, tmp_path, monkeypatch, line):
    monkeypatch.chdir(tmp_path)
    program, command, *more = shlex.split(line)
    code, out, err = said(command, *more)
    assert (program, code) == ("netwright", 0)
    assert out or err.startswith("wrote ")
    assert line in said(command, "--help")[1]


@pytest.mark.parametrize(
    ("fault", "ends"),
    [
        (KeyboardInterrupt(), (130, "", "\nstopped\n")),
        (
            PermissionError(13, "Permission denied", "a"),
            (2, "", "netwright: a: Permission denied\n"),
        ),
        (OSError("no room"), (2, "", "netwright: no room\n")),
    ],
)
def test_what_stops_a_check_is_no_answer_of_it(said, monkeypatch, fault, ends):
    from netwright.cli import check

    def stop(*arguments, **more):
        raise fault

    monkeypatch.setattr(check, "load_plan", stop)
    assert said("check", "lenet5", "--budget", "params<=1M") == ends


def fresh(*arguments, **more):
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=False, **more
    )


def test_from_a_shell():
    good = fresh("-m", "netwright", "summary", "lenet5", "--depth", "1")
    assert (good.returncode, good.stderr) == (0, "")
    assert "61,706" in good.stdout
    bad = fresh("-m", "netwright", "summary", "resnet5")
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "near: resnet50" in one_line(bad.stderr)


def test_bars_do_not_break_a_terminal_that_has_none():
    made = fresh("-m", "netwright", "compare", "lenet5", env={"PYTHONIOENCODING": "ascii"})
    assert made.returncode == 0, made.stderr
    assert "61,706" in made.stdout


HEAVY = ("torch", "numpy", "rich", "PIL", "sklearn", "sympy")


RUN = """
from netwright.cli import COMMANDS, main
try:
    main({!r})
except SystemExit as stop:
    assert not stop.code
"""
LOAD = """
import importlib, pkgutil
import netwright.nets.catalogue
netwright.nets.catalogue.load()
for room in ("netwright.nets", "netwright.report", "netwright.drawing"):
    for module in pkgutil.iter_modules(importlib.import_module(room).__path__, room + "."):
        importlib.import_module(module.name)
"""
CHECK = f"""
import sys
print([name for name in {HEAVY} if name in sys.modules], file=sys.stderr)
"""


@pytest.mark.parametrize(
    "statement",
    [
        RUN.format(["summary", "resnet50"]),
        RUN.format(["compare", "resnet50", "vgg16"]),
        RUN.format(["show", "resnet50"]),
        RUN.format(["nets", "resnet*", "--sort", "error"]),
        RUN.format(["rewrite", "resnet50", "stem-3x3"]),
        LOAD,
    ],
    ids=["summary", "compare", "show", "nets", "rewrite", "every module"],
)
def test_nothing_heavy_is_imported(statement):
    made = fresh("-c", statement + CHECK)
    assert made.returncode == 0, made.stderr
    assert made.stderr == "[]\n"


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize(("plain", "bold"), [("", True), ("1", False)])
def test_a_terminal_gets_bold_lines_that_fit(plain, bold):
    import os
    import pty
    import struct
    from fcntl import ioctl
    from termios import TIOCSWINSZ

    ours, theirs = pty.openpty()
    ioctl(theirs, TIOCSWINSZ, struct.pack("HHHH", 50, 90, 0, 0))
    made = subprocess.Popen(
        [sys.executable, "-m", "netwright", "summary", "lenet5", "--depth", "1"],
        stdout=theirs, env={**os.environ, "NO_COLOR": plain},
    )  # fmt: skip
    os.close(theirs)
    out = ""
    try:
        while text := os.read(ours, 65536).decode():
            out += text
    except OSError:  # Linux says so when the other side has closed
        pass
    os.close(ours)
    assert made.wait(30) == 0
    assert ("\x1b[1m" in out) is bold
    table = [re.sub(r"\x1b\[\d*m", "", line) for line in out.splitlines()[2:18]]
    assert "left out for want of width" in out
    assert max(map(len, table[:14])) <= 90
