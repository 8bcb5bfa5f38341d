"""One report, four forms: a terminal's screen, Markdown for a comment, JSON with a schema, and SARIF."""

from mlplatform_cdk.assembly.renderings.jsonform import render_json
from mlplatform_cdk.assembly.renderings.markdown import render_markdown
from mlplatform_cdk.assembly.renderings.sarif import render_sarif

__all__ = ["render_json", "render_markdown", "render_sarif"]
