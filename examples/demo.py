"""The four main jobs of the suite, one after another, and one HTML report with the pictures.

Usage: python examples/demo.py [--report FILE]
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from pathlib import Path

import classify_photos
import find_speech
import numpy
import semantic_search
import train_digits
from command import exit_code
from finding import Finding

import triptych

JOBS = (classify_photos, semantic_search, find_speech, train_digits)


def write_report(findings: list[Finding], target: Path) -> None:
    """One HTML file with everything inside it."""
    import jinja2

    here = Path(__file__).parent
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(here), autoescape=True)
    page = environment.get_template("report.html.j2").render(
        findings=findings,
        version=triptych.__version__,
        numbers=f"NumPy {numpy.__version__}",
        machine=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
    )
    unfinished = target.with_suffix(".part")
    unfinished.write_text(page, encoding="utf-8")
    unfinished.replace(target)


def main() -> None:
    """Run the jobs, write the report, print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--report", type=Path, default=Path("demo-report.html"), help="where to write it"
    )
    target = parser.parse_args().report
    findings = []
    for number, job in enumerate(JOBS, 1):
        print(f"[{number}/{len(JOBS)}] {job.__doc__.splitlines()[0]}", file=sys.stderr)
        findings.append(job.run())
    write_report(findings, target)
    print()
    print(Finding.table(findings))
    print(f"\nPictures: {target.resolve().as_uri()}")


if __name__ == "__main__":
    sys.exit(exit_code(main))
