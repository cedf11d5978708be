"""The recurrent backbone: numpy's recurrence, padding, and BERT's names."""

import keras
import numpy as np
import pytest

import unitools as ut


def word_batch(characters=False):
    generator = np.random.default_rng(0)
    mask = np.arange(7) < np.array([[7], [4], [1]])
    batch = {"token_ids": generator.integers(0, 30, (3, 7)).astype("int32"), "padding_mask": mask}
    if characters:
        lengths = generator.integers(1, 6, (3, 7, 1))
        ids = generator.integers(1, 12, (3, 7, 5))
        batch["character_ids"] = np.where(np.arange(5) < lengths, ids, 0).astype("int32")
    return batch


def sigmoid(values):
    return 1 / (1 + np.exp(-values))


def numpy_lstm(inputs, kernel, recurrent, bias):
    """Return all states of an LSTM over one text, gates in the order input, forget, candidate, output."""
    state = cell = np.zeros(len(recurrent))
    states = []
    for vector in inputs:
        enter, forget, new, leave = np.split(vector @ kernel + state @ recurrent + bias, 4)
        cell = sigmoid(forget) * cell + sigmoid(enter) * np.tanh(new)
        state = sigmoid(leave) * np.tanh(cell)
        states.append(state)
    return np.array(states)


def test_outputs_equal_a_recurrence_in_numpy():
    backbone, batch = ut.backbones.lstm(30, embedding_size=5, units=4), word_batch()
    outputs = backbone(batch)
    table = backbone.get_layer("embeddings").get_weights()[0]
    weights = backbone.get_layer("lstm_1").get_weights()
    for row, length in enumerate(batch["padding_mask"].sum(axis=1)):
        vectors = table[batch["token_ids"][row, :length]]
        forward, backward = numpy_lstm(vectors, *weights[:3]), numpy_lstm(vectors[::-1], *weights[3:])
        expected = np.concatenate([forward, backward[::-1]], axis=1)
        sequence = np.asarray(outputs["sequence_output"][row])
        np.testing.assert_allclose(sequence[:length], expected, atol=1e-5)
        assert not sequence[length:].any()
        pooled = np.concatenate([forward[-1], backward[-1]])
        np.testing.assert_allclose(outputs["pooled_output"][row], pooled, atol=1e-5)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_padding_changes_nothing_elsewhere(cell):
    backbone = ut.backbones.lstm(30, units=4, num_layers=2, characters=12, cell=cell)
    batch = word_batch(characters=True)
    whole = backbone(batch)
    one = {name: value[1:2, :4] for name, value in batch.items()}
    one["character_ids"] = np.pad(one["character_ids"], ((0, 0), (0, 0), (0, 3)))
    alone = backbone(one)
    np.testing.assert_allclose(whole["sequence_output"][1:2, :4], alone["sequence_output"], atol=1e-6)
    np.testing.assert_allclose(whole["pooled_output"][1:2], alone["pooled_output"], atol=1e-6)


def test_character_embedding_equals_a_convolution_in_numpy():
    layer = ut.backbones.CharacterEmbedding(12, units=3, filters=4, kernel_size=3)
    ids = word_batch(characters=True)["character_ids"]
    found = np.asarray(layer(ids))
    table, kernel, bias = layer.get_weights()
    for place in np.ndindex(ids.shape[:2]):
        word = ids[place][ids[place] > 0]
        padded = np.concatenate([np.zeros((1, 3)), table[word], np.zeros((1, 3))])
        responses = [np.einsum("ku,kuf->f", padded[start : start + 3], kernel) + bias for start in range(len(word))]
        np.testing.assert_allclose(found[place], np.max(responses, axis=0), atol=1e-5)
    assert not np.asarray(layer(np.zeros((1, 2, 3), "int32"))).any()


def test_word_vectors_are_the_table():
    vectors = np.random.default_rng(0).normal(size=(30, 6)).astype("float32")
    backbone = ut.backbones.lstm(embeddings=vectors, units=4)
    np.testing.assert_array_equal(backbone.get_layer("embeddings").get_weights()[0], vectors)
    report = ut.adaptation.freeze(backbone, "embeddings")
    assert (report.frozen_parameters, report.first_trainable) == (180, "lstm_1")


def test_one_line_swaps_it_for_bert(tmp_path):
    pytest.importorskip("transformers", reason="needs the extra [test]: transformers and torch")
    from tests.backbones.text_references import reference

    reference("bert", tmp_path)
    bases = [ut.backbones.bert(tmp_path), ut.backbones.lstm(40, units=4)]
    for base in bases:
        model = keras.Model(base.input, ut.heads.Classifier(3)(base.sequence_output))
        batch = word_batch()
        probabilities = model(batch)
        one = {name: value[1:2, :4] for name, value in batch.items()}
        np.testing.assert_allclose(probabilities[1:2], model(one), atol=1e-5)
    assert {name: (tensor.dtype, tensor.shape) for name, tensor in bases[0].input.items()} == {
        name: (tensor.dtype, tensor.shape) for name, tensor in bases[1].input.items()
    }
    assert set(bases[0].output) == set(bases[1].output)


def test_layers_step_by_level():
    backbone = ut.backbones.lstm(30, units=4, num_layers=2)
    model = keras.Model(backbone.input, ut.heads.Classifier(2)(backbone.sequence_output))
    ut.training.compile(model, layer_decay=0.5, verbose=False)
    shares = dict(zip((weight.path for weight in model.trainable_weights), model.optimizer.rate_shares, strict=True))
    wanted = {"embeddings/": 0.125, "lstm_1/": 0.25, "lstm_2/": 0.5, "classifier": 1.0}
    for name, share in wanted.items():
        assert {found for path, found in shares.items() if name in path} == {share}


def test_training_moves_every_weight():
    backbone = ut.backbones.lstm(30, units=4, characters=12)
    model = keras.Model(backbone.input, ut.heads.Classifier(3, pooling=None)(backbone.sequence_output))
    ut.training.compile(model, learning_rate=1e-2, warmup=0, seed=1, verbose=False)
    before = [weight.numpy() for weight in model.trainable_weights]
    model.fit(word_batch(characters=True), np.ones((3, 7), "int32"), epochs=1, verbose=0)
    for weight, start in zip(model.trainable_weights, before, strict=True):
        assert not np.array_equal(weight.numpy(), start), weight.path


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({}, "`vocabulary_size` must be an integer >= 1"),
        ({"vocabulary_size": 5, "embeddings": np.ones((4, 2))}, "`vocabulary_size` must be 4"),
        ({"embeddings": np.ones(4)}, "`embeddings` must be a matrix"),
        ({"vocabulary_size": 5, "cell": "rnn"}, "`cell` must be one of 'lstm', 'gru'"),
        ({"vocabulary_size": 5, "dropout": 1.0}, "`dropout` must be a number"),
        ({"vocabulary_size": 5, "num_layers": 0}, "`num_layers` must be an integer"),
        ({"vocabulary_size": 5, "characters": 1}, "`characters` must be an integer >= 2"),
    ],
)
def test_bad_arguments(arguments, text):
    with pytest.raises(ValueError, match=text):
        ut.backbones.lstm(**arguments)
