"""The public entry: run every check on one component."""

from collections.abc import Callable, Iterable
from typing import Any

from unitools.testing.arguments import argument_defaults
from unitools.testing.checks import Check, all_checks, applicable_checks
from unitools.testing.conformance_error import ConformanceError
from unitools.testing.kinds import is_executable
from unitools.testing.specimen import Specimen


def check_component(
    component: Any,
    arguments: dict[str, Any] | None = None,
    *,
    inputs: Callable[[], Any] | None = None,
    output_shape: Any = None,
    bad: dict[str, Any] | None = None,
    exceptions: dict[str, str] | None = None,
    identity: dict[str, Any] | None = None,
    training: Callable[[], tuple] | None = None,
    checks: Iterable[str] | None = None,
) -> list[str]:
    """Test that a component keeps the promises that every unitools component makes.

    Run it on your own subclass of a unitools class, or of `Component` and a Keras class: it runs the same checks as the
    library's own tests. `unitools.testing.all_checks()` lists them. One check starts a process (about 6 s).

    Args:
        component: A class, an object of it (which gives class and arguments), or a `Specimen` (which gives all).
        arguments: A value for every argument of the constructor, each different from its default.
        inputs: Function without arguments that returns numpy inputs, with a batch axis first and two examples or more.
            `(y_true, y_pred)` for a Loss or Metric; not needed for a Callback.
        output_shape: Shape of the output for these inputs, or a tuple or dict of shapes. None leaves it unchecked.
        bad: An invalid value for each checked argument.
        exceptions: Why a check does not hold, by the check's name. A check that is excepted must fail.
        identity: Arguments that switch an augmenter off.
        training: Function without arguments that returns `(model, x, y)`, a compiled model and its data, always the
            same, for a Callback that needs more than a regression with the metric `mae`.
        checks: Names of the checks to run. None runs all that apply.

    Returns:
        The names of the checks that were run.

    Raises:
        ConformanceError: A promise is broken. The text lists every failed check with its reason.
        ValueError: An unknown check is named, or `inputs` is missing.

    Example:
    >>> import keras, numpy as np
    >>> from unitools.core import Component
    >>> from unitools.testing import check_component
    >>> class Scale(Component, keras.layers.Layer):
    ...     def __init__(self, factor=1.0, **kwargs):
    ...         super().__init__(**kwargs)
    ...         self.factor = factor
    ...     def call(self, inputs):
    ...         return inputs * self.factor
    >>> check_component(Scale, {"factor": 2.5}, inputs=lambda: np.ones((2, 3), "float32"),
    ...                 checks=["config_holds_arguments", "xla_equals_eager"])
    ['config_holds_arguments', 'xla_equals_eager']
    """
    options = {"inputs": inputs, "output_shape": output_shape, "identity": identity, "training": training}
    specimen = _as_specimen(component, arguments, bad=bad or {}, exceptions=exceptions or {}, **options)
    if is_executable(specimen) and specimen.inputs is None:
        raise ValueError(
            f"`inputs` must be a function that returns numpy inputs for {specimen.label}. Received inputs=None. "
            "Write for instance inputs=lambda: np.ones((2, 8), 'float32')."
        )
    chosen = choose_checks(specimen, checks)
    failures = {check.name: reason for check in chosen if (reason := verdict(check, specimen))}
    if failures:
        raise ConformanceError(specimen.label, failures, len(chosen))
    return [check.name for check in chosen]


def _as_specimen(component, arguments, **options):
    if isinstance(component, Specimen):
        return component
    if isinstance(component, type):
        return Specimen(component, arguments or {}, **options)
    cls = type(component)
    held = {name: getattr(component, name) for name in argument_defaults(cls) if hasattr(component, name)}
    return Specimen(cls, held | (arguments or {}), **options)


def choose_checks(specimen: Specimen, names: Iterable[str] | None = None) -> list[Check]:
    """Return the checks to run on a specimen, all that apply or those named; raise ValueError for an unknown name."""
    known = all_checks()
    for name in [*(names or ()), *specimen.exceptions]:
        if name not in known:
            raise ValueError(f"There is no check {name!r}. The checks are {', '.join(known)}.")
    applicable = applicable_checks(specimen)
    for name in specimen.exceptions:
        if name not in {check.name for check in applicable}:
            raise ValueError(f"The exception {name!r} of {specimen.label} is for no check that applies. Remove it.")
    wanted = None if names is None else set(names)
    return [check for check in applicable if wanted is None or check.name in wanted]


def verdict(check: Check, specimen: Specimen) -> str | None:
    """Return why a check fails, or None. A check that is excepted fails if it passes."""
    failure = check.failure(specimen)
    if check.name not in specimen.exceptions:
        return failure
    reason = specimen.exceptions[check.name]
    return None if failure else f"it holds, although it is excepted ({reason}). Remove the exception."
