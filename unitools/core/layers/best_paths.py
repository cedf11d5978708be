"""The best paths through a chain of tags."""

import tensorflow as tf

from unitools.core.layers.linear_chain import FORBIDDEN


def best_paths(potentials, num_paths=1):
    """Return the best paths, best first, and their scores.

    Args:
        potentials: Scores (batch, time, num_tags, num_tags) of each step, as in `linear_chain`.
        num_paths: How many different paths.

    Returns:
        Tags (batch, num_paths, time) and scores (batch, num_paths).
    """
    batch, tags = tf.shape(potentials)[0], potentials.shape[-1]
    steps = tf.transpose(potentials, [1, 0, 2, 3])
    # The first of `num_paths` empty paths ends in tag 0; the others do not exist.
    exists = tf.one_hot(0, num_paths * tags)
    state = tf.fill((batch, num_paths * tags), 4 * FORBIDDEN) * (1.0 - exists)
    state, origins = _search(steps, state, num_paths)
    scores, last = tf.math.top_k(state, num_paths)
    return _trace(origins, last, tags), scores


def _search(steps, state, num_paths):
    """Return the scores of the best paths to each tag, and where each came from at each step.

    A path's number is rank * num_tags + tag.
    """
    size, tags = tf.shape(steps)[0], steps.shape[-1]
    width = num_paths * tags
    origins = tf.TensorArray(tf.int32, size, element_shape=(state.shape[0], width))

    def body(place, state, origins):
        step = tf.tile(steps[place], [1, num_paths, 1])
        candidates = tf.transpose(state[:, :, None] + step, [0, 2, 1])
        best, origin = tf.math.top_k(candidates, num_paths)  # (batch, tags, num_paths)
        best, origin = (tf.reshape(tf.transpose(each, [0, 2, 1]), (-1, width)) for each in (best, origin))
        return place + 1, best, origins.write(place, origin)

    _, state, origins = tf.while_loop(
        lambda place, *_: place < size, body, (0, state, origins), maximum_iterations=size, parallel_iterations=1
    )
    return state, origins.stack()


def _trace(origins, last, tags):
    """Return the tags of the paths that end in `last` (batch, num_paths)."""
    size = tf.shape(origins)[0]
    path = tf.TensorArray(tf.int32, size, element_shape=last.shape)

    def body(place, state, path):
        path = path.write(place, state % tags)
        return place - 1, tf.gather(origins[place], state, batch_dims=1), path

    _, _, path = tf.while_loop(
        lambda place, *_: place >= 0, body, (size - 1, last, path), maximum_iterations=size, parallel_iterations=1
    )
    return tf.transpose(path.stack(), [1, 2, 0])
