"""What the assembly tells of its own making."""

from __future__ import annotations

from collections.abc import Iterator

from mlplatform_cdk.assembly.check.loose import mappings
from mlplatform_cdk.assembly.check.templates import Template
from mlplatform_cdk.assembly.check.traps.words import TOOL, Rule, trap
from mlplatform_cdk.assembly.documents import load
from mlplatform_cdk.assembly.findings import Finding, Severity


def lookup(template: Template) -> Iterator[Finding]:
    """1: values that the app wanted to ask AWS for, and that the assembly holds stand-ins of."""
    manifest = template.path.parent / "manifest.json"
    document = load(manifest, "cloud assembly") if manifest.is_file() else {}
    for missing in mappings(document.get("missing")):
        place = missing.get("props")
        if not isinstance(place, dict) or place.get("region") not in (None, template.region):
            continue
        yield template.finding(
            trap(1, "lookup"),
            Severity.ERROR,
            f"the app asks AWS for {missing.get('provider')} while it is synthesized ({missing.get('key')})",
            reason="the template holds a stand-in, and differs with who synthesizes it, where and when",
            way_out="give the value as context or as a parameter, or commit cdk.context.json",
            tools=(TOOL,),
        )


RULES: tuple[Rule, ...] = (lookup,)
