"""Measure the tap: `make bench` and `make bench-scale`, or `python benchmarks/run.py WORK...`.

All programs run on this machine, against one server, on the same data. The results are printed and
kept as JSON in benchmarks/output/. `performance` and `scale` mean the workloads of the document of
that name in docs/, whose figures are then updated. The exit code is 1 if a goal was missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import report
from bench_server import BenchServer
from programs import Programs, install_baselines, versions
from workloads import DOCUMENTS, LOADS, WHOLE, WORKS, Bench

HERE = Path(__file__).parent
DOCS = HERE.parent / "docs"
RESULTS = HERE / "output" / "results.json"


def main() -> int:
    """Run the workloads named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    names = [*DOCUMENTS, *WORKS]
    parser.add_argument("works", nargs="+", metavar="WORK", help=f"one of {', '.join(names)}")
    asked = parser.parse_args().works
    if unknown := set(asked) - set(names):
        parser.error(f"there is no work {', '.join(sorted(unknown))}")
    chosen = [work for name in asked for work in DOCUMENTS.get(name, [name])]
    started = time.monotonic()
    facts = report.machine()
    install_baselines()
    print("Preparing the data", flush=True)
    with TemporaryDirectory() as folder, BenchServer(LOADS) as server:
        bench = Bench(server, Programs(server, Path(folder)))
        ceiling = server.ceiling(WHOLE)
        works = []
        for name in chosen:
            print(f"{name}:", flush=True)
            works.append(WORKS[name](bench))
    text = report.page(works, ceiling, facts, versions())
    print(f"\n{text}\n\n{(time.monotonic() - started) / 60:.1f} minutes")
    RESULTS.parent.mkdir(exist_ok=True)
    found = {
        "machine": facts,
        "versions": versions(),
        "ceiling": ceiling,
        "works": [asdict(work) for work in works],
    }
    RESULTS.write_text(json.dumps(found, indent=2), "utf-8")
    if len(asked) == 1 and asked[0] in DOCUMENTS:
        report.write(DOCS / f"{asked[0]}.md", text, report.FIGURES)
    return 0 if all(goal.reached for work in works for goal in work.goals) else 1


if __name__ == "__main__":
    sys.exit(main())
