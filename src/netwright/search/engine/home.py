"""Where a study is on disk: a folder with its journal, its best net and its report."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from shlex import join
from typing import Any

from netwright.core.files import write_text
from netwright.core.net import Net
from netwright.errors import SearchError
from netwright.nets.catalogue import from_json
from netwright.search.engine.identity import difference, identity
from netwright.search.engine.ledger import Ledger
from netwright.search.engine.page import study_page
from netwright.search.engine.setup import Setup
from netwright.search.engine.storage import Place, shown, studies
from netwright.search.engine.worker import Plan
from netwright.search.study import best_trial
from netwright.search.timing import LATENCY, latencies, setting
from netwright.search.trial import Trial

__all__ = ["JOURNAL", "SEARCHES", "Home", "exported", "net_of"]

JOURNAL = "study.journal"
SEARCHES = Path("searches")
"""Where studies are that were given no folder."""


class Home:
    """A study by its folder, or by its name in a storage that others share.

    Arguments:
        study: a folder; with a `storage` in PostgreSQL its last part is the name there, and a name
            alone has its folder in `searches`, never the folder of images that is called like it.
        storage: a journal file or `postgresql://...`; the folder's own journal where empty.
        tell: hears a line for people.
        wait: whether to wait for a storage that is out of reach at the beginning too.
    """

    def __init__(
        self,
        study: str | Path,
        storage: str = "",
        tell: Callable[[str], None] = lambda line: None,
        *,
        wait: bool = False,
    ) -> None:
        self.folder, self.tell, self.wait, self._given = Path(study), tell, wait, storage
        if "://" in storage and self.folder.name == str(study):
            self.folder = SEARCHES / self.folder
        self.storage = storage or str(self.folder / JOURNAL)
        self.name = self.folder.name or self.folder.resolve().name
        if not self.name:
            raise SearchError(f"{str(study)!r} is no name of a study")
        if not storage and Path(self.storage).is_file():
            kept = studies(self.place())
            if len(kept) == 1:  # whatever the folder was called when it was begun
                self.name = kept[0]

    def command(self, *words: str) -> str:
        """`netwright search` with these words, of which STUDY stands for this one, as people may
        type it; a password is left out.
        """
        study = self.name if "://" in self.storage else str(self.folder)
        storage = ["--storage", shown(self._given)] if self._given else []
        typed = [study if word == "STUDY" else word for word in words]
        return join(["netwright", "search", *typed, *storage])

    def place(self) -> Place:
        """The storage and its locks."""
        return Place(self.storage, self.name, self.tell, wait=self.wait)

    def opened(self) -> Ledger:
        """The study, which has to be there; nothing is made where it is not."""
        if "://" not in self.storage and not Path(self.storage).is_file():
            raise SearchError(f"there is no study {self.folder}: it has no {JOURNAL}; begin one: "
                              "netwright search SPACE DATA, or name its --storage")  # fmt: skip
        return Ledger.opened(self.place())

    def setup(self, ledger: Ledger) -> Setup:
        """What the study was begun with."""
        return Setup.from_json(ledger.record.get("setup"))

    def plan(self, ledger: Ledger, folder: str | Path = "", data: str = "") -> Plan:
        """What workers of the study do; see `Setup.plan`. `SearchError` where the images, or the
        space, are not those it was begun with.
        """
        plan = self.setup(ledger).plan(folder, data)
        if differing := difference(ledger.record["identity"],
                                   identity(plan.space, plan.evaluator)):  # fmt: skip
            raise SearchError(f"the study {self.name} was begun with {differing}; `netwright "
                              "work` takes images from elsewhere by --data")  # fmt: skip
        return plan

    def measure(self, ledger: Ledger) -> None:
        """Measures the nets that may be on the front on this machine, those it has not yet; the
        study keeps their seconds.
        """
        before, how = ledger.kept(LATENCY), setting()
        seconds = before["seconds"] if before.get("setting") == how else {}
        seconds = latencies(ledger.trials(), net_of, seconds)
        ledger.keep(LATENCY, {"setting": how, "seconds": seconds})

    def write(self, record: dict[str, Any], trials: list[Trial]) -> None:
        """The best net and the report, where a trial is complete."""
        write_text(self.folder / "best.json", net_of(best_trial(trials)).to_json(indent=1))
        write_text(self.folder / "report.html", study_page(self.name, record, trials).render())


def net_of(trial: Trial) -> Net:
    """The net that a trial evaluated."""
    if "net" not in trial.record:
        raise SearchError(f"trial {trial.number} is {trial.state} and has no net yet")
    return from_json(trial.record["net"])


def exported(trial: Trial, file: str) -> dict[str, str]:
    """Writes the net of a trial, and its recipe beside it if it has one; the options of `netwright
    fit` that train it so. The seed is not among them: a fit splits the images by its own.
    """
    path = Path(file)
    write_text(path, net_of(trial).to_json(indent=1))
    options = {"net": str(path)}
    if "recipe" in trial.record:
        recipe = path.with_suffix(".recipe.json")
        write_text(recipe, json.dumps(trial.record["recipe"], indent=1))
        options |= {"recipe": str(recipe), "epochs": str(trial.record["epochs"])}
    return options
