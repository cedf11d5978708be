"""More and more layers that learn, epoch by epoch."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from unitools.adaptation import freeze, unfreeze
from unitools.callbacks.status_line import print_below
from unitools.callbacks.variable_copies import build_optimizer
from unitools.core.checks import check_flag, check_integer, fail
from unitools.core.component import Component, register


@register
class GradualUnfreeze(Component, keras.callbacks.Callback):
    """Lets the last layers of a pretrained net learn first, and earlier ones from later epochs on, within one `fit`.

    Why: the gradients of a new head, which is random at first, would spoil what the layers below it know.

    At the beginning of each epoch that the schedule names, all layers are frozen but those from one layer to the
    output, and the training function is made anew; a line says what learns. The optimizer is the same throughout: its
    moments survive, and layer-wise rates stay with their layers. Compile the model while all layers that are ever to
    learn are trainable. After `fit` the layers stay as the last epoch had them.

    Args:
        schedule: From which epoch (from 0, the first entry's must be 0, in rising order) which layers learn:
            ((0, "head"), (1, "conv5_*"), (3, None)), or a dict of the same. The second value is `since` of
            `ut.adaptation.unfreeze`: a name, a path, a pattern, a number of layers, None for all.
        batch_norm: Whether batch norms learn, and update their statistics, too. Default False: all of the model's are
            frozen.

    Raises:
        ValueError: An argument is out of range. From `fit`, at its beginning: an entry fits no layer; the optimizer was
            not made for a layer that is to learn; it averages the weights itself (`use_ema`).

    Example:
    >>> layers = [keras.Input((4,)), keras.layers.Dense(8, name="base"), keras.layers.Dense(2, name="head")]
    >>> model = keras.Sequential(layers)
    >>> model.compile("adam", "mse")
    >>> gradual = ut.callbacks.GradualUnfreeze([(0, "head"), (2, None)])
    >>> _ = model.fit(np.ones((8, 4)), np.ones((8, 2)), epochs=3, verbose=0, callbacks=[gradual])
    GradualUnfreeze: epoch 1, learns from 'head' on, 18 of 58 parameters
    GradualUnfreeze: epoch 3, learns from 'base' on, 58 of 58 parameters

    Source:
        Howard and Ruder 2018, https://arxiv.org/abs/1801.06146, section 3.3.
    """

    def __init__(self, schedule: Mapping | Sequence, *, batch_norm: bool = False):
        super().__init__()
        self.schedule = _checked(schedule)
        self.batch_norm = check_flag("batch_norm", batch_norm)
        self._level = None

    def on_train_begin(self, logs: dict | None = None) -> None:
        """Try every level, so that a mistake is told at once."""
        self._level = None
        if not self.model.built:  # its optimizer would be made for no variables at all
            fail("model", self.model.name, "built", "Call it on an input first: a layer without weights has no place.")
        _check_no_averages(self.model.optimizer)
        build_optimizer(self.model)
        flags = [(layer, layer.trainable) for layer in self.model._flatten_layers()]
        try:
            for level in range(len(self.schedule)):
                self._set_layers(level)
                _check_known(self.model, self.schedule[level])
        finally:
            for layer, flag in flags:  # those that hold others first: their setter sets the others' flags too
                layer.trainable = flag

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        """Unfreeze what this epoch is to."""
        level = max(number for number, (first, _) in enumerate(self.schedule) if first <= epoch)
        if level != self._level:
            report = self._go_to(level)
            whole = report.frozen_parameters + report.trainable_parameters
            print_below(
                f"GradualUnfreeze: epoch {epoch + 1}, learns from {report.first_trainable!r} on, "
                f"{report.trainable_parameters:,} of {whole:,} parameters"
            )

    def get_state(self) -> dict[str, Any]:
        """Return which entry of the schedule holds."""
        return {"level": self._level}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from what `get_state` returned, with the layers frozen that were."""
        if self.model is None or state["level"] is None:
            self._level = state["level"]
        else:
            self._go_to(state["level"])

    def _go_to(self, level):
        report = self._set_layers(level)
        self.model.make_train_function(force=True)
        self._level = level
        return report

    def _set_layers(self, level):
        freeze(self.model)
        return unfreeze(self.model, self.schedule[level][1], batch_norm=self.batch_norm)


def _checked(schedule):
    """Return the schedule as pairs, or raise."""
    expected = "pairs of an epoch and the first layer that learns from it on"
    advice = 'For instance schedule=((0, "head"), (2, -4), (4, None)).'
    pairs = list(schedule.items()) if isinstance(schedule, Mapping) else schedule
    listed = isinstance(pairs, Sequence) and not isinstance(pairs, str) and len(pairs) > 0
    if not listed or not all(isinstance(pair, Sequence) and len(pair) == 2 for pair in pairs):
        fail("schedule", schedule, expected, advice)
    for epoch, since in pairs:
        check_integer("schedule", epoch, 0, advice="It is the epoch of an entry. " + advice)
        if isinstance(since, bool) or not (since is None or isinstance(since, (str, int))):
            fail("schedule", schedule, expected, f"{since!r} is no layer. " + advice)
    epochs = [epoch for epoch, _ in pairs]
    if epochs != sorted(set(epochs)) or epochs[0] != 0:
        fail("schedule", schedule, "in rising order of epochs, the first of them 0", advice)
    return tuple((int(epoch), since) for epoch, since in pairs)


def _check_known(model, entry):
    try:
        model.optimizer._check_variables_are_known(model.trainable_variables)
    except ValueError as error:
        raise ValueError(
            f"The optimizer must be made for all layers that are to learn. Received the entry {entry!r} of `schedule`, "
            "whose layers were frozen when the model was compiled. Unfreeze them and compile the model again, then fit."
        ) from error


def _check_no_averages(optimizer):
    if getattr(getattr(optimizer, "inner_optimizer", optimizer), "use_ema", False):
        raise ValueError(
            "The optimizer must not average the weights itself, since Keras then takes the averages of the first "
            "variables for those that learn. Received use_ema=True. Compile the model without it."
        )
