import numpy as np
import pytest

import unitools as ut
from tests.regularization.plain_steps import (
    assert_all_close,
    batch,
    compiled,
    dense_arrays,
    dense_net,
    slopes,
    text_net,
    texts,
)

SharpnessAware, RDrop = ut.regularization.SharpnessAware, ut.regularization.RDrop


def neighbour(weights, gradients, rho, adaptive):
    scales = [np.abs(weight) + 0.01 if adaptive else np.ones_like(weight) for weight in weights]
    length = np.sqrt(sum(np.square(t * g).sum() for t, g in zip(scales, gradients, strict=True)))
    return [w + rho * t**2 * g / length for w, t, g in zip(weights, scales, gradients, strict=True)]


@pytest.mark.parametrize(("rho", "adaptive"), [(0.05, False), (0.5, False), (0.5, True), (2.0, True)])
def test_the_step_is_that_of_the_paper(rho, adaptive):
    x, y = batch()
    net = dense_net()
    model = compiled(net, [SharpnessAware(rho, adaptive=adaptive)])
    start = net.get_weights()
    net.set_weights(neighbour(start, slopes(net, x, y), rho, adaptive))
    expected = slopes(net, x, y)
    net.set_weights(start)
    model.fit(x, y, batch_size=16, verbose=0)  # SGD at rate 1
    assert_all_close(net.get_weights(), [w - g for w, g in zip(start, expected, strict=True)])


def test_sparse_gradients_count_each_row_once():
    x, y = texts()  # ids repeat
    net = text_net()
    start = net.get_weights()
    _, gradients, _ = compiled(net, [SharpnessAware(0.5)]).compute_gradients(x, y)
    net.set_weights(neighbour(start, slopes(net, x, y), 0.5, False))
    assert_all_close(dense_arrays(gradients), slopes(net, x, y))


def test_both_passes_draw_one_dropout_mask():
    """With rho near 0 the second gradient is the first; with another mask it would not be."""
    x, y = batch()
    plain = dense_arrays(compiled(dense_net(dropout=0.5), []).compute_gradients(x, y)[1])
    sharp = dense_arrays(compiled(dense_net(dropout=0.5), [SharpnessAware(1e-7)]).compute_gradients(x, y)[1])
    assert_all_close(sharp, plain, rtol=1e-4)


def test_it_finds_the_flatter_of_two_minima():
    """It takes a lower maximum of the loss around the weights than plain descent, which it is made for."""
    x, y = batch()
    worst = {}
    for rho in (0.0, 0.5):
        net = dense_net()
        model = compiled(net, [SharpnessAware(rho)])
        model.optimizer.learning_rate = 0.2
        model.fit(x, y, batch_size=16, epochs=60, verbose=0)
        net.set_weights(neighbour(net.get_weights(), slopes(net, x, y), 0.5, False))
        worst[rho] = model.evaluate(x, y, verbose=0)[0]
    assert worst[0.5] < worst[0.0]


def test_around_r_drop_the_neighbour_is_that_of_r_drops_loss():
    x, y = batch()
    inner = compiled(dense_net(dropout=0.4), [RDrop(2.0)])
    start, first = inner.get_weights(), dense_arrays(inner.compute_gradients(x, y)[1])
    _, found, _ = compiled(dense_net(dropout=0.4), [SharpnessAware(0.3), RDrop(2.0)]).compute_gradients(x, y)
    again = compiled(dense_net(dropout=0.4), [RDrop(2.0)])  # a new net: the seeds begin anew
    again.set_weights(neighbour(start, first, 0.3, False))
    assert_all_close(dense_arrays(found), dense_arrays(again.compute_gradients(x, y)[1]))
