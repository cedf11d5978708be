"""The best sequences of tags from a CRF's output."""

from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_integer, fail
from unitools.core.component import Component, register
from unitools.core.layers.best_paths import best_paths
from unitools.core.layers.linear_chain import centred, log_partition, marginals, passed_through


@register
class CRFDecoder(Component, keras.layers.Layer):
    """Finds the best sequences of tags, and how probable they are, from what `CRF` puts out.

    Put it behind the trained model for serving: `keras.Model(model.inputs, ut.heads.CRFDecoder()(model.output))`.

    Why: the best tag at each position is not the best sequence. The search (Viterbi) is exact, and runs in the graph,
    so that an exported model gives tags.

    Args:
        num_paths: How many different sequences, best first, >= 1. Default 1. Where a sentence has fewer, the rest have
            log probabilities below -1,000.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Output of a `CRF`. The mask is worked into it.

    Input shape:
        `(batch, time, num_tags, num_tags)`.

    Output shape:
        A dict: "tags" `(batch, num_paths, time)`, integers, -1 where the mask left a position out; "log_probabilities"
        `(batch, num_paths)` of the whole sequences; "marginals" `(batch, time, num_tags)`, the probability of each tag
        at each position over all sequences.

    Raises:
        ValueError: `num_paths` is out of range, or the input is no CRF's output.

    Example:
    >>> import numpy
    >>> import unitools as ut
    >>> potentials = ut.heads.CRF(3)(numpy.ones((1, 4, 8), "float32"))
    >>> decoded = ut.heads.CRFDecoder(num_paths=2)(potentials)
    >>> {name: tuple(value.shape) for name, value in decoded.items()}
    {'tags': (1, 2, 4), 'log_probabilities': (1, 2), 'marginals': (1, 4, 3)}

    Source:
        Viterbi 1967; several best sequences by keeping the best `num_paths` at every tag.
    """

    def __init__(self, *, num_paths: int = 1, **kwargs: Any):
        super().__init__(autocast=False, **kwargs)  # float16 would blur the scores
        self.num_paths = check_integer("num_paths", num_paths, 1)
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        """Check the shape."""
        if len(input_shape) != 4 or input_shape[-1] is None or input_shape[-1] != input_shape[-2]:
            fail("inputs", tuple(input_shape), "(batch, time, num_tags, num_tags)", "Give the output of ut.heads.CRF.")

    def call(self, inputs: Any) -> dict[str, Any]:
        """Return tags, log probabilities and marginals."""
        potentials = tf.cast(inputs, tf.float32)
        skipped = passed_through(potentials)
        potentials = centred(potentials)
        tags, scores = best_paths(potentials, self.num_paths)
        return {
            "tags": tf.where(skipped[:, None], -1, tags),
            "log_probabilities": scores - log_partition(potentials)[:, None],
            "marginals": marginals(potentials),
        }

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> dict[str, None]:
        """Return no mask: the outputs stand for themselves."""
        return dict.fromkeys(("tags", "log_probabilities", "marginals"))

    def compute_output_spec(self, inputs: Any) -> dict[str, Any]:
        """Return shapes and dtypes of the outputs."""
        batch, time, num_tags, _ = inputs.shape
        return {
            "tags": keras.KerasTensor((batch, self.num_paths, time), dtype="int32"),
            "log_probabilities": keras.KerasTensor((batch, self.num_paths), dtype="float32"),
            "marginals": keras.KerasTensor((batch, time, num_tags), dtype="float32"),
        }
