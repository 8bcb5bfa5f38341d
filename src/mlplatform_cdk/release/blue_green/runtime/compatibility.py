"""Would what callers send and read today still work with another version? Pure, from the two manifests."""

from mlplatform_cdk.runtimekit.manifest import Manifest, Tensor


def breaking_changes(blue: Manifest, green: Manifest) -> list[str]:
    """Why callers of ``blue`` could not go on unchanged with ``green``, a clause each; empty: they can.

    :param blue: what callers know.
    :param green: what would answer them.
    """
    before, after = {one.name: one for one in blue.inputs}, {one.name: one for one in green.inputs}
    problems = [f"the input {name} is new, and callers do not send it" for name in after if name not in before]
    problems += [f"the input {name} is gone, and callers send it" for name in before if name not in after]
    for name in before.keys() & after.keys():
        problems += _changes("input", before[name], after[name])
    problems += [
        f"it can no longer be asked in {kind}" for kind in blue.content_types if kind not in green.content_types
    ]
    return sorted(problems) + _answers(blue, green)


def _answers(blue: Manifest, green: Manifest) -> list[str]:
    before, after = {one.name: one for one in blue.outputs}, {one.name: one for one in green.outputs}
    problems = [f"the output {name} is gone, and callers may read it" for name in before if name not in after]
    for name in before.keys() & after.keys():
        problems += _changes("output", before[name], after[name])
    if green.labels[: len(blue.labels)] != blue.labels:
        problems.append(
            f"the labels were {', '.join(blue.labels)} and are {', '.join(green.labels) or 'none'}, so that an index "
            "means another class"
        )
    return sorted(problems)


def _changes(what: str, before: Tensor, after: Tensor) -> list[str]:
    """What is another thing about one tensor; a caller's rows must fit, in the same order and the same units."""
    name, problems = f"the {what} {before.name}", []
    if after.dtype != before.dtype:
        problems.append(f"{name} was {before.dtype} and is {after.dtype}")
    if not _fits(what, before.shape, after.shape):
        problems.append(f"{name} had the shape {_text(before.shape)} and has {_text(after.shape)}")
    elif before.columns and after.columns and before.columns != after.columns:
        problems.append(f"{name} had the columns {', '.join(before.columns)} and has {', '.join(after.columns)}")
    if before.units and after.units and before.units != after.units:
        problems.append(f"{name} was in {before.units} and is in {after.units}")
    if before.image is not None and after.image is None:
        problems.append(f"{name} was asked in images and no longer is")
    return problems


def _fits(what: str, before: tuple[int | str, ...], after: tuple[int | str, ...]) -> bool:
    """An input may become free where it was fixed, an output fixed where it was free."""
    given, wanted = (before, after) if what == "input" else (after, before)
    return len(before) == len(after) and all(
        isinstance(want, str) or give == want for give, want in zip(given, wanted, strict=True)
    )


def _text(shape: tuple[int | str, ...]) -> str:
    return f"[{', '.join(map(str, shape))}]"
