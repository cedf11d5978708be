"""Raw input of a model that hears."""

import numpy as np
import tensorflow as tf

from unitools.core.checks import check_integer, fail
from unitools.export.audio_bytes import waveforms_from_bytes
from unitools.export.examples import NUM_MADE, encoded_files
from unitools.export.signatures import waveform_spec


class RawWaveforms:
    """Waveforms in [-1, 1], and the WAV files they come from.

    Args:
        spec: Float32 `tf.TensorSpec` `(batch, samples)`.
        sample_rate_hz: Samples a second.
    """

    array_name, encoded_name = "waveforms", "audio_bytes"

    def __init__(self, spec: tf.TensorSpec, sample_rate_hz: int):
        check_integer("sample_rate_hz", sample_rate_hz, 1, advice="Give the rate of the training data.")
        self.spec, self.sample_rate_hz = spec, sample_rate_hz

    @classmethod
    def of_model(cls, model, sample_rate_hz, num_samples, has_preprocess):
        """Return what the model takes, of `num_samples` where it takes any length or has a preprocessing."""
        return cls(waveform_spec(model, num_samples, has_preprocess), sample_rate_hz)

    def check_decodable(self) -> None:
        """Raise ValueError where the number of samples is free."""
        if self.spec.shape[1] is None:
            wanted = "a number of samples, as the model does not say how many it takes"
            fail("num_samples", None, wanted, "Give `num_samples`.")

    def decode(self, encoded: tf.Tensor) -> tf.Tensor:
        """Return waveforms `(batch, samples)` of WAV files, strings `(batch,)`."""
        return waveforms_from_bytes(encoded, self.sample_rate_hz, self.spec.shape[1])

    def examples(self, examples):
        """Return (waveforms, encoded): float32 `(batch, samples)`, and the bytes of WAV files.

        Args:
            examples: Array of waveforms, or a sequence of encoded WAV files or of paths, or None for seeded noise.

        Raises:
            ValueError: There are none, or arrays do not fit `spec`.
        """
        shape = self.spec.shape.as_list()
        if examples is None:
            size = NUM_MADE, shape[1] or self.sample_rate_hz
            examples = np.random.default_rng(0).uniform(-0.5, 0.5, size).astype(np.float32)
        encoded = encoded_files(examples)
        if encoded is not None:
            if shape[1] is None:
                fail("examples", "WAV files", "arrays, as the model has no length of its own", "Give `num_samples`.")
            return self.decode(tf.constant(encoded)).numpy(), encoded
        waveforms = np.asarray(examples, np.float32)
        if waveforms.ndim != 2 or not waveforms.size or not self.spec.shape.is_compatible_with(waveforms.shape):
            wanted = f"one or more waveforms of shape {tuple(shape)}"
            fail("examples", waveforms.shape, wanted, "Or give bytes or paths of WAV files.")
        rate = self.sample_rate_hz
        return waveforms, [tf.audio.encode_wav(one[:, np.newaxis], rate).numpy() for one in waveforms]
