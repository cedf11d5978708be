"""Keras' `compile` with good choices."""

from collections.abc import Sequence
from typing import Any

import keras

from unitools.core.checks import check_number, fail
from unitools.training.adam_w_recipe import AdamWRecipe
from unitools.training.compile_report import CompileReport
from unitools.training.distribution import check_supported
from unitools.training.jit import choose_jit
from unitools.training.output import default_loss, default_metrics, describe_loss
from unitools.training.precision import apply_precision, wrap_optimizer
from unitools.training.seeding import apply_seed, describe_seed


def compile(
    model: keras.Model,
    *,
    learning_rate: float = 1e-4,
    steps: int | None = None,
    warmup: float | int | None = None,
    decay: str | None = "cosine",
    weight_decay: float = 0.01,
    layer_decay: float | None = None,
    clip_norm: float | None = 1.0,
    label_smoothing: float = 0.0,
    loss: Any = None,
    metrics: Sequence | str | None = "auto",
    optimizer: keras.optimizers.Optimizer | None = None,
    mixed_precision: str | None = None,
    jit_compile: bool | str = "auto",
    seed: int | None = None,
    deterministic: bool = False,
    verbose: bool = True,
) -> CompileReport:
    """Compile a model for training with AdamW, and say what was chosen.

    It ends in `model.compile(...)`, so `fit`, `evaluate`, saving and callbacks are Keras' own. Call it again after
    freezing or unfreezing layers.

    Args:
        model: The model. Its weights must exist for `layer_decay` and `mixed_precision`.
        learning_rate: Peak rate, > 0. Default 1e-4, for a pretrained net; about 1e-3 suits a net that starts from
            random weights.
        steps: Optimizer steps of the whole run: epochs times batches an epoch. Default None: unknown, so the rate stays
            constant after the warm-up and `decay` has no effect.
        warmup: Steps of linear warm-up as an integer, or as a share of `steps` in [0, 1). Default None: a tenth of
            `steps`, or 100 steps where `steps` is None. With `warmup=0` and a constant rate the optimizer holds a plain
            number, which callbacks such as ReduceLROnPlateau need.
        decay: "cosine" (default), "linear" or None, see `WarmupDecay`.
        weight_decay: AdamW's weight decay, >= 0. Default 0.01. Spares norms and variables with one axis or none
            (biases, scales).
        layer_decay: Share of the rate from one level to the level before it, in (0, 1]. The head steps at the full
            rate, a layer k levels before it at layer_decay ** k. A level is a block, a layer with a kernel on sequences
            or vectors, or, among feature maps, all layers of one size. Default None: one rate.
        clip_norm: Largest norm of all gradients together, > 0. Default 1. None: no clipping. Under tf.distribute Keras
            clips before it adds up the replicas' gradients.
        label_smoothing: Share of each label spread over all classes, in [0, 1). Default 0. For the chosen loss only.
        loss: Any Keras loss. Default None: chosen from the model's last activation. Softmax: `CrossEntropy` on
            probabilities. Two or more linear outputs: `CrossEntropy` on logits. Sigmoid: `BinaryCrossentropy`.
        metrics: Metrics for `compile`. Default "auto": accuracy, if the loss was chosen. None: none.
        optimizer: An optimizer of your own, in place of AdamW, its schedule, decay and clipping. Default None.
        mixed_precision: "mixed_float16", "mixed_bfloat16", or "auto": by device, and none on a CPU. Sets the policy of
            the layers in place. Those before the first weights (preprocessing) and the last layer stay in float32. One
            in between that you pinned to float32 cannot be told from the rest: to keep it, make the model under
            `keras.config.set_dtype_policy` instead. Default None: as the model was made.
        jit_compile: True, False or "auto" (default): XLA if every input has fixed sizes (but for the batch), every
            layer supports it, neither tf.distribute nor determinism is on, and there is a GPU or TPU. On a CPU only for
            a net without convolutions that runs for 1,000 `steps` or more. XLA compiles once a shape: drop the last
            partial batch.
        seed: Seed of Python, NumPy, TensorFlow, Keras and of the model's random layers, from 0 to 2**31 - 1. A run from
            the same weights then repeats. Weights that exist were drawn before: call `keras.utils.set_random_seed`
            before you make the model if they too shall repeat. Default None: random.
        deterministic: Also use deterministic operations only: slower, needed for bit-identical runs on a GPU, switches
            XLA off, and lasts for the whole process. Default False.
        verbose: Whether to print the choices. Default True.

    Returns:
        The choices, as a `CompileReport`.

    Raises:
        ValueError: An argument is out of range, the loss cannot be told from the model, options for AdamW or for the
            chosen loss come with an optimizer or loss of your own, or the model's strategy is not supported.

    Example:
    >>> import keras
    >>> import unitools as ut
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), ut.heads.Classifier(3)])
    >>> report = ut.training.compile(model, learning_rate=1e-3, steps=50, layer_decay=0.5, verbose=False)
    >>> print(report.loss, "|", report.layer_rates)
    CrossEntropy on probabilities | 0.5 to 1 over 2 levels
    """
    check_supported(model.distribute_strategy)
    recipe = AdamWRecipe(learning_rate, steps, warmup, decay, weight_decay, layer_decay, clip_norm)
    loss, metrics = _loss_and_metrics(model, loss, metrics, label_smoothing)
    optimizer, choices = recipe.optimizer(model) if optimizer is None else recipe.step_aside(optimizer)
    policy, policy_reason = apply_precision(model, mixed_precision)
    apply_seed(model, seed, deterministic)
    jit, jit_reason = choose_jit(model, jit_compile, steps)
    model.compile(wrap_optimizer(optimizer, policy), loss, metrics=metrics, jit_compile=jit, auto_scale_loss=False)
    report = CompileReport(
        **choices,
        loss=describe_loss(loss),
        metrics=", ".join(getattr(metric, "name", str(metric)) for metric in metrics or ()) or "none",
        precision=f"{policy} ({policy_reason})",
        jit_compile=f"{model.jit_compile} ({jit_reason})",
        seed=describe_seed(seed, deterministic),
    )
    if verbose:
        print(report)
    return report


def _loss_and_metrics(model, loss, metrics, label_smoothing):
    smoothing = check_number("label_smoothing", label_smoothing, 0, 1, open_high=True)
    if loss is not None and smoothing:
        fail(
            "label_smoothing", label_smoothing, "0 with a loss of your own", "Give label_smoothing to the loss itself."
        )
    if isinstance(metrics, str) and metrics == "auto":
        metrics = default_metrics(model) if loss is None else None
    return (default_loss(model, smoothing) if loss is None else loss), metrics
