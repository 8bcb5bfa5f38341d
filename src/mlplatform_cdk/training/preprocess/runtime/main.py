"""The step: read the raw files, split the rows, describe the result."""

from mlplatform_cdk.runtimekit import job, logs, settings
from mlplatform_cdk.training.preprocess.runtime.raw import read_rows
from mlplatform_cdk.training.preprocess.runtime.splits import Shares, Splitter

_log = logs.logger("preprocess")


def main() -> None:
    """Turn the CSV files of the channel ``raw`` into the dataset of the output ``dataset``."""
    label = settings.required("LABEL_COLUMN")
    shares = Shares(
        validation=settings.number("VALIDATION_SHARE", 0.15, least=0.01, most=0.5),
        holdout=settings.number("HOLDOUT_SHARE", 0.15, least=0.01, most=0.5),
        seed=settings.optional("SPLIT_SEED", "0"),
    )
    with Splitter(job.processing_output("dataset"), label=label, shares=shares) as splitter:
        for row in read_rows(job.processing_input("raw"), label):
            splitter.add(row)
    dataset = splitter.describe(
        version=settings.required("DATASET_VERSION"),
        run_id=settings.required("RUN_ID"),
    )
    _log.info("dataset written", extra={"rows": dict(dataset.rows), "classes": list(dataset.classes)})
