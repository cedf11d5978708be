"""What becomes a file of a portable format."""

import tempfile
from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import tensorflow as tf

from unitools.core.checks import fail
from unitools.export.call_portable import SIGNATURE


class PortableFunction(NamedTuple):
    """A function of a model's inputs, and the specs of these.

    Args:
        model: The model, which holds the variables.
        function: `tf.function` of the inputs in flattened order, to {output name: tensor}.
        specs: One `tf.TensorSpec` an input.
    """

    model: keras.Model
    function: tf.types.experimental.GenericFunction
    specs: list[tf.TensorSpec]

    def check_numeric(self, kind: str) -> None:
        """Raise where an input is of strings.

        Args:
            kind: Name of the format, for the message.
        """
        strings = [spec.name for spec in self.specs if spec.dtype == tf.string]
        if strings:
            advice = "Export the part after the tokenizer, or use `saved_model`."
            fail("model", strings, f"one that takes numbers, as {kind} has no operations on strings", advice)

    def with_saved_model(self, convert: Callable[[str], Any]) -> Any:
        """Return what `convert` makes of a SavedModel of the function.

        Args:
            convert: Function of the SavedModel's folder, which is gone afterwards.
        """
        archive = keras.export.ExportArchive()
        archive.track(self.model)
        archive.add_endpoint(SIGNATURE, self.function)
        with tempfile.TemporaryDirectory() as folder:
            archive.write_out(folder, verbose=False)
            return convert(folder)
