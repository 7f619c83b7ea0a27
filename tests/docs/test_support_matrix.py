"""The generated page says what the table says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_page_is_current():
    tool = str(ROOT / "tools" / "write_support_matrix.py")
    code = f"import runpy; print(runpy.run_path({tool!r})['text']())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    page = (ROOT / "docs" / "support-matrix.md").read_text(encoding="utf-8")
    assert done.stdout.rstrip() == page.rstrip(), "run python tools/write_support_matrix.py"


def test_links_between_pages_lead_somewhere():
    import re

    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md")]:
        for target in re.findall(r"\]\(([^)#]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
