"""What a tagger says, as tags and how sure it is of them."""

import tensorflow as tf

from unitools.heads import CRFDecoder


def tag_choice(scores: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the number of each position's tag, int32, and its probability, float32, both `(batch, time)`.

    Args:
        scores: Logits `(batch, time, num_tags)`, of which the largest is taken; or a CRF's output
            `(batch, time, num_tags, num_tags)`, of which the best sequence is, with the probability of each of its tags
            over all sequences. Positions outside the chain get tag 0.
    """
    if len(scores.shape) == 3:
        probabilities = tf.nn.softmax(tf.cast(scores, tf.float32))
        return tf.argmax(probabilities, axis=-1, output_type=tf.int32), tf.reduce_max(probabilities, axis=-1)
    decoded = CRFDecoder()(scores)
    tags = tf.maximum(tf.cast(decoded["tags"][:, 0], tf.int32), 0)
    return tags, tf.gather(decoded["marginals"], tags, axis=2, batch_dims=2)
