"""The workloads: one function each, which returns figures and goals.

Programs that are compared take turns, so that a temporarily busy machine slows all of them down.
Each figure is the median over the rounds; at 100 ms per request, the slow baselines run only once,
since nearly all of their time is latency.
"""

from __future__ import annotations

import shutil
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bench_server import Load
from measure import Run, typical
from pipelines import BEFORE, Pipelines
from writing import writing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench_server import BenchServer
    from measure import Program
    from programs import Programs

DEFAULT_IN_FLIGHT = 4  # the default of the setting `max_concurrency`
MOST_IN_FLIGHT = 16

DEFAULT = Load(20_000, 0.1)
PARALLEL = Load(50_000, 0.1)
WHOLE = Load(200_000)
NOTHING = Load(100)
SCALES = [Load(1_000), Load(10_000), Load(100_000), Load(1_000_000)]
LOADED = Load(20_000)
ORGANIZATION = Load(10_000, 0.1)
BUSY_ORGANIZATION = Load(50_000)
ORGANIZATIONS = 4
WRITTEN = 10_000  # users
LOADS = [DEFAULT, PARALLEL, WHOLE, NOTHING, *SCALES, LOADED, ORGANIZATION, BUSY_ORGANIZATION]


@dataclass(frozen=True)
class Goal:
    """A figure, and the limit it must reach or not exceed."""

    what: str
    figure: float
    limit: float
    at_most: bool = False
    unit: str = "x"

    @property
    def reached(self) -> bool:
        """Whether the figure is on the right side of its limit."""
        return self.figure <= self.limit if self.at_most else self.figure >= self.limit


@dataclass
class Work:
    """The figures of a workload: medians by program, and the goals."""

    title: str
    figures: dict[str, Run] = field(default_factory=dict)
    goals: list[Goal] = field(default_factory=list)


class Bench:
    """Runs the programs in turns."""

    def __init__(self, server: BenchServer, programs: Programs) -> None:
        self.server = server
        self.programs = programs
        self.pipelines = Pipelines(programs, server)

    def rounds(self, turns: Sequence[tuple[str, Program, Load | None]]) -> dict[str, Run]:
        """Run programs in the given order, and return the medians by label."""
        runs: dict[str, list[Run]] = defaultdict(list)
        for label, program, load in turns:
            run = program.run(self.server if load else None, load)
            if program.output.is_dir():
                shutil.rmtree(program.output)
            runs[label].append(run)
            shown = f"{label:<24} {run.wall:8.2f} s {run.cpu:8.2f} CPU s {run.peak:7.0f} MB"
            print(f"  {shown} {run.requests:>7,} requests", flush=True)
        return {label: typical(found) for label, found in runs.items()}

    def latency(self, load: Load, in_flight: int, least: float, limit: float | None) -> Work:
        """Measure the time with a latency of 100 ms."""
        make = self.programs
        settings = {} if in_flight == DEFAULT_IN_FLIGHT else {"max_concurrency": in_flight}
        tap = ("tap-pluvo", make.tap(load, **settings), load)
        sdk = ("(a) GraphQLStream", make.sdk(load), load)
        dlt = ("(b) dlt", make.dlt(load), load)
        raw = ("(c) asyncio", make.raw(load, in_flight), load)
        runs = self.rounds([tap, raw, sdk, raw, tap, dlt, tap, raw])
        ours = runs["tap-pluvo"].wall
        goals = [
            Goal(f"times as fast as {name}", runs[name].wall / ours, least)
            for name in ("(a) GraphQLStream", "(b) dlt")
        ]
        if limit:
            goals.append(
                Goal("of the speed of (c) asyncio", runs["(c) asyncio"].wall / ours, limit)
            )
        settings_shown = "default settings" if not settings else f"`max_concurrency` {in_flight}"
        return Work(f"{load.rows:,} users, 100 ms latency, {settings_shown}", runs, goals)

    def latency_default(self) -> Work:
        """Measure 20,000 users with default settings."""
        return self.latency(DEFAULT, DEFAULT_IN_FLIGHT, 3.5, None)

    def latency_parallel(self) -> Work:
        """Measure 50,000 users with as many requests in flight as the tap allows."""
        return self.latency(PARALLEL, MOST_IN_FLIGHT, 12, 0.85)

    def processor(self) -> Work:
        """Measure CPU time."""
        make = self.programs
        turns: list[tuple[str, Program, Load | None]] = [
            ("tap-pluvo", make.tap(WHOLE), WHOLE),
            ("(a) GraphQLStream", make.sdk(WHOLE), WHOLE),
            ("(b) dlt", make.dlt(WHOLE), WHOLE),
            ("(c) asyncio", make.raw(WHOLE, DEFAULT_IN_FLIGHT), WHOLE),
        ]
        runs = self.rounds(turns * 3)
        ours = runs["tap-pluvo"].cpu
        goals = [
            Goal(f"the rows per CPU second of {name}", runs[name].cpu / ours, least)
            for name, least in (("(a) GraphQLStream", 3.0), ("(b) dlt", 2.0))
        ]
        return Work("200,000 users, no latency, whole process", runs, goals)

    def scale(self) -> Work:
        """Measure how time, requests and memory grow with the rows."""
        make = self.programs
        order = [*[NOTHING, *SCALES[:-2]] * 3, *SCALES[-2:]] * 3
        turns = [(f"{load.rows:,} rows", make.tap(load), load) for load in order]
        keys = [(f"{load.rows:,} keys", make.keys(load.rows), None) for load in SCALES]
        runs = self.rounds([*turns, *keys])
        begin, few, more, many = (runs[f"{load.rows:,} rows"] for load in (NOTHING, *SCALES[1:]))

        def pace(run: Run, figure: str) -> float:
            """Return rows per second, less the time that a run with hardly any rows takes."""
            seconds: float = getattr(run, figure) - getattr(begin, figure)
            return (run.rows - begin.rows) / seconds

        # Reading 10,000 rows takes less time than start-up varies, so compare whole runs.
        whole = (many.rows / many.wall) / (few.rows / few.wall)
        goals = [Goal("rows/s at 1,000,000 rows, of those at 10,000", whole, 0.9)]
        goals += [
            Goal(
                f"rows/{unit} at 1,000,000 rows, of those at 100,000, without start-up",
                pace(many, figure) / pace(more, figure),
                0.9,
            )
            for figure, unit in (("wall", "s"), ("cpu", "CPU s"))
        ]
        goals += [
            Goal(
                "requests a row at 1,000,000 rows, of those at 10,000",
                (many.requests / many.rows) / (few.requests / few.rows),
                1.0,
                at_most=True,
            ),
            Goal(
                "more memory at 1,000,000 rows than at 10,000",
                many.peak - few.peak,
                100,
                at_most=True,
                unit=" MB",
            ),
        ]
        return Work("1,000 to 1,000,000 users, no latency", runs, goals)

    def start_up(self) -> Work:
        """Measure start-up."""
        make = self.programs
        turns: list[tuple[str, Program, Load | None]] = [
            ("tap-pluvo --version", make.version(), None),
            ("empty tap --version", make.empty_version(), None),
        ]
        runs = self.rounds(turns * 15)
        ratio = runs["tap-pluvo --version"].wall / runs["empty tap --version"].wall
        goal = Goal("times the start-up of an empty SDK tap", ratio, 1.25, at_most=True)
        return Work("Start-up", runs, [goal])

    def into_postgres(self) -> Work:
        """Measure whole pipelines into PostgreSQL."""
        make = self.pipelines
        turns: list[tuple[str, Program, Load | None]] = [
            ("tap-pluvo, target-postgres", make.postgres(WHOLE), WHOLE),
            (f"the same at {BEFORE}", make.postgres_before(WHOLE), WHOLE),
            ("(b) dlt", make.postgres_dlt(WHOLE), WHOLE),
        ]
        runs = self.rounds(turns * 2)
        ours, before, dlt = (runs[label].cpu for label, _, _ in turns)
        goals = [
            Goal(f"the rows per CPU second of {BEFORE}", before / ours, 3.0),
            Goal("the rows per CPU second of (b) dlt", dlt / ours, 1.5),
        ]
        return Work("200,000 users, no latency, into PostgreSQL", runs, goals)

    def into_duckdb(self) -> Work:
        """Measure whole pipelines into DuckDB."""
        make = self.pipelines
        turns: list[tuple[str, Program, Load | None]] = [
            ("dbt alone, nothing to merge", make.dbt_alone(), None),
            (f"dbt alone at {BEFORE}", make.dbt_alone_before(), None),
            ("tap-pluvo, target-batch-files, dbt", make.duckdb(WHOLE), WHOLE),
            (f"tap-pluvo, target-jsonl, dbt at {BEFORE}", make.duckdb_before(WHOLE), WHOLE),
            ("(b) dlt", make.duckdb_dlt(WHOLE), WHOLE),
        ]
        first = self.rounds(turns[:2])  # which also lets dbt parse its project
        assert first
        runs = self.rounds(turns * 2)
        dbt, dbt_before, ours, before, dlt = (runs[label].cpu for label, _, _ in turns)
        loading = (before - dbt_before) / (ours - dbt)
        goals = [
            Goal(f"the rows per CPU second of {BEFORE}, without dbt's start", loading, 3.0),
            Goal(f"the rows per CPU second of {BEFORE}, with dbt's start", before / ours, 2.0),
            Goal("the rows per CPU second of (b) dlt, with dbt's start", dlt / ours, 1.5),
        ]
        return Work("200,000 users, no latency, into DuckDB", runs, goals)

    def pipeline_latency(self) -> Work:
        """Measure what a target adds where the API takes its time."""
        settings = {"max_concurrency": MOST_IN_FLIGHT}
        turns: list[tuple[str, Program, Load | None]] = [
            ("tap-pluvo", self.programs.tap(PARALLEL, **settings), PARALLEL),
            (
                "tap-pluvo, target-postgres",
                self.pipelines.postgres(PARALLEL, **settings),
                PARALLEL,
            ),
        ]
        runs = self.rounds(turns * 3)
        alone, both = (runs[label].wall for label, _, _ in turns)
        goal = Goal("times the time of the tap alone", both / alone, 1.15, at_most=True)
        title = f"50,000 users, 100 ms latency, `max_concurrency` {MOST_IN_FLIGHT}, into PostgreSQL"
        return Work(title, runs, [goal])

    def writing(self) -> Work:
        """Measure what it costs to find out what has changed, and to write that."""
        runs, ratio = writing(WRITTEN, WRITTEN // 100)
        goal = Goal(
            "times the requests of a plain read of the users and of the changes",
            ratio,
            1.3,
            at_most=True,
        )
        return Work(f"{WRITTEN:,} users, 1% changed, into Pluvo", runs, [goal])

    def targets(self) -> Work:
        """Measure what a target adds."""
        make = self.programs
        turns: list[tuple[str, Program, Load | None]] = [("no target", make.tap(LOADED), LOADED)]
        turns += [
            (name, make.loaded(LOADED, name), LOADED)
            for name in ("target-jsonl", "target-csv", "target-postgres")
        ]
        return Work("20,000 users, no latency, into a target", self.rounds(turns * 3))

    def organizations(self) -> Work:
        """Measure several organizations on one machine."""
        turns: list[tuple[str, Program, Load | None]] = []
        for load in (ORGANIZATION, BUSY_ORGANIZATION):
            for at_once, how in ((True, "at once"), (False, "in turn")):
                label = f"{load.rows:,} rows, {load.latency * 1000:.0f} ms, {how}"
                program = self.programs.organizations(load, ORGANIZATIONS, at_once=at_once)
                turns.append((label, program, load))
        return Work(f"{ORGANIZATIONS} organizations", self.rounds(turns * 2))


WORKS = {
    "start-up": Bench.start_up,
    "processor": Bench.processor,
    "scale": Bench.scale,
    "latency-default": Bench.latency_default,
    "latency-parallel": Bench.latency_parallel,
    "into-postgres": Bench.into_postgres,
    "into-duckdb": Bench.into_duckdb,
    "pipeline-latency": Bench.pipeline_latency,
    "writing": Bench.writing,
    "targets": Bench.targets,
    "organizations": Bench.organizations,
}
# The workloads of each document.
DOCUMENTS = {
    "performance": [
        "start-up",
        "processor",
        "into-postgres",
        "into-duckdb",
        "pipeline-latency",
        "writing",
        "scale",
        "latency-default",
        "latency-parallel",
    ],
    "scale": ["targets", "organizations"],
}
