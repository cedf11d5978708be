import keras
import numpy as np
import pytest

import unitools as ut


def test_logits_are_a_matrix_product_at_each_position():
    inputs = np.random.default_rng(0).normal(size=(3, 5, 4)).astype("float32")
    head = ut.heads.TokenTagger(6, dropout=0.5)
    head.build(inputs.shape)
    kernel, bias = head.get_weights()
    np.testing.assert_allclose(head(inputs), inputs @ kernel + bias, rtol=1e-5, atol=1e-6)


def test_the_mask_reaches_what_stands_behind():
    tokens = keras.Input((None,), dtype="int32")
    embedded = keras.layers.Embedding(9, 4, mask_zero=True)(tokens)
    model = keras.Model(tokens, ut.heads.TokenTagger(2)(embedded))
    logits = model(np.array([[4, 5, 0, 0]]))
    np.testing.assert_array_equal(logits._keras_mask, [[True, True, False, False]])
    total, weight = ut.losses.TokenCrossEntropy().sums(np.array([[0, 1, 1, 1]]), logits)
    assert (float(weight), float(total) > 0) == (2.0, True)


def test_dropout_acts_in_training_only():
    inputs = np.ones((1, 64, 8), "float32")
    head = ut.heads.TokenTagger(2, dropout=0.5, seed=1)
    np.testing.assert_array_equal(head(inputs), head(inputs))
    assert np.ptp(np.asarray(head(inputs, training=True))[..., 0]) > 0


def test_logits_are_float32_under_mixed_precision():
    model = keras.Sequential([keras.Input((4, 2)), ut.heads.TokenTagger(3, dtype="mixed_float16")])
    assert model.outputs[0].dtype == "float32"
    assert model.predict(np.ones((2, 4, 2)), verbose=0).dtype == "float32"


def test_compile_chooses_a_loss_on_logits():
    model = keras.Sequential([keras.Input((4, 2)), ut.heads.TokenTagger(3)])
    report = ut.training.compile(model, verbose=False)
    assert report.loss == "CrossEntropy on logits"


@pytest.mark.parametrize(("arguments", "message"), [({"num_tags": 1}, "num_tags"), ({"dropout": 1.0}, "dropout")])
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        ut.heads.TokenTagger(**{"num_tags": 3} | arguments)


def test_vectors_are_refused():
    with pytest.raises(ValueError, match="inputs"):
        ut.heads.TokenTagger(3)(np.ones((2, 4)))
