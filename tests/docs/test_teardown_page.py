"""Does docs/teardown.md say what is?"""

import inspect
import re
from pathlib import Path

from mlplatform_cdk.cli.teardown.plan import plan
from mlplatform_cdk.resilience.teardown import Teardown, cleaner
from mlplatform_cdk.resilience.teardown.runtime import releases

PAGE = (Path(__file__).parents[2] / "docs" / "teardown.md").read_text(encoding="utf-8")


def test_every_argument_is_on_the_page() -> None:
    arguments = set(inspect.signature(Teardown.__init__).parameters) - {"self", "scope", "id"}

    assert [one for one in sorted(arguments) if f"`{one}`" not in PAGE and f"{one}=" not in PAGE] == []
    assert set(re.findall(r'Teardown\(self, "Teardown", key=key, (\w+)=', PAGE)) <= arguments


def test_the_verb_takes_what_the_page_says() -> None:
    assert set(inspect.signature(plan).parameters) == {"assembly", "usage", "as_json"}
    assert "`mlplatform teardown plan [ASSEMBLY] [--usage FILE] [--json]`" in PAGE


def test_the_times_are_those_of_the_code() -> None:
    assert f"up to {cleaner._PATIENCE_S // 60} minutes for each kind" in PAGE
    assert f"{releases._SETTLES_S} seconds for the calls" in PAGE


def test_no_page_chooses_stacks_in_a_way_that_finds_none() -> None:
    """All stacks are in stages, and ``--all`` of the cdk CLI sees none of these."""
    root = Path(__file__).parents[2]
    pages = [root / "README.md", *root.glob("docs/*.md"), *root.glob("src/mlplatform_cdk/cli/init_files/*.*")]

    assert [one.name for one in pages if re.search(r"cdk\S* (deploy|destroy)\b.*--all", one.read_text("utf-8"))] == []


def test_what_it_names_exists() -> None:
    names = re.findall(r"`((?:tests|docs)/[\w/.]+)`|\]\(((?:adr/)?[\w-]+\.md)", PAGE)
    root = Path(__file__).parents[2]

    assert [one for one, page in names if one and not (root / one).exists()] == []
    assert [page for _, page in names if page and not (root / "docs" / page).exists()] == []
