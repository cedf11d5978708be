import resource

import keras
import numpy as np
import pytest

import unitools as ut
from tests.callbacks.scripted_scores import NumberEpochs, Script, drive, scores, still_model
from unitools.callbacks.weight_file import read_record

SUFFIXES = [".safetensors", ".weights.h5", ".keras"]
EPOCHS = 8


def best_epoch(values, mode, min_delta=0.0):
    """Return the epoch of the last improvement, by the rule written out."""
    best = None
    for epoch, value in enumerate(values):
        gain = None if best is None else (values[best] - value if mode == "min" else value - values[best])
        if gain is None or gain > min_delta:
            best = epoch
    return best


def kept(path):
    """Return the number that `NumberEpochs` gave the weights in the file."""
    model = still_model()
    ut.callbacks.BestWeights(path, "val_score", mode="min").restore(model)
    (number,) = {float(value) for weight in model.get_weights() for value in np.ravel(weight)}
    return number


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("mode", "min_delta"), [("min", 0.0), ("max", 0.15)])
def test_holds_the_best_epoch_and_its_score(tmp_path, suffix, mode, min_delta):
    model = still_model()
    for seed in range(4):
        values, path = scores(seed, EPOCHS), str(tmp_path / f"{seed}{suffix}")
        best = ut.callbacks.BestWeights(path, "val_score", mode=mode, min_delta=min_delta)
        drive(model, [NumberEpochs(), Script(values), best], EPOCHS)
        expected = best_epoch(values, mode, min_delta)
        assert (best.best_epoch, best.best_score, kept(path)) == (expected, values[expected], expected)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_new_object_never_overwrites_better_weights(tmp_path, suffix):
    path = tmp_path / "deep" / f"best{suffix}"
    model = still_model()
    for values, epoch in [([0.5, 0.3, 0.4], 1), ([0.4, 0.35, 0.3], 1), ([0.6, 0.5, 0.2], 2), ([0.2], 2)]:
        before = path.read_bytes() if path.exists() else None
        best = ut.callbacks.BestWeights(path, "val_score", mode="min")
        drive(model, [NumberEpochs(), Script(values), best], len(values))
        reached = min([0.5, 0.3, 0.4] + ([0.2] if epoch == 2 else []))
        assert (best.best_score, best.best_epoch, kept(path)) == (reached, epoch, epoch)
        if before is not None and min(values) >= 0.3:
            assert path.read_bytes() == before
    assert ut.callbacks.BestWeights(path, "val_score", mode="min").best_score == 0.2


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_weights_reach_the_score_they_came_with(tmp_path, suffix):
    def make():
        inputs = keras.Input((4,))
        hidden = keras.layers.BatchNormalization()(keras.layers.Dense(8, "relu")(inputs))
        model = keras.Model(inputs, keras.layers.Dense(1)(hidden))
        model.compile(keras.optimizers.Adam(0.05), "mse")
        return model

    keras.utils.set_random_seed(1)
    generator = np.random.default_rng(0)
    features, held_out = generator.normal(size=(2, 32, 4)).astype("float32")
    best, model = ut.callbacks.BestWeights(tmp_path / f"best{suffix}"), make()
    labels = features[:, :1] + generator.normal(size=(32, 1))
    validation = (held_out, held_out[:, :1])
    losses = model.fit(features, labels, epochs=6, validation_data=validation, verbose=0, callbacks=[best])
    losses = losses.history["val_loss"]
    assert best.best_epoch == np.argmin(losses) < 5
    other = make()
    best.restore(other)
    assert other.evaluate(*validation, verbose=0) == pytest.approx(min(losses), rel=1e-6)
    moments = [variable.numpy() for variable in model.optimizer.variables]
    best.restore(model)
    assert model.evaluate(*validation, verbose=0) == pytest.approx(min(losses), rel=1e-6)
    for moment, variable in zip(moments, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(moment, variable)
    if suffix == ".keras":
        loaded = keras.models.load_model(best.path)
        assert loaded.evaluate(*validation, verbose=0) == pytest.approx(min(losses), rel=1e-6)
        assert int(loaded.optimizer.iterations) == best.best_epoch + 1


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_full_disk_leaves_the_old_file(tmp_path, suffix):
    path = tmp_path / f"best{suffix}"
    model = keras.Sequential([keras.Input((200,)), keras.layers.Dense(200)])
    model.compile("sgd", "mse")
    best = ut.callbacks.BestWeights(path, "val_score", mode="min")
    drive(model, [Script([0.5]), best], 1)
    before = path.read_bytes()
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limit[1]))
    try:
        with pytest.raises(OSError):
            drive(model, [Script([0.4]), best], 1)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]
    assert read_record(str(path))["score"] == 0.5
    assert ut.callbacks.BestWeights(path, "val_score", mode="min").best_score == best.best_score == 0.5


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_what_is_no_file_of_ours_is_left_alone(tmp_path, suffix):
    path, model = tmp_path / f"best{suffix}", still_model()
    for content in (b"", b"something else", b"PK\x03\x04 no archive", b"\x89HDF\r\n\x1a\n"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="cannot be taken over: .*Move the file away, or give another path"):
            drive(model, [Script([0.5]), ut.callbacks.BestWeights(path, "val_score", mode="min")], 1)
        assert path.read_bytes() == content


def test_weights_without_a_score_are_left_alone(tmp_path):
    model = still_model()
    model.save_weights(tmp_path / "best.weights.h5")
    model.save(tmp_path / "best.keras")
    for name in ("best.weights.h5", "best.keras"):
        with pytest.raises(ValueError, match="cannot be taken over"):
            drive(model, [Script([0.5]), ut.callbacks.BestWeights(tmp_path / name, "val_score", mode="min")], 1)


def test_a_file_chosen_by_another_score_is_an_error(tmp_path):
    path, model = tmp_path / "best.safetensors", still_model()
    drive(model, [Script([0.5]), ut.callbacks.BestWeights(path, "val_score", mode="max")], 1)
    for monitor, mode in (("loss", "auto"), ("val_score", "min")):
        with pytest.raises(ValueError, match=f"by the maximum of 'val_score'. Received monitor='{monitor}'"):
            drive(model, [ut.callbacks.BestWeights(path, monitor, mode=mode)], 1)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_restoring_into_another_model_is_an_error(tmp_path, suffix):
    path, model = tmp_path / f"best{suffix}", still_model()
    best = ut.callbacks.BestWeights(path, "val_score", mode="min")
    with pytest.raises(FileNotFoundError, match="no weights at .* yet"):
        best.restore(model)
    drive(model, [Script([0.5]), best], 1)
    other = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3)])
    with pytest.raises(ValueError):
        best.restore(other)
    if suffix == ".safetensors":
        with pytest.raises(ValueError, match=r"Received none for \['00000 sequential/dense/kernel', .*bias'\]. Give"):
            best.restore(other)


def test_a_score_that_is_nan_writes_nothing(tmp_path):
    path, model = tmp_path / "best.safetensors", still_model()
    best = ut.callbacks.BestWeights(path, "val_score", mode="min")
    drive(model, [Script([np.nan, np.nan]), best], 2)
    assert (best.best_score, path.exists()) == (None, False)


def test_what_a_killed_process_has_left_is_cleared(tmp_path):
    left, others = tmp_path / ".writing-1-best.safetensors", tmp_path / ".writing-1-other.safetensors"
    left.write_bytes(b"half")
    others.write_bytes(b"half")
    path = tmp_path / "best.safetensors"
    drive(still_model(), [Script([0.5]), ut.callbacks.BestWeights(path, "val_score", mode="min")], 1)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [others.name, path.name]
