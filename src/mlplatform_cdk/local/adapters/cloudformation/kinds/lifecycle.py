"""Rules of buckets in the API's words: CloudFormation has its own for many of them."""

from __future__ import annotations

from typing import Any

_NONCURRENT = {"TransitionInDays": "NoncurrentDays"}


def rule(given: dict[str, Any]) -> dict[str, Any]:
    """A lifecycle rule."""
    known: dict[str, Any] = {"Status": given["Status"], "Filter": _filter(given)}
    if "Id" in given:
        known["ID"] = given["Id"]
    expiration = {
        name: given[source]
        for source, name in (
            ("ExpirationInDays", "Days"),
            ("ExpirationDate", "Date"),
            ("ExpiredObjectDeleteMarker", "ExpiredObjectDeleteMarker"),
        )
        if source in given
    }
    if expiration:
        known["Expiration"] = expiration
    if "NoncurrentVersionExpirationInDays" in given:
        known["NoncurrentVersionExpiration"] = {"NoncurrentDays": given["NoncurrentVersionExpirationInDays"]}
    for name in ("NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"):
        if name in given:
            known[name] = given[name]
    if "Transitions" in given:
        known["Transitions"] = [
            _renamed(t, {"TransitionInDays": "Days", "TransitionDate": "Date"}) for t in given["Transitions"]
        ]
    if "NoncurrentVersionTransitions" in given:
        known["NoncurrentVersionTransitions"] = [
            _renamed(t, _NONCURRENT) for t in given["NoncurrentVersionTransitions"]
        ]
    return known


def cors(given: dict[str, Any]) -> dict[str, Any]:
    """A CORS rule."""
    return _renamed(given, {"Id": "ID", "MaxAge": "MaxAgeSeconds", "ExposedHeaders": "ExposeHeaders"})


def _filter(given: dict[str, Any]) -> dict[str, Any]:
    parts: dict[str, Any] = {
        name: given[name] for name in ("Prefix", "ObjectSizeGreaterThan", "ObjectSizeLessThan") if name in given
    }
    tags = given.get("TagFilters", [])
    if len(parts) + len(tags) > 1:
        return {"And": parts | ({"Tags": tags} if tags else {})}
    if tags:
        return {"Tag": tags[0]}
    return parts or {"Prefix": ""}


def _renamed(values: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    return {names.get(key, key): value for key, value in values.items()}
