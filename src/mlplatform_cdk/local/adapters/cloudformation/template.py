"""Reads a template's text: JSON at once, YAML (with its short functions) as moto does."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import yaml
from moto.cloudformation.exceptions import ValidationError
from moto.cloudformation.utils import yaml_tag_constructor


def parse(text: str) -> dict[str, Any]:
    """The template in ``text``; a fresh copy each time, since callers may change it."""
    template = _parsed(text)
    if not isinstance(template, dict) or not template.get("Resources"):
        raise ValidationError(message="Template format error: At least one Resources member must be defined.")
    return json.loads(json.dumps(template, default=str))


@lru_cache(maxsize=32)
def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        pass
    loader = type("TemplateLoader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})
    yaml.add_multi_constructor("", yaml_tag_constructor, Loader=loader)
    try:
        return yaml.load(text, Loader=loader)  # noqa: S506 -- a safe loader's subclass
    except yaml.YAMLError as error:
        raise ValidationError(message=f"Template format error: YAML not well-formed. {error}") from None
