"""A job's container: does what BEHAVIOUR says with SageMaker's files."""

import json
import os
import sys
import time
from pathlib import Path

base = Path(os.environ["SAGEMAKER_BASE_DIR"])
behaviour = os.environ.get("BEHAVIOUR", "copy")
sys.stdout.write(f"arguments {sys.argv[1:]} score=0.25\nscore=0.75\n")

if behaviour == "fail":
    (base / "output" / "failure").write_text("the label column is missing")
    (base / "output" / "message").write_text("the label column is missing")
    sys.exit(3)
if behaviour == "sleep":
    time.sleep(60)
if sys.argv[1:] == ["train"]:
    seen = {
        "hyperparameters": json.loads((base / "input/config/hyperparameters.json").read_text()),
        "channels": json.loads((base / "input/config/inputdataconfig.json").read_text()),
        "hosts": json.loads((base / "input/config/resourceconfig.json").read_text()),
        "files": sorted(str(p.relative_to(base)) for p in (base / "input/data").rglob("*") if p.is_file()),
        "job": os.environ["TRAINING_JOB_NAME"],
        "region": os.environ["AWS_REGION"],
        "foreign": os.environ.get("AWS_PROFILE"),
    }
    (base / "model" / "seen.json").write_text(json.dumps(seen))
else:
    for file in (base / "processing" / "input").rglob("*.csv"):
        target = base / "processing" / "output" / "dataset" / file.name
        target.write_text(file.read_text().upper())
    (base / "output" / "message").write_text("copied")
