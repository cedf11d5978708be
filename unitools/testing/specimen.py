"""What the conformance checks need to know about one component."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import keras


@dataclass(frozen=True)
class Specimen:
    """Says how to build a component and what to feed it, so that every check can be run on it.

    Args:
        cls: The component class: a Layer, Model, Loss, Metric or Callback.
        arguments: A value for every argument of the constructor, each different from its default. `name`, `dtype` and
            `trainable` belong to Keras and are left out. A layer that is not built yet is copied for each component.
        inputs: Function without arguments that returns the numpy input, with the batch axis first: an array, a tuple or
            a dict of arrays. `(y_true, y_pred)` for a Loss or Metric. None for a Callback.
        output_shape: Shape of the output for these inputs, or a tuple or dict of shapes. None leaves it unchecked.
        bad: An invalid value for each checked argument. The constructor must refuse it with a text that holds the
            argument's name and the value.
        exceptions: Why a check does not hold, by the check's name. The check must then fail: an exception that is no
            longer needed is an error.
        identity: Arguments that switch an augmenter off, for the check that it then changes nothing.
        training: Function without arguments that returns `(model, x, y)`, a compiled model and its data, always the
            same, for a Callback that needs more than a regression with the metric `mae`.

    Example:
    >>> import keras, numpy
    >>> from unitools.testing import Specimen
    >>> specimen = Specimen(
    ...     keras.layers.Dropout, arguments={"rate": 0.3, "seed": 7}, inputs=lambda: numpy.ones((4, 8), "float32"),
    ...     output_shape=(4, 8), bad={"rate": 2.0})
    >>> specimen.label
    'Dropout'
    """

    cls: type
    arguments: dict[str, Any] = field(default_factory=dict)
    inputs: Callable[[], Any] | None = None
    output_shape: Any = None
    bad: dict[str, Any] = field(default_factory=dict)
    exceptions: dict[str, str] = field(default_factory=dict)
    identity: dict[str, Any] | None = None
    training: Callable[[], tuple] | None = None

    @property
    def label(self) -> str:
        """Name of the class, for reports."""
        return self.cls.__name__

    def build(self, **changes: Any) -> Any:
        """Return a new component with these arguments, `changes` put over them."""
        return self.cls(**{name: _unshared(value) for name, value in self.arguments.items()} | changes)


def _unshared(value):
    """Return a copy of a layer that has no weights yet: what one check builds must be new to the next."""
    is_new = isinstance(value, keras.layers.Layer) and not isinstance(value, keras.Model) and not value.built
    return type(value).from_config(value.get_config()) if is_new else value
