"""The base class of text augmenters."""

from typing import Any

import keras
import tensorflow as tf

from unitools.core import Component
from unitools.core.checks import check_integer, fail
from unitools.core.layers.counter_random import fold_in

_NO_LABEL = -1


class TextAugmenter(Component, keras.layers.Layer):
    """Changes the words of texts at random in training, and hands them through otherwise.

    Why: one object serves in the readers' `batches(augment=...)`, in `tf.data` and inside a model; labels move along
    with their words; it is off unless `training=True`, so that nothing is random at serving.

    A subclass overrides `augment_words`. What it draws must depend on the seed of the example and on the place of the
    word in it, as `word_draws` does, so that an example alone is changed as in a batch.

    Args:
        seed: Integer that fixes the draws of `call`. Default: drawn from Keras' global generator.

    Call arguments:
        inputs: Words, or a dictionary of "words" and, where they have any, "labels".
        training: Whether to change anything. Default False.

    Input shape:
        Strings `(batch, words)`, ragged, or padded with ""; integer labels of the same shape.

    Output shape:
        `(batch, words)`, ragged where the input is. Otherwise words are padded with "" and labels with -1; the number
        of words may be another.

    Example:
    >>> from unitools.data.text.augmenting import TextAugmenter
    >>> from unitools.data.text.augmenting.word_draws import word_draws
    >>> class Shout(TextAugmenter):
    ...     def augment_words(self, words, labels, seeds):
    ...         loud = word_draws(words, seeds)[:, 0] < 0.5
    ...         return words.with_values(tf.where(loud, tf.strings.upper(words.values), words.values)), labels
    >>> words = tf.constant([["two", "words"], ["one", ""]])
    >>> Shout(seed=1)(words).numpy().tolist(), Shout(seed=1)(words, training=True).shape
    ([[b'two', b'words'], [b'one', b'']], TensorShape([2, 2]))
    """

    def __init__(self, *, seed: int | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.seed = seed if seed is None else check_integer("seed", seed, 0)
        self._seed_generator = keras.random.SeedGenerator(seed)
        self._convert_input_args = False
        self._allow_non_tensor_positional_args = True

    def augment_words(self, words: tf.RaggedTensor, labels: tf.RaggedTensor | None, seeds: tf.Tensor) -> tuple:
        """Change a batch; a pure function of its arguments, in core TensorFlow operations.

        Args:
            words: Ragged strings `(batch, words)`.
            labels: Ragged integers `(batch, words)`, or None.
            seeds: int32 `(batch, 2)`, one an example.

        Returns:
            The new words and labels, ragged.
        """
        raise NotImplementedError(f"{type(self).__name__} must override `augment_words(words, labels, seeds)`.")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Change the inputs in training; see the class."""
        if not training:
            return inputs
        given = inputs if isinstance(inputs, dict) else {"words": inputs}
        words, labels = _ragged(given)
        words, labels = self.augment_words(words, labels, self._draw_seeds(words.nrows()))
        changed = {"words": words} if labels is None else {"words": words, "labels": labels}
        if not isinstance(given["words"], tf.RaggedTensor):
            blanks = {"words": "", "labels": _NO_LABEL}
            changed = {key: value.to_tensor(blanks[key]) for key, value in changed.items()}
        return changed if isinstance(inputs, dict) else changed["words"]

    def _draw_seeds(self, batch_size):
        """Return fresh seeds `(batch, 2)` from the layer's own generator."""
        key = tf.cast(self._seed_generator.next(), tf.int32)
        rows = tf.cast(batch_size, tf.int32)
        return fold_in(tf.broadcast_to(key, (rows, 2)), tf.range(rows))

    def compute_output_spec(self, inputs: Any, training: bool = False) -> Any:
        """Return the inputs' dtypes, with an open number of words."""
        return keras.tree.map_structure(lambda spec: keras.KerasTensor((spec.shape[0], None), spec.dtype), inputs)


def _ragged(given):
    """Return words and labels, or None, as ragged tensors; or raise."""
    if "words" not in given or set(given) - {"words", "labels"}:
        fail("inputs", sorted(given), "words, or a dictionary of 'words' and perhaps 'labels'")
    words, labels = given["words"], given.get("labels")
    if words.shape.rank != 2:
        fail("inputs", words.shape, "of shape (batch, words)", "Part texts first: tf.strings.split(texts).")
    if not isinstance(words, tf.RaggedTensor):
        words = tf.RaggedTensor.from_tensor(words, padding="")
    if labels is not None and not isinstance(labels, tf.RaggedTensor):
        labels = tf.RaggedTensor.from_tensor(labels, lengths=words.row_lengths())
    return words, labels
