"""The engine as the environment asks for it, and where that says nothing, as the manifest was tuned."""

from mlplatform_cdk.runtimekit.manifest import Manifest, Serving
from mlplatform_cdk.serving.container.engines import EngineChoice
from mlplatform_cdk.serving.container.engines.choice import AUTO
from mlplatform_cdk.serving.container.engines.cores import usable_cores
from mlplatform_cdk.serving.container.settings import Settings


def chosen_engine(settings: Settings, manifest: Manifest) -> EngineChoice:
    """What ``settings`` say; what they leave open, the tuning in ``manifest`` says."""
    tuned = manifest.serving or Serving()
    cores = usable_cores()
    several = (settings.processes or tuned.processes or 1) > 1
    # Tuning measures lanes that share all cores; those of the environment have a core each unless it says more.
    share = max(1, cores // tuned.lanes) if tuned.lanes and not settings.lanes and not several else 1
    threads = settings.threads or share
    return EngineChoice(
        precision=settings.precision or AUTO,
        engine=settings.engine or AUTO,
        threads=threads,
        lanes=settings.lanes or tuned.lanes or cores,
        # Where processes share the cores, none of them is alone.
        lone_threads=threads if several else max(cores, threads),
        max_batch_size=settings.max_batch_size or tuned.max_batch_size or 64,
        allow_cpu=settings.allow_cpu,
    )
