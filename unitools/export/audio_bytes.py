"""From encoded audio to the waveforms a model is trained on, inside the graph."""

import tensorflow as tf


def waveforms_from_bytes(encoded: tf.Tensor, sample_rate_hz: int, num_samples: int) -> tf.Tensor:
    """Decode a batch of WAV files, mixed to one channel, of one length.

    Files of another rate are refused, not resampled: a graph has no good resampler, and a model that hears half the
    speed answers wrongly without a sign of it.

    Args:
        encoded: String tensor `(batch,)`: WAV files of 16-bit PCM, of any number of channels. The batch may be empty.
        sample_rate_hz: The rate that each file must have.
        num_samples: Samples of each waveform. Longer files are cut at the end, shorter ones end in zeros.

    Returns:
        A float32 tensor `(batch, num_samples)` in [-1, 1): the integers over 32768, the mean of the channels.

    Raises:
        tf.errors.InvalidArgumentError: When it runs, if a file is no WAV of 16-bit PCM, or has another rate.

    Example:
    >>> import tensorflow as tf, unitools as ut
    >>> file = tf.audio.encode_wav([[0.5], [-0.25]], sample_rate=8000)
    >>> ut.export.waveforms_from_bytes(file[tf.newaxis], sample_rate_hz=8000, num_samples=3).numpy().tolist()
    [[0.5, -0.25, 0.0]]
    """

    def one(content):
        channels, rate = tf.audio.decode_wav(content, desired_samples=num_samples)
        message = f"Each file must have {sample_rate_hz} samples a second. Resample it."
        with tf.control_dependencies([tf.debugging.assert_equal(rate, sample_rate_hz, message)]):
            return tf.reduce_mean(channels, axis=-1)

    return tf.map_fn(one, encoded, fn_output_signature=tf.TensorSpec((num_samples,), tf.float32))
