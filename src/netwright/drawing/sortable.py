"""The script that lets the columns of a table be sorted; without it tables are read as they are."""

from __future__ import annotations

__all__ = ["SCRIPT", "STYLE"]

STYLE = """
th button { all: unset; cursor: pointer; }
th button:focus-visible { outline: 2px solid var(--c0); outline-offset: 2px; }
th button::after { content: "\\2195"; display: inline-block; width: .75em; text-align: right;
  opacity: .4; }
th[aria-sort] button { color: var(--ink); }
th[aria-sort] button::after { opacity: 1; }
th[aria-sort=ascending] button::after { content: "\\2191"; }
th[aria-sort=descending] button::after { content: "\\2193"; }
@media print { th button::after { content: none; } }
"""

SCRIPT = """
const powers = " KMGTP";
function number(text) {
  const found = text.match(/^[~<]?(-?[\\d,]*\\.?\\d+) ?([KMGTP]?)(B?)/);
  if (!found) return text === "all" ? Infinity : NaN;
  const base = found[3] ? 1024 : 1000;
  return parseFloat(found[1].replaceAll(",", "")) * base ** powers.indexOf(found[2] || " ");
}
function sorted(rows, column, down) {
  const numeric = rows.length > 0 && rows[0].cells[column].classList.contains("n");
  const keyed = rows.map(row => {
    const text = row.cells[column].textContent.trim();
    const value = numeric ? number(text) : text;
    return {row, value, gone: numeric ? Number.isNaN(value) : text === ""};
  });
  keyed.sort((a, b) => {
    if (a.gone || b.gone) return a.gone - b.gone;
    if (a.value === b.value) return 0;
    const rise = numeric ? a.value - b.value
      : a.value.localeCompare(b.value, "en", {numeric: true});
    return down ? -rise : rise;
  });
  return keyed.map(one => one.row);
}
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], given = [...body.rows], heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(head.textContent);
    head.replaceChildren(button);
    const turns = ["ascending", "descending"];
    if (head.classList.contains("n")) turns.reverse();
    button.addEventListener("click", () => {
      const turn = turns[turns.indexOf(head.getAttribute("aria-sort")) + 1];
      heads.forEach(other => other.removeAttribute("aria-sort"));
      if (turn) head.setAttribute("aria-sort", turn);
      body.append(...(turn ? sorted(given, column, turn === "descending") : given));
    });
  });
}
"""
"""A click, or Enter on the column's name: largest (or first) at the top, the other way round,
as given. Cells that say nothing stay at the end, and so does the foot of the table.
"""
