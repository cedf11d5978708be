"""Training: `compile` with good choices, the schedule and optimizer it uses, a loop, strategies, runs that repeat."""

from unitools.training import distribution
from unitools.training.compare_runs import compare_runs
from unitools.training.compile import compile
from unitools.training.compile_report import CompileReport
from unitools.training.layerwise_adam_w import LayerwiseAdamW
from unitools.training.loop import Loop
from unitools.training.run_comparison import RunComparison
from unitools.training.seeding import deterministic
from unitools.training.warmup_decay import WarmupDecay

__all__ = [
    "CompileReport",
    "LayerwiseAdamW",
    "Loop",
    "RunComparison",
    "WarmupDecay",
    "compare_runs",
    "compile",
    "deterministic",
    "distribution",
]
