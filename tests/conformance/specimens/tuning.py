import atexit
import shutil
import tempfile
from pathlib import Path

import unitools as ut
from unitools.testing import Specimen

FOLDER = tempfile.mkdtemp()
atexit.register(shutil.rmtree, FOLDER, ignore_errors=True)

SPECIMENS = [
    Specimen(
        ut.tuning.ReportTrial,
        arguments={"objective": "mae", "direction": "max", "weights": str(Path(FOLDER) / "best.weights.h5")},
        bad={"objective": "", "direction": "up", "weights": "best.keras"},
    ),
]
