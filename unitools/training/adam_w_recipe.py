"""The optimizer that `compile` makes."""

from dataclasses import dataclass, fields

import keras

from unitools.core.checks import check_integer, check_number, fail
from unitools.training.layerwise_adam_w import LayerwiseAdamW
from unitools.training.parameters import decayed_variables, rate_shares
from unitools.training.warmup_decay import WarmupDecay

_WARMUP_STEPS = 100


@dataclass(frozen=True)
class AdamWRecipe:
    """Options for AdamW as `unitools.training.compile` takes them, checked when the optimizer is made.

    Args:
        learning_rate: Peak rate, > 0.
        steps: Optimizer steps of the run, or None.
        warmup: Steps of warm-up (an integer), a share of `steps` (a float), or None for the default.
        decay: "cosine", "linear" or None. Needs `steps`, and has no effect without.
        weight_decay: Weight decay, >= 0.
        layer_decay: Share of the rate from one level to the one before it, in (0, 1], or None.
        clip_norm: Largest norm of all gradients together, > 0, or None.

    Example:
    >>> import keras
    >>> from unitools.training.adam_w_recipe import AdamWRecipe
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    >>> optimizer, choices = AdamWRecipe(steps=20).optimizer(model)
    >>> choices["weight_decay"]
    '0.01 on 1 variables, none on 1 (norms, biases)'
    """

    learning_rate: float = 1e-4
    steps: int | None = None
    warmup: float | int | None = None
    decay: str | None = "cosine"
    weight_decay: float = 0.01
    layer_decay: float | None = None
    clip_norm: float | None = 1.0

    def optimizer(self, model: keras.Model) -> tuple[keras.optimizers.Optimizer, dict[str, str]]:
        """Return the optimizer for this model, and texts that say what it does."""
        rate = self._rate()
        if self.clip_norm is not None:
            check_number("clip_norm", self.clip_norm, 0, open_low=True, advice="Use clip_norm=None to turn it off.")
        decayed = decayed_variables(model) if model.built else None
        shares = None if self.layer_decay is None else rate_shares(model, self.layer_decay)
        made = LayerwiseAdamW(
            rate, weight_decay=self.weight_decay, decayed=decayed, rate_shares=shares, global_clipnorm=self.clip_norm
        )
        return made, {
            "optimizer": "AdamW, "
            + ("no clipping" if self.clip_norm is None else f"clipped to norm {self.clip_norm:g}"),
            "learning_rate": _describe_rate(rate),
            "layer_rates": _describe_shares(shares),
            "weight_decay": _describe_decay(self.weight_decay, decayed),
        }

    def step_aside(self, optimizer: keras.optimizers.Optimizer) -> tuple[keras.optimizers.Optimizer, dict[str, str]]:
        """Return the user's own optimizer and texts about it, or raise if options would have no effect on it."""
        if not isinstance(optimizer, keras.optimizers.Optimizer):
            fail("optimizer", optimizer, "a Keras optimizer or None", "For instance keras.optimizers.SGD(0.1).")
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name != "steps" and value != field.default:
                fail(field.name, value, "left out with an `optimizer` of your own", "Set it on the optimizer.")
        return optimizer, {
            "optimizer": f"{type(optimizer).__name__}, as given",
            "learning_rate": "the optimizer's",
            "layer_rates": "the optimizer's",
            "weight_decay": "the optimizer's",
        }

    def _rate(self):
        """Return the schedule, or a number where the rate is constant."""
        check_number("learning_rate", self.learning_rate, 0, open_low=True)
        if self.steps is not None:
            check_integer("steps", self.steps, 1, advice="Give epochs times batches an epoch.")
        warmup_steps = self._warmup_steps()
        # Checks `decay`, also where it has no effect.
        decaying = WarmupDecay(
            self.learning_rate, steps=self.steps or warmup_steps + 1, warmup_steps=warmup_steps, decay=self.decay
        )
        if self.steps is not None and self.decay is not None:
            return decaying
        return (
            WarmupDecay(self.learning_rate, warmup_steps=warmup_steps, decay=None)
            if warmup_steps
            else float(self.learning_rate)
        )

    def _warmup_steps(self):
        if self.warmup is None:
            return _WARMUP_STEPS if self.steps is None else self.steps // 10
        if not isinstance(self.warmup, float):
            return check_integer("warmup", self.warmup, 0, advice="Give steps as an integer, or a share as a float.")
        share = check_number("warmup", self.warmup, 0, 1, open_high=True)
        if self.steps is None:
            fail("warmup", self.warmup, "an integer where `steps` is None", "A share needs the number of steps.")
        return round(share * self.steps)


def _describe_rate(rate):
    if not isinstance(rate, WarmupDecay):
        return f"{rate:g}, constant"
    rise = (
        f"up to {rate.learning_rate:g} over {rate.warmup_steps} steps"
        if rate.warmup_steps
        else f"{rate.learning_rate:g}"
    )
    return f"{rise}, then " + (f"{rate.decay} to 0 at step {rate.steps}" if rate.decay else "constant")


def _describe_shares(shares):
    if shares is None:
        return "one rate for all"
    return f"{min(shares, default=1):.3g} to {max(shares, default=1):.3g} over {len(set(shares))} levels"


def _describe_decay(weight_decay, decayed):
    if not weight_decay:
        return "none"
    if decayed is None:
        return f"{weight_decay:g} on variables with two axes or more"
    return f"{weight_decay:g} on {sum(decayed)} variables, none on {len(decayed) - sum(decayed)} (norms, biases)"
