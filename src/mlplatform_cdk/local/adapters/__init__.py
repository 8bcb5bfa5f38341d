"""What moto lacks, one small module each: every adapter patches moto through its extension points and says what for.

An adapter is a module with ``install() -> None``, which may be called twice; the order here is the order of installation.
"""

from __future__ import annotations

from importlib import import_module

ADAPTERS: tuple[str, ...] = (
    "mlplatform_cdk.local.adapters.configuration",
)


def install_all() -> None:
    """Install every adapter in this process, which is then the embedded AWS."""
    for name in ADAPTERS:
        import_module(name).install()
