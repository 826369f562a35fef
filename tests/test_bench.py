"""The arithmetic of the benchmarks: bars, medians, the table and the scaling model. Nothing is measured."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import replace

import pytest

from bench import cases, machine, scaling, smoke, table
from bench.load import Browsers, Load, wrong_with
from bench.model import FLOOR, OURS, Bar, Case, Line, Scale, Turn
from bench.rounds import measure
from bench.scaling import Costs
from bench.servers import Failed

COSTS = Costs(
    send_us=6,
    build_us=150,
    tick_us=2,
    event_bytes=1_500,
    kb_per_browser=1,
    message_us=12,
    message_bytes=22_000,
)


def case(*bars: Bar, floor: float = 10.0, ours: tuple[float, ...] = (11.0,)) -> Case:
    left = list(ours)
    contenders = {OURS: lambda _: {"cpu_us": left.pop(0)}, FLOOR: lambda _: {"cpu_us": floor}}
    return Case("case", "a case", contenders, (Line("CPU", "cpu_us", "us", bars),))


def verdict(subject: Case, rounds: int = 1) -> str:
    return table.entries([measure(subject, rounds, Scale(), lambda _: None)])[0].verdict


@pytest.mark.parametrize(
    ("bar", "entry"),
    [
        (Bar(11), "yes"),
        (Bar(10.9), "NO"),
        (Bar(1.1, FLOOR), "yes"),
        (Bar(1.05, FLOOR), "NO"),
        (Bar(1.05, FLOOR, wish=True), "not yet"),
        (Bar(11, below=True), "NO"),
        (Bar(1.1, FLOOR, at_least=True), "yes"),
        (Bar(1, "nchan", below=True), "no figure of nchan"),
    ],
)
def test_bars(bar: Bar, entry: str) -> None:
    assert verdict(case(bar)) == entry


def test_a_load_generator_that_ends_early_is_no_measurement() -> None:
    command = ["sh", "-c", "echo connected 2, failed 0 >&2; echo measuring >&2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        load = Load(process, Browsers(2, "/", 1.0))
        load.reached("measuring")
        with pytest.raises(Failed, match="before it was measured"):
            load.reached("measured")


def test_the_cpu_time_of_a_process_is_counted_in_nanoseconds() -> None:
    own = os.getpid()
    before, first = time.process_time(), machine.cpu_s([own])
    sum(range(10_000))
    assert before < first < machine.cpu_s([own]) <= time.process_time()


def test_the_median_of_the_rounds_counts() -> None:
    shown = table.entries([measure(case(Bar(12), ours=(11.0, 90.0, 12.0)), 3, Scale(), lambda _: None)])[0]
    assert (shown.ours, shown.spread, shown.ratio, shown.verdict) == ("12.0", "11.0 – 90.0", "1.20", "yes")


def test_a_contender_that_fails_is_named_with_its_reason_and_stops_no_other() -> None:
    def absent(_turn: Turn) -> dict[str, float]:
        raise Failed("wrk is not installed")

    subject = Case(
        "case",
        "a case",
        {OURS: lambda _: {"cpu_us": 1.0}, "peer": absent},
        (Line("CPU", "cpu_us", "us", (Bar(2),)),),
    )
    shown = table.entries([measure(subject, 2, Scale(), lambda _: None)])[0]
    assert shown.peers == "peer: wrk is not installed"
    assert shown.verdict == "yes"


def test_a_torn_event_fails_the_case_whatever_its_figures() -> None:
    subject = Case(
        "case",
        "a case",
        {OURS: lambda _: {"cpu_us": 1.0, "torn": 2.0}},
        (Line("CPU", "cpu_us", "us", (Bar(2),)),),
        wrong_with,
    )
    assert verdict(subject) == "no: round 1, ours: 2 torn"


def test_a_smoke_run_repeats_an_incomplete_case_with_longer_turns() -> None:
    seconds: list[float] = []

    def slow(turn: Turn) -> dict[str, float]:
        seconds.append(turn.scale.seconds)
        if len(seconds) == 1:
            raise Failed("no event arrived at any of 40 browsers")
        return {"cpu_us": 1.0, "lost": 3.0 if len(seconds) == 2 else 0.0}

    subject = Case("case", "a case", {OURS: slow}, (Line("CPU", "cpu_us", "us", (Bar(2),)),), wrong_with)
    assert smoke.run([subject]) == 0
    assert seconds == sorted(set(seconds))
    assert len(seconds) == 3


@pytest.mark.parametrize(("fault", "turns"), [("torn", 1), ("out_of_order", 1), ("lost", 3)])
def test_a_smoke_run_fails_at_once_on_torn_events_and_after_three_turns_on_lost_ones(
    fault: str, turns: int, capsys: pytest.CaptureFixture[str]
) -> None:
    taken: list[Turn] = []
    contenders = {OURS: lambda turn: taken.append(turn) or {"cpu_us": 1.0, fault: 2.0}}
    subject = Case("case", "a case", contenders, (Line("CPU", "cpu_us", "us", (Bar(2),)),), wrong_with)
    assert smoke.run([subject]) == 1
    assert f"2 {fault.replace('_', ' ')}" in capsys.readouterr().out.replace("events ", "")
    assert len(taken) == turns


def test_every_case_has_a_name_of_its_own_and_measures_ours() -> None:
    names = [each.name for each in cases.EVERY]
    assert names
    assert len(set(names)) == len(names)
    assert all(OURS in each.contenders and each.lines for each in cases.EVERY)


def test_every_bar_compares_with_a_contender_of_its_case() -> None:
    bars = [(each, bar) for each in cases.EVERY for line in each.lines for bar in line.bars]
    assert bars
    for each, bar in bars:
        assert bar.times in {"", *each.contenders}, each.name


def test_the_simulation_agrees_with_the_arithmetic() -> None:
    used, p99_ms = scaling.simulate(COSTS, int(scaling.browsers_a_core(COSTS)))
    assert used == pytest.approx(scaling.USED, rel=0.03)
    assert p99_ms > 0


def test_dearer_events_mean_fewer_browsers() -> None:
    dearer = replace(COSTS, send_us=12)
    assert scaling.browsers_a_core(dearer) == pytest.approx(scaling.browsers_a_core(COSTS) / 2)


def test_the_page_names_a_missing_figure() -> None:
    assert "'views-2k'" in scaling.page({})
