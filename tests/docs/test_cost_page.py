"""Does the page on costs say what is?"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mlplatform_cdk.assembly import read
from mlplatform_cdk.assembly.cost import Usage, estimate, packaged, read_usage
from mlplatform_cdk.assembly.cost.money import total
from mlplatform_cdk.assembly.cost.usage import DEFAULTS, DISCOUNTS

PAGE = Path(__file__).parents[2] / "docs" / "cost.md"


def fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def generated() -> dict[str, str]:
    """The parts of the page that are the code's own words."""
    book = packaged()
    regions = ", ".join(sorted({region for _, region in book.prices if region != "*"}))
    months = sorted({price.date for price in book.prices.values() if price.date != "undated"})
    uses = "".join(f"| `{name}` | {default} | {what} |\n" for name, (default, what) in DEFAULTS.items())
    discounts = "".join(f"| `{name}` | {what} |\n" for name, what in DISCOUNTS.items())
    return {
        "usage": f"\n| in `month` | default | of what |\n|---|---|---|\n{uses}",
        "discounts": f"\n| in `discounts` | taken off |\n|---|---|\n{discounts}",
        "prices": f"{len(book.prices)} prices for {regions}, of {months[0]} to {months[-1]}",
    }


@pytest.mark.parametrize("name", ["usage", "discounts", "prices"])
def test_the_tables_of_the_page_are_those_of_the_code(name: str) -> None:
    text = PAGE.read_text()
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        text = re.sub(f"{begin}.*?{end}", lambda _: begin + generated()[name] + end, text, flags=re.DOTALL)
        PAGE.write_text(text)

    assert text.split(begin)[1].split(end)[0] == generated()[name]


def test_what_a_region_of_the_example_commits_to_is_what_the_page_says(tmp_path: Path) -> None:
    """The figures of the page, by stack; the health checks of a region stand in the stack of the names."""
    example = PAGE.parents[1] / "examples" / "multi_region.py"
    subprocess.run([sys.executable, str(example)], env={**os.environ, "CDK_OUTDIR": str(tmp_path)}, check=True)
    region = "eu-west-1"

    found = estimate(read(tmp_path), packaged(), Usage())

    front = found.by("stack")[f"Churn-{region}"].committed
    of_names = [line for line in found.lines if line.place.path.startswith(f"Churn-Names/Names/{region}/")]
    names = total(line.on_demand for line in of_names)
    assert front.complete
    assert names.complete
    said = f"{region} commits to ${front.known:.2f} a month in its stack and to ${names.known:.2f} in that of the names"
    text = PAGE.read_text()
    begin, end = "<!-- region:begin -->", "<!-- region:end -->"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        text = re.sub(f"{begin}.*?{end}", lambda _: begin + said + end, text, flags=re.DOTALL)
        PAGE.write_text(text)
    assert text.split(begin)[1].split(end)[0] == said


def test_the_usage_file_of_the_page_is_read(tmp_path: Path) -> None:
    (example,) = fences("yaml")
    (tmp_path / "usage.yaml").write_text(example)

    usage = read_usage(tmp_path / "usage.yaml")

    assert usage.of("bucket_gb", "MlPlatform-Dev/Data/Lake") == 4000
    assert usage.of("bucket_gb", "MlPlatform-Dev/Foundation/Artifacts") == 50


def test_the_program_of_the_page_runs(dev_assembly: Path, tmp_path: Path) -> None:
    (program,) = fences("python")
    (tmp_path / "cdk.out").symlink_to(dev_assembly)

    said = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)

    assert float(said.stdout.split()[0]) > 100
