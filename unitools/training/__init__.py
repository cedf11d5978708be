"""Training: `compile` with good choices, and the schedule and optimizer it uses."""

from unitools.training.compile import compile
from unitools.training.compile_report import CompileReport
from unitools.training.layerwise_adam_w import LayerwiseAdamW
from unitools.training.warmup_decay import WarmupDecay

__all__ = ["CompileReport", "LayerwiseAdamW", "WarmupDecay", "compile"]
