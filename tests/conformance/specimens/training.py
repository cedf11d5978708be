import unitools as ut
from unitools.testing import Specimen

SPECIMENS = [
    Specimen(
        ut.training.WarmupDecay,
        arguments={"learning_rate": 0.3, "steps": 20, "warmup_steps": 4, "decay": "linear", "end_fraction": 0.1},
        bad={"learning_rate": -1.0, "steps": 3, "warmup_steps": -1, "decay": "step", "end_fraction": 2.0},
    ),
    Specimen(
        ut.training.LayerwiseAdamW,
        arguments={"learning_rate": 0.1, "weight_decay": 0.2, "rate_shares": (0.5, 1.0), "decayed": (True, False)},
        bad={"weight_decay": -0.1, "rate_shares": (-1.0, 1.0)},
    ),
]
