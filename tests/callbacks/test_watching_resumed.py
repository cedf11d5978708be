"""All callbacks that decide, in one run that is killed and goes on: its end is that of the run that was not."""

import json

import keras
import numpy as np
import pytest

import unitools as ut
from unitools.callbacks.exact_resume import ExactResume

GENERATOR = np.random.default_rng(0)
FEATURES = GENERATOR.normal(size=(24, 4)).astype("float32")
TARGETS = FEATURES[:, :2] * 2 + GENERATOR.normal(size=(24, 2)).astype("float32")
HELD_OUT = GENERATOR.normal(size=(8, 4)).astype("float32")
FEATURES[13] = np.nan  # in every epoch a step that NanGuard takes back
STEPS = 6


class Kill(keras.callbacks.Callback):
    def __init__(self, step):
        super().__init__()
        self.step, self.seen = (step,), []  # ExactResume would restore plain numbers

    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(batch)
        if len(self.seen) in self.step:
            raise KeyboardInterrupt


def run(folder, killed_after=-1):
    """Return all that a run leaves behind, None if it was killed."""
    keras.utils.set_random_seed(7)
    inputs = keras.Input((4,))
    hidden = keras.layers.Dropout(0.2, seed=3)(keras.layers.Dense(16, "tanh", name="base")(inputs))
    model = keras.Model(inputs, keras.layers.Dense(2, name="head")(hidden))
    model.compile(keras.optimizers.Adam(ut.training.WarmupDecay(0.2, steps=60, warmup_steps=4)), "mse")
    deciding = [
        ut.callbacks.NanGuard(every=4, factor=0.9, max_returns=99),
        ut.callbacks.EarlyStopping(patience=4),
        ut.callbacks.ReduceLROnPlateau(patience=1, cooldown=1),
        ut.callbacks.GradualUnfreeze([(0, "head"), (2, None)]),
        ut.callbacks.PruneTrial(rivals=[[9.0] * 10]),
    ]
    best = ut.callbacks.BestWeights(folder / "best.safetensors")
    resume = ExactResume(str(folder / "run"), every=1, background=False)
    try:
        history = model.fit(
            FEATURES, TARGETS, batch_size=4, shuffle=False, epochs=10, verbose=0,
            validation_data=(HELD_OUT, HELD_OUT[:, :2] * 2), callbacks=[*deciding, best, resume, Kill(killed_after)],
        )  # fmt: skip
    except KeyboardInterrupt:
        return None
    variables = [variable.numpy().tobytes() for variable in model.weights + model.optimizer.variables]
    states = json.dumps([callback.get_state() for callback in deciding])
    return json.dumps(history.history), states, variables, (folder / "best.safetensors").read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return run(tmp_path_factory.mktemp("whole"))


# In the first epoch, at the bad step, at the end of an epoch, after the layers were unfrozen, in the last epoch.
@pytest.mark.parametrize("step", [1, 4, 12, 17, 27, 41])
def test_the_end_is_the_same(step, whole, tmp_path):
    assert STEPS * 6 < 41 < STEPS * len(json.loads(whole[0])["loss"]) < STEPS * 10
    assert run(tmp_path, step) is None
    assert run(tmp_path) == whole
