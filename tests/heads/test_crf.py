import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import unitools as ut
from tests.heads.chains import enumerate_paths, log_sum, node_marginals

TAGS = ("O", "B-PER", "I-PER")
ALLOWED = ut.heads.allowed_transitions(TAGS)
MASKS = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 1, 0, 1, 1], [0, 0, 1, 0, 0], [0, 1, 1, 0, 0]], bool)


def chain(allowed=None, transitions="learned", **options):
    """A CRF whose unary scores are its inputs, with random transitions; and these."""
    crf = ut.heads.CRF(3, allowed=allowed, transitions=transitions, dropout=0.0, **options)
    crf.build((None, None, 3))
    weights = np.random.default_rng(1).normal(size=(4, 4))
    crf._tagger.set_weights([np.eye(3), np.zeros(3)])
    if transitions == "learned":
        crf._weights.assign(weights)
    return crf, weights if transitions == "learned" else np.zeros((4, 4))


def unary_scores(*shape, scale=2.0):
    return (scale * np.random.default_rng(0).normal(size=(*shape, 3))).astype("float32")


@pytest.mark.parametrize("compiled", [None, False, True], ids=["eager", "graph", "xla"])
@pytest.mark.parametrize("allowed", [None, ALLOWED], ids=["any", "iob2"])
def test_equals_enumeration_under_every_mask(allowed, compiled):
    crf, transitions = chain(allowed)
    unary = unary_scores(*MASKS.shape)

    def run(features, mask):
        return ut.heads.CRFDecoder(num_paths=3)(crf(features, mask=mask))

    decode = run if compiled is None else tf.function(run, jit_compile=compiled)
    found = {name: value.numpy() for name, value in decode(tf.constant(unary), tf.constant(MASKS)).items()}
    for row, mask in enumerate(MASKS):
        paths, scores = enumerate_paths(unary[row], transitions, mask, allowed)
        best = np.argsort(-scores)[:3]
        tags = found["tags"][row]
        np.testing.assert_array_equal(tags[: len(best)][:, mask], paths[best])
        assert (tags[:, ~mask] == -1).all()
        log_probabilities = found["log_probabilities"][row]
        np.testing.assert_allclose(log_probabilities[: len(best)], scores[best] - log_sum(scores), atol=1e-4)
        assert (log_probabilities[len(best) :] < -1000).all()
        expected = node_marginals(paths, scores, 3)
        np.testing.assert_allclose(found["marginals"][row][mask], expected, atol=1e-5)


def loss_by_enumeration(unary, transitions, labels, mask, allowed=None):
    """log Z minus log of the sum over paths that agree with the labels of the masked positions."""
    paths, scores = enumerate_paths(unary, transitions, mask, allowed)
    known = labels[mask]
    agree = ((paths == known) | (known == -1)).all(axis=1)
    return log_sum(scores) - log_sum(scores[agree]), int((known >= 0).sum())


LABELS = np.array([[0, 1, 2, 0, 1], [1, 2, 0, 0, 0], [-1, 1, -1, 2, 0], [2, 2, 0, 0, -1], [-1, -1, 1, 0, 0]])


@pytest.mark.parametrize("compiled", [None, True], ids=["eager", "xla"])
@pytest.mark.parametrize("normalize", ["tokens", "sequences"])
def test_loss_equals_enumeration_with_unknown_labels(normalize, compiled):
    crf, transitions = chain()
    unary = unary_scores(*MASKS.shape)
    loss = ut.losses.CRFLoss(normalize=normalize)

    def run(features):
        potentials = crf(features, mask=tf.constant(MASKS))
        return loss(LABELS, potentials), *loss.sums(LABELS, potentials)

    value, total, weight = (run if compiled is None else tf.function(run, jit_compile=True))(tf.constant(unary))
    rows = [loss_by_enumeration(*each[:1], transitions, *each[1:]) for each in zip(unary, LABELS, MASKS, strict=True)]
    expected = sum(row[0] for row in rows)
    divisor = sum(row[1] for row in rows) if normalize == "tokens" else sum(row[1] > 0 for row in rows)
    np.testing.assert_allclose(value, expected / divisor, rtol=1e-5)
    np.testing.assert_allclose((total, weight), (expected, divisor), rtol=1e-5)


def test_gradients_are_those_of_finite_differences():
    unary, mask, labels = unary_scores(1, 3), np.array([[True, True, False]]), np.array([[1, 2, -1]])
    crf, transitions = chain()
    variable = tf.Variable(unary)
    with tf.GradientTape() as tape:
        value = ut.losses.CRFLoss()(labels, crf(variable, mask=mask))
    by_unary, by_transitions = tape.gradient(value, [variable, crf._weights.value])

    def at(unary, transitions):
        return loss_by_enumeration(unary[0], transitions, labels[0], mask[0])[0] / 2

    for gradient, array, vary in [
        (by_unary, unary.astype("float64"), lambda moved: at(moved, transitions)),
        (by_transitions, transitions, lambda moved: at(unary, moved)),
    ]:
        for place in np.ndindex(array.shape):
            step = np.zeros(array.shape)
            step[place] = 1e-5
            slope = (vary(array + step) - vary(array - step)) / 2e-5
            np.testing.assert_allclose(gradient.numpy()[place], slope, atol=2e-4)


def test_without_transitions_it_is_the_taggers_cross_entropy():
    crf, _ = chain(transitions="none")
    unary = unary_scores(*MASKS.shape)
    labels = np.where(MASKS, LABELS, -1)
    expected = ut.losses.TokenCrossEntropy()(labels, unary)
    assert float(ut.losses.CRFLoss()(labels, crf(unary, mask=MASKS))) == pytest.approx(float(expected), rel=1e-5)
    assert len(crf.trainable_weights) == 2


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
def test_512_steps_are_stable(policy):
    """Against the recursion in float64: large scores, and a scheme whose forbidden steps add up."""
    crf, transitions = chain(ALLOWED, dtype=policy)
    unary = unary_scores(2, 512, scale=20.0).astype("float16").astype("float32")
    labels = np.tile([0, 1, 2, 0], (2, 128))
    variable = tf.Variable(unary)
    with tf.GradientTape() as tape:
        value = ut.losses.CRFLoss(normalize="sequences", reduction=None)(labels, crf(variable))
    slope = tape.gradient(value, variable).numpy()
    scores = np.where(ALLOWED, transitions, -np.inf)
    for row in range(2):
        state, gold = scores[3, :3] + unary[row, 0], scores[3, labels[row, 0]] + unary[row, 0, labels[row, 0]]
        for place in range(1, 512):
            state = np.logaddexp.reduce(state[:, None] + scores[:3, :3], axis=0) + unary[row, place]
            gold += scores[labels[row, place - 1], labels[row, place]] + unary[row, place, labels[row, place]]
        expected = np.logaddexp.reduce(state + scores[:3, 3]) - gold - scores[labels[row, -1], 3]
        np.testing.assert_allclose(value[row], expected, rtol=1e-4)
    assert np.isfinite(slope).all()
    np.testing.assert_allclose(slope.sum(-1), 0, atol=2e-2)  # float16 rounds the features' gradient


@pytest.mark.parametrize("scheme", ["iob2", "iob1", "bioes"])
def test_allowed_sequences_are_those_that_the_scheme_writes(scheme):
    prefixes = "BIES" if scheme == "bioes" else "BI"
    tags = ("O", *(f"{prefix}-{kind}" for kind in ("LOC", "PER") for prefix in prefixes))
    allowed = ut.heads.allowed_transitions(tags, scheme=scheme)
    for path in itertools.product(range(len(tags)), repeat=3):
        steps = itertools.pairwise([len(tags), *path, len(tags)])
        names = [tags[number] for number in path]
        again = ut.data.convert_tags(names, to=scheme)
        assert all(allowed[before][now] for before, now in steps) == (again == names), names


def test_decoded_tags_keep_the_scheme():
    random = np.random.default_rng(0)
    tags = ("O", "B-LOC", "I-LOC", "B-PER", "I-PER")
    crf = ut.heads.CRF(5, allowed=ut.heads.allowed_transitions(tags), transitions="none")
    decoded = ut.heads.CRFDecoder()(crf(random.normal(size=(50, 20, 8)).astype("float32")))["tags"].numpy()[:, 0]
    for row in decoded:
        names = [tags[number] for number in row]
        assert ut.data.convert_tags(names, to="iob2") == names


def model_and_data():
    tokens = keras.Input((None,), dtype="int32")
    embedded = keras.layers.Embedding(10, 8, mask_zero=True)(tokens)
    model = keras.Model(tokens, ut.heads.CRF(3, allowed=ALLOWED, dropout=0.0)(embedded))
    random = np.random.default_rng(0)
    inputs = random.integers(1, 10, (64, 6))
    # A tag that hangs on the word and on the tag before it: even words are O, odd ones begin or go on.
    labels = np.where(inputs % 2 == 0, 0, 1)
    labels[:, 1:] = np.where((labels[:, 1:] == 1) & (labels[:, :-1] == 1), 2, labels[:, 1:])
    inputs[:, 4:] *= random.integers(0, 2, (64, 1))
    return model, inputs, np.where(inputs == 0, 0, labels)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_learns_in_fit_scores_and_survives_a_file(tmp_path, jit_compile):
    model, inputs, labels = model_and_data()
    metric = ut.metrics.EntityScores(TAGS, mode="strict")
    model.compile(keras.optimizers.Adam(0.05), ut.losses.CRFLoss(), metrics=[metric], jit_compile=jit_compile)
    logs = model.fit(inputs, labels, batch_size=16, epochs=12, verbose=0).history
    assert logs["entity_f1"][-1] > 0.99
    model.save(tmp_path / "crf.keras")
    loaded = keras.models.load_model(tmp_path / "crf.keras")
    np.testing.assert_allclose(loaded(inputs), model(inputs), rtol=1e-6)
    assert isinstance(loaded.loss, ut.losses.CRFLoss)
    served = keras.Model(loaded.inputs, ut.heads.CRFDecoder()(loaded.output))
    tags = served.predict(inputs, verbose=0)["tags"][:, 0]
    np.testing.assert_array_equal(tags, np.where(inputs == 0, -1, labels))


def test_transitions_of_a_subclass():
    class Sticky(ut.heads.CRF):
        def transition_scores(self, inputs):
            return 100.0 * keras.ops.eye(self.num_tags + 1)

    crf = Sticky(3, transitions="none")
    tags = ut.heads.CRFDecoder()(crf(unary_scores(4, 9)))["tags"].numpy()[:, 0]
    assert (tags == tags[:, :1]).all()


def test_labels_under_a_masked_position_do_not_matter():
    crf, _ = chain()
    potentials = crf(unary_scores(*MASKS.shape), mask=MASKS)
    other = np.where(MASKS, LABELS, 2)
    assert float(ut.losses.CRFLoss()(LABELS, potentials)) == float(ut.losses.CRFLoss()(other, potentials))


def test_nothing_labelled_costs_nothing():
    crf, _ = chain()
    assert float(ut.losses.CRFLoss()(np.full((2, 3), -1), crf(unary_scores(2, 3)))) == 0.0


def test_accumulated_micro_batches_equal_one_big_batch():
    crf, _ = chain()
    unary = unary_scores(*MASKS.shape)
    loss = ut.losses.CRFLoss()
    whole = loss(LABELS, crf(unary, mask=MASKS))
    parts = [loss.sums(LABELS[rows], crf(unary[rows], mask=MASKS[rows])) for rows in (slice(2), slice(2, None))]
    total, weight = (sum(map(float, each)) for each in zip(*parts, strict=True))
    assert total / weight == pytest.approx(float(whole), rel=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ut.heads.CRF(3, allowed=((True,) * 3,) * 3), "4 rows of 4"),
        (lambda: ut.heads.CRF(3, transitions="fixed"), "transitions"),
        (lambda: ut.heads.CRF(3)(np.ones((2, 4))), "inputs"),
        (lambda: ut.heads.CRFDecoder()(np.ones((2, 4, 3))), "output of ut.heads.CRF"),
        (lambda: ut.losses.CRFLoss()(np.ones((2, 4)), np.ones((2, 4, 3))), "output of ut.heads.CRF"),
        (lambda: ut.losses.CRFLoss()(np.ones(2), np.ones((2, 4, 3, 3))), "y_true"),
        (lambda: ut.losses.CRFLoss()(np.ones((2, 4)), np.ones((2, 4, 3, 3)), np.ones((2, 4))), "sample_weight"),
        (lambda: ut.heads.allowed_transitions(("O", "S-PER"), scheme="iob2"), "scheme"),
    ],
)
def test_bad_arguments_and_shapes(call, message):
    with pytest.raises(ValueError, match=message):
        call()
