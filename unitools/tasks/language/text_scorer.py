"""Raw texts to probabilities of classes, as one layer."""

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf

from unitools.core.checks import check_integer, fail
from unitools.core.component import Component, register
from unitools.tasks.language.by_length import run_by_length
from unitools.tasks.language.text_inputs import checked_text_model, model_inputs

_KINDS = {"label": "string", "num_truncated": "int32", "score": "float32"}


@register
class TextScorer(Component, keras.layers.Layer):
    """Classifies raw texts, or pairs of texts, with a model of token ids, in the graph.

    Why: the tokenizer is part of what is served. As one layer with the model it is exported, saved and loaded whole,
    and takes strings. `ut.tasks.TextClassifier` makes it.

    Texts of similar length go through the model together, whatever order they come in.

    Args:
        model: A functional model from a dict of inputs, `token_ids` and `padding_mask` among them, to probabilities
            `(batch, classes)`.
        tokenizer: A `WordPieceTokenizer` or `WordTokenizer`. What is longer than its `max_length` is cut.
        labels: Names of the classes in the order of their numbers.
        group_size: Texts that go through the model together, >= 1. Default 32.
        **kwargs: `name`, `dtype`, `trainable`.

    Call arguments:
        inputs: Texts, or a tuple of two for pairs.

    Input shape:
        `(batch,)` strings.

    Output shape:
        A dict: "probabilities" `(batch, classes)` float32; "label" `(batch,)` strings, the name of the most probable
        class, and "score" `(batch,)` float32, its probability; "num_truncated" `(batch,)` int32, the tokens that were
        cut.

    Raises:
        ValueError: The model has other inputs, or not as many outputs as there are labels, or an argument is out of
            range.

    Example:
    >>> import unitools as ut
    >>> tokenizer = ut.data.WordTokenizer(ut.data.WordVocabulary(["good", "bad"]))
    >>> base = ut.backbones.lstm(vocabulary_size=4, units=8)
    >>> model = keras.Model(base.input, ut.heads.Classifier(2)(base.sequence_output))
    >>> scores = ut.tasks.TextScorer(model, tokenizer, ("no", "yes"))(tf.constant(["good, not bad", "bad"]))
    >>> tuple(scores["probabilities"].shape), scores["num_truncated"].numpy().tolist()
    ((2, 2), [0, 0])
    """

    def __init__(
        self,
        model: keras.Model,
        tokenizer: keras.layers.Layer,
        labels: Sequence[str],
        *,
        group_size: int = 32,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.model = checked_text_model(model)
        self.tokenizer = tokenizer
        self.labels = _checked_labels(labels, model)
        self.group_size = check_integer("group_size", group_size, 1)
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True

    def build(self, input_shape: Any) -> None:
        """Make nothing: the model and the tokenizer have all they need."""

    def call(self, inputs: Any) -> dict[str, tf.Tensor]:
        """Return the probabilities, and how much of each text was cut."""
        texts = inputs if isinstance(inputs, tuple) else (inputs,)
        pieces = [self.tokenizer.tokenize(tf.convert_to_tensor(each, tf.string)) for each in texts]
        lengths = tf.add_n([each["token_ids"].row_lengths() for each in pieces])

        def score(rows):
            groups = [{name: tf.gather(value, rows) for name, value in each.items()} for each in pieces]
            packed = self.tokenizer.pack(*groups)
            probabilities = self.model(model_inputs(packed, self.model), training=False)
            return rows, tf.cast(probabilities, tf.float32), packed["num_truncated"]

        outputs = [((None,), tf.int32), ((None, len(self.labels)), tf.float32), ((None,), tf.int32)]
        rows, *found = run_by_length(score, lengths, self.group_size, [tf.TensorSpec(*each) for each in outputs])
        back = tf.math.invert_permutation(rows)
        probabilities, truncated = (tf.gather(values, back) for values in found)
        return {
            "label": tf.gather(tf.constant(self.labels), tf.argmax(probabilities, axis=-1)),
            "num_truncated": truncated,
            "probabilities": probabilities,
            "score": tf.reduce_max(probabilities, axis=-1),
        }

    def compute_output_spec(self, inputs: Any) -> dict[str, Any]:
        """Return shapes and dtypes of the outputs."""
        batch = (inputs[0] if isinstance(inputs, tuple) else inputs).shape[0]
        scores = {name: keras.KerasTensor((batch,), dtype=kind) for name, kind in _KINDS.items()}
        return scores | {"probabilities": keras.KerasTensor((batch, len(self.labels)), dtype="float32")}


def _checked_labels(labels, model):
    labels = tuple(labels) if isinstance(labels, (list, tuple)) else ()
    classes = model.output.shape[-1] if hasattr(model.output, "shape") and len(model.output.shape) == 2 else None
    strings = all(isinstance(label, str) for label in labels)
    if not strings or len(labels) < 2 or len(set(labels)) != len(labels) or len(labels) != classes:
        fail("labels", labels, f"two or more distinct strings, one for each of the model's {classes} classes",
             "Give the reader's `class_names`.")  # fmt: skip
    return labels
