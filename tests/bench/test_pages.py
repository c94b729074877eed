"""What is shown of the figures: tables, plots, the page, and where Hubbub loses."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.run import machine, plots, report, results, servers, tables, work
from bench.run.results import Record, Run
from bench.run.stats import Spread

ROOT = Path(__file__).parents[2]
MACHINE = dict.fromkeys(machine.described(), "x")


def record(part: str, **servers_figures: list[dict[str, float]]) -> Record:
    """A record in which each case of the part has these figures."""
    made = Record(part, MACHINE, "code", "2026-01-01", "2026-01-02")
    for server, runs in servers_figures.items():
        name = server.replace("_", "-")
        made.servers[name] = {"label": name.title(), "says": "as it is", "version": "1"}
        for case in work.PARTS[part]:
            if name == "hubbub" or case.peers:
                made.runs += [Run(case.name, name, n, dict(f)) for n, f in enumerate(runs)]
    return made


def fanout(**servers_rates: float) -> Record:
    return record("fanout", **{name: [{"per_cpu": rate}] for name, rate in servers_rates.items()})


def test_a_number_has_three_digits_that_mean_something() -> None:
    numbers = [0, 0.04561, 1.2345, 12.345, 123.45, 1234.5, 1234567]
    assert [tables.short(value) for value in numbers] == [
        *("0", "0.0456", "1.23", "12.3", "123", "1,230", "1,230,000")
    ]


def test_a_table_has_hubbub_first_then_the_limit_then_the_best_peer() -> None:
    page = tables.fanout(fanout(slow=1e5, limit=2e6, quick=1e6, hubbub=5e5))
    names = re.findall(r"^\| \**(\w+)", page, re.MULTILINE)
    assert names == ["Hubbub", "Limit", "Quick", "Slow"]
    assert "| **Hubbub** | 0.500 |" in page


def test_a_figure_is_shown_with_its_range() -> None:
    made = record("fanout", hubbub=[{"per_cpu": rate} for rate in (3e6, 1e6, 2e6)])
    assert "| 2.00 (1.00 to 3.00) |" in tables.fanout(made)


@pytest.mark.parametrize(
    ("fault", "mark"),
    [
        ("dropped", tables.DROPPED),
        ("lost_members", tables.DROPPED),
        ("disordered", tables.DISORDERED),
        ("disagreeing", tables.DISORDERED),
        ("strayed", tables.DISORDERED),
    ],
)
def test_a_peer_that_drops_or_reorders_is_shown_as_such(fault: str, mark: str) -> None:
    made = record("fanout", hubbub=[{"per_cpu": 1e6}], fast=[{"per_cpu": 2e6, fault: 1}])
    assert f"| 2.00 {mark} |" in tables.fanout(made)
    assert mark in report.picture(made)


def test_a_server_that_failed_is_shown_and_breaks_nothing() -> None:
    made = fanout(hubbub=1e6)
    made.servers["gone"] = {"label": "Gone", "says": "", "version": ""}
    made.runs += [Run(case.name, "gone", 0, {"failed": "no"}) for case in work.PARTS["fanout"]]
    assert "| Gone | failed |" in tables.fanout(made)
    ET.fromstring(report.picture(made))


def test_a_load_client_that_was_too_busy_is_told() -> None:
    busy = record("fanout", hubbub=[{"per_cpu": 1e6, "load_share": 0.9}])
    assert "over 80 % in 6 runs (**Hubbub** 1,000 x 5/5/1, " in tables.fanout(busy)
    calm = record("fanout", hubbub=[{"per_cpu": 1e6, "load_share": 0.5}])
    assert "at most 50%.\n" in tables.fanout(calm)


def test_where_a_peer_is_ahead_is_said_unless_it_loses_messages() -> None:
    assert tables.losses({"fanout": fanout(hubbub=2e6, slow=1e6, limit=3e6)}) == []
    lines = tables.losses({"fanout": fanout(hubbub=2e6, fast=3e6, faster=4e6)})
    assert len(lines) == len(work.PARTS["fanout"])
    assert lines[0].endswith("500/1/1: Hubbub 2,000,000; Faster 4,000,000, Fast 3,000,000")
    lossy = record("fanout", hubbub=[{"per_cpu": 1e6}], fast=[{"per_cpu": 2e6, "dropped": 1}])
    assert tables.losses({"fanout": lossy}) == []


def test_growth_has_its_exponents() -> None:
    made = record("growth", hubbub=[])
    for case in work.PARTS["growth"]:
        size = case.facts["size"]
        cost = size * 2 if case.facts["of"] == "members" else 5
        made.runs.append(Run(case.name, case.ours[0], 0, {"size": size, "cost": cost}))
    page = tables.growth(made)
    assert (
        "| CPU of a message, by members of its room | 10: 20.0 µs | 10,000: 20,000 µs | 1.00 |"
        in page
    )
    assert page.count("| 0.00 |") == 2
    assert report.picture(made).count('class="curve"') == 3


def test_a_plot_is_well_formed_and_readable_in_the_dark() -> None:
    bars = [
        plots.Bar("<A & B>", Spread(2, 1, 3, 5), "2.00", "ours"),
        plots.Bar("C", Spread(1, 1, 1, 1), "1.00", "peer", "†"),
    ]
    drawn = plots.page([plots.Bars("50/50/4", "less is better", bars)], "Fan-out")
    picture = ET.fromstring(drawn)
    space = "{http://www.w3.org/2000/svg}"
    rects = [rect for rect in picture.iter(f"{space}rect") if rect.get("class") in {"ours", "peer"}]
    longer, shorter = (float(rect.get("width", "0")) for rect in rects)
    assert longer == pytest.approx(2 * shorter, abs=0.2)
    words = "".join(picture.itertext())
    assert "<A & B>" in words
    assert "prefers-color-scheme: dark" in words


def test_the_page_is_made_of_what_was_measured_and_keeps_what_people_wrote() -> None:
    old = f"# Title\n\n{report.BEGIN}old{report.END}\n## Why\n\nwords\n"
    new = report.page(old, {"fanout": fanout(hubbub=1e6, fast=2e6)})
    assert new.startswith("# Title\n")
    assert new.endswith("\n## Why\n\nwords\n")
    assert "## Fan-out" in new
    assert "## Where a peer is ahead\n\n- deliveries a CPU-second" in new
    assert "old" not in new
    assert report.page(new, {"fanout": fanout(hubbub=1e6, fast=2e6)}) == new


def test_performance_md_shows_the_results_that_are_kept() -> None:
    page, kept = report.PAGE.read_text(), results.all_kept()
    assert report.page(page, kept) == page, "write it anew: make bench ARGS=report"
    for part, found in kept.items():
        picture = report.PICTURES / f"{part}.svg"
        assert picture.read_text() == report.picture(found)


def test_every_peer_says_what_it_is_and_is_locked() -> None:
    locks = {"cargo": "Cargo.lock", "npm": "package-lock.json", "go": "go.sum"}
    kinds = servers.peers()
    assert len(kinds) == 11
    assert kinds[0].name == "limit"
    for kind in kinds:
        told = tomllib.loads((kind.folder / "peer.toml").read_text())
        assert told["says"], kind.name
        for tool in set(kind.needs) & set(locks):
            assert (kind.folder / locks[tool]).exists(), kind.name
        if (kind.folder / "server.py").exists():
            assert "--hash=sha256:" in (kind.folder / "requirements.txt").read_text()


def test_a_peer_whose_tools_are_missing_is_skipped_with_a_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    lacking = {kind.name: servers.missing(kind) for kind in servers.peers()}
    assert lacking["axum"] == "cargo"
    assert lacking["ws"] == "node and npm"
    assert lacking["starlette"] == ""
