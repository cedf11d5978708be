"""Promises about files: what is saved is what comes back."""

import tempfile

import tensorflow as tf

from unitools.testing.checks.check import promise
from unitools.testing.fresh_process import reload_failures
from unitools.testing.kinds import is_any, is_layer
from unitools.testing.tensors import as_tensors, caller, expect, expect_equal, open_signature


@promise(is_any)
def survives_a_fresh_process(specimen):
    """Saved (a layer in a `.keras` file) and read by a fresh process, the component has its arguments and outputs."""
    (failure,) = reload_failures([specimen])
    expect(failure is None, str(failure))


@promise(is_layer)
def saved_model_equals_component(specimen):
    """A SavedModel of the component gives the same outputs."""
    module, inputs = tf.Module(), specimen.inputs()
    module.component = specimen.build()
    call = caller(module.component)
    expected = call(as_tensors(inputs))
    module.serve = tf.function(call, input_signature=[open_signature(inputs)])
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder)
        loaded = tf.saved_model.load(folder)  # its variables live as long as it is held
        served = loaded.serve(as_tensors(inputs))
    expect_equal(expected, served, "outputs of the SavedModel")
