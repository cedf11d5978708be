"""A chain of tags as one tensor of scores: its partition function and its marginals.

`potentials[b, t, i, j]` is the score of going from tag i at position t - 1 to tag j at position t. A chain starts in
tag 0, before position 0. Where it must not be read, a position holds `pass_through`: it keeps the tag as it is.
"""

import tensorflow as tf

# Finite, since inf - inf is NaN. exp(-1e4) is 0 in float32, and sums of a thousand of them stay exact enough.
FORBIDDEN = -1e4


def pass_through(num_tags):
    """Return the scores (num_tags, num_tags) of a position that leaves the chain as it is."""
    return tf.fill((num_tags, num_tags), FORBIDDEN) * (1.0 - tf.eye(num_tags))


def passed_through(potentials):
    """Return True where a position leaves the chain as it is, (batch, time)."""
    return tf.reduce_all(potentials == pass_through(potentials.shape[-1]), axis=(-2, -1))


def centred(potentials):
    """Return the scores with 0 as the largest of each position, which changes no probability.

    Sums over hundreds of positions then stay small, and float32 keeps their digits.
    """
    return potentials - tf.stop_gradient(tf.reduce_max(potentials, axis=(-2, -1), keepdims=True))


@tf.custom_gradient
def log_partition(potentials):
    """Return the logarithm of the summed weights of all paths, (batch,).

    The gradient is written out: it is the probability of each step. So nothing is kept for a backward pass through the
    loop, and one loop serves both directions.
    """
    before, after = _both_directions(potentials)
    total = tf.reduce_logsumexp(before[:, -1], axis=-1)

    def gradient(upstream):
        return upstream[:, None, None, None] * _steps(potentials, before, after, total)

    return total, gradient


def marginals(potentials):
    """Return the probability of each tag at each position, (batch, time, num_tags)."""
    potentials = centred(potentials)
    before, after = _both_directions(potentials)
    total = tf.reduce_logsumexp(before[:, -1], axis=-1)
    return tf.exp(before[:, 1:] + after[:, 1:] - total[:, None, None])


def _steps(potentials, before, after, total):
    """Return the probability of each step from tag i to tag j."""
    scores = before[:, :-1, :, None] + potentials + after[:, 1:, None, :]
    return tf.exp(scores - total[:, None, None, None])


def _both_directions(potentials):
    """Return the log weight of all ways to each tag, and from it to the end, (batch, time + 1, num_tags) each."""
    batch, tags = tf.shape(potentials)[0], potentials.shape[-1]
    ahead = tf.transpose(potentials, [1, 0, 2, 3])
    back = tf.transpose(potentials[:, ::-1], [1, 0, 3, 2])
    first = tf.fill((batch, tags), FORBIDDEN) * (1.0 - tf.one_hot(0, tags))
    states = tf.concat([first, tf.zeros((batch, tags))], axis=0)
    every = _recursion(tf.concat([ahead, back], axis=1), states)
    before, after = tf.split(tf.transpose(every, [1, 0, 2]), 2, axis=0)
    return before, after[:, ::-1]


def _recursion(steps, state):
    """Return the state before the first step and after each: s_j <- log sum_i exp(s_i + step_ij)."""
    size = tf.shape(steps)[0]
    states = tf.TensorArray(tf.float32, size + 1, element_shape=state.shape).write(0, state)

    def body(place, state, states):
        state = tf.reduce_logsumexp(state[:, :, None] + steps[place], axis=1)
        return place + 1, state, states.write(place + 1, state)

    _, _, states = tf.while_loop(
        lambda place, *_: place < size, body, (0, state, states), maximum_iterations=size, parallel_iterations=1
    )
    return states.stack()
