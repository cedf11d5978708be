"""An export, and its bundle for each target."""

import keras
import pytest

import unitools as ut

TARGETS = ("tf-serving", "unitools", "kserve")


@pytest.fixture(scope="session")
def iris(tmp_path_factory):
    """(folder of two versions, the newer version's model)."""
    folder = tmp_path_factory.mktemp("bundled") / "iris"
    for version in (1, 2):
        keras.utils.set_random_seed(version)
        model = keras.Sequential([keras.Input((4,), name="features"), keras.layers.Dense(2, "softmax")])
        ut.export.saved_model(model, folder / str(version), "arrays", labels=["no", "yes"], fresh_process=False)
    return folder, model


@pytest.fixture(scope="session")
def bundles(iris, tmp_path_factory):
    """{target: folder}."""
    folder = tmp_path_factory.mktemp("bundles")
    return {target: ut.export.bundle(iris[0], folder / target, target) for target in TARGETS}
