"""``mlplatform demo``: the whole path on the embedded AWS, from an object in the lake to a served prediction."""

from mlplatform_cdk.cli.demo.verb import demo

__all__ = ["demo"]
