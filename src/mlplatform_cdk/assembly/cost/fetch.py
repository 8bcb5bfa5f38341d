"""Makes a table of prices from AWS's public price list, whose bulk files anybody can download.

``python -m mlplatform_cdk.assembly.cost.fetch AmazonVPC.json awskms.json … --output prices.json``
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from mlplatform_cdk.assembly.cost.offers import Found, prices_of, products_of_file
from mlplatform_cdk.assembly.cost.pricebook import PriceBook, as_document, book
from mlplatform_cdk.assembly.errors import AssemblyError

if TYPE_CHECKING:
    from collections.abc import Sequence

SOURCE = "aws-price-list"
_WHERE = "AWS's public price list, https://pricing.us-east-1.amazonaws.com/offers/v1.0/aws/: the offer files of "


def table_from(paths: Sequence[Path]) -> tuple[str, Found]:
    """The table as JSON, and what was found in the offer files at ``paths``."""
    merged = PriceBook({})
    ambiguous: list[str] = []
    for path in paths:
        found = prices_of(products_of_file(_read(path), str(path)), SOURCE)
        merged = book(found.prices).over(merged)
        ambiguous.extend(found.ambiguous)
    prices = tuple(merged.prices.values())
    named = ", ".join(sorted({price.item.partition(".")[0] for price in prices}))
    document = as_document(book(prices, {SOURCE: _WHERE + named}))
    return json.dumps(document, indent=1) + "\n", Found(prices=prices, ambiguous=tuple(ambiguous))


def _read(path: Path) -> object:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssemblyError(f"{path} does not exist; download the offer file first") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise AssemblyError(f"{path} must be a JSON offer file, got: {error}") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the table, and say what is in it."""
    parser = argparse.ArgumentParser(description="Make a table of prices from offer files of AWS's price list.")
    parser.add_argument("offers", nargs="+", type=Path, help="offer files in JSON")
    parser.add_argument("--output", required=True, type=Path, help="where the table goes")
    chosen = parser.parse_args(arguments)
    try:
        table, found = table_from(chosen.offers)
    except AssemblyError as error:
        sys.stderr.write(f"failed: {error}\n")
        return 1
    chosen.output.write_text(table, encoding="utf-8")
    sys.stdout.write(f"{len(found.prices)} prices in {chosen.output}\n")
    for name in found.ambiguous:
        sys.stdout.write(f"left out, since the list has several prices: {name}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
