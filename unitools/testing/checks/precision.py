"""Promises under mixed precision."""

import contextlib

import keras
import numpy as np

from unitools.testing.checks.check import promise
from unitools.testing.checks.execution import dtype_name_of
from unitools.testing.kinds import is_layer
from unitools.testing.tensors import as_tensors, caller, dtype_name, expect, is_floating, symbolic_inputs

_POLICY = "mixed_float16"
_FLOATS = ("float16", "float32")  # float32 for outputs that must not be rounded, such as probabilities


@contextlib.contextmanager
def _global_policy(name):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(name)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@promise(is_layer)
def mixed_precision_keeps_dtypes(specimen):
    """Under mixed_float16, weights stay float32, integers stay as they are, and outputs are finite."""
    inputs = specimen.inputs()
    plain = keras.tree.flatten(caller(specimen.build())(as_tensors(inputs)))
    with _global_policy(_POLICY):
        component = specimen.build()
        symbols = keras.tree.flatten(component(symbolic_inputs(inputs)))
        outputs = keras.tree.flatten(caller(component)(as_tensors(inputs)))
    for weight in component.weights:
        expect(weight.dtype != "float16", f"the weight `{weight.path}` is float16")
    for before, symbol, output in zip(plain, symbols, outputs, strict=True):
        allowed = _FLOATS if is_floating(before) else (dtype_name(before),)
        expect(dtype_name(output) in allowed, f"an output is {dtype_name(output)}, expected {' or '.join(allowed)}")
        symbolic = dtype_name_of(symbol)
        expect(symbolic == dtype_name(output), f"symbolic dtype {symbolic}, eager dtype {dtype_name(output)}")
        if is_floating(output):
            expect(bool(np.isfinite(np.asarray(output)).all()), "an output is infinite or NaN in float16")
