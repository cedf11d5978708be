"""Versions come, go, and fail, while requests are answered."""

import shutil
import threading
import time

import keras
import numpy as np
import pytest

import unitools as ut
from unitools.serving.models.models_config import read_models_config
from unitools.serving.models.served_model import find_models


def constant_model(value):
    layers = [keras.Input((1,), name="x"), keras.layers.Dense(1, "linear", kernel_initializer="zeros")]
    model = keras.Sequential(layers)
    model.layers[-1].bias.assign([float(value)])
    return model


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Return a folder of versions 1 to 5, each of which answers its own number."""
    folder = tmp_path_factory.mktemp("made")
    for number in range(1, 6):
        ut.export.saved_model(constant_model(number), folder / str(number), "arrays", fresh_process=False)
    return folder


def publish(made, folder, number, source=None):
    aside = folder.parent / f".{folder.name}-{number}"
    shutil.copytree(made / str(source or number), aside)
    folder.mkdir(exist_ok=True)
    aside.rename(folder / str(number))


def answer(store, **options):
    found = store.submit("m", {"x": [[1.0]]}, **options).result(20)
    return found.version, float(next(iter(found.outputs.values()))[0, 0])


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.02)


@pytest.fixture
def store(made, tmp_path):
    publish(made, tmp_path / "m", 1)
    store = ut.serving.ModelStore(tmp_path, poll_s=0.05)
    store.start()
    yield store
    store.close()


def test_a_new_version_takes_over(store, made, tmp_path):
    assert answer(store) == (1, 1.0)
    publish(made, tmp_path / "m", 2)
    wait_for(lambda: answer(store) == (2, 2.0))
    wait_for(lambda: [state.state for state in store.versions("m")] == ["AVAILABLE", "END"])
    with pytest.raises(ut.serving.RequestError, match="Version 1 of model 'm' is not served"):
        answer(store, version=1)


def test_back_to_the_version_before(store, made, tmp_path):
    publish(made, tmp_path / "m", 2)
    wait_for(lambda: answer(store)[0] == 2)
    shutil.rmtree(tmp_path / "m" / "2")
    wait_for(lambda: answer(store)[0] == 1)
    assert answer(store) == (1, 1.0)


def test_half_written_versions_are_left_alone(store, made, tmp_path):
    """A version is there when its manifest agrees; before that the old one answers."""
    target = tmp_path / "m" / "2"
    target.mkdir()
    files = [path.relative_to(made / "2") for path in (made / "2").rglob("*") if path.is_file()]
    for file in sorted(files, key=lambda file: file.name == "manifest.json"):
        (target / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(made / "2" / file, target / file)
        time.sleep(0.1)
        if file != sorted(files, key=lambda file: file.name == "manifest.json")[-1]:
            assert answer(store) == (1, 1.0)
    wait_for(lambda: answer(store) == (2, 2.0))


def test_a_broken_version_says_why(store, made, tmp_path):
    shutil.copytree(made / "2", tmp_path / "broken")
    (tmp_path / "broken" / "saved_model.pb").write_bytes(b"no model")
    (tmp_path / "broken").rename(tmp_path / "m" / "2")
    wait_for(lambda: any("saved_model.pb" in state.error for state in store.versions("m")))
    assert answer(store) == (1, 1.0)
    publish(made, tmp_path / "m", 3)
    wait_for(lambda: answer(store) == (3, 3.0))


def test_a_deleted_folder_goes_on_answering(store, tmp_path):
    shutil.rmtree(tmp_path / "m")
    time.sleep(0.3)
    assert answer(store) == (1, 1.0)


def test_a_model_that_comes_later(store, made, tmp_path):
    publish(made, tmp_path / "other", 4)
    wait_for(lambda: "other" in store.names() and store.ready("other"))
    (value,) = store.submit("other", {"x": [[1.0]]}).result(20).outputs.values()
    assert (store.names(), value.tolist()) == (["m", "other"], [[4.0]])


def test_a_broken_model_that_comes_later_stops_nobody(store, made, tmp_path):
    (tmp_path / "new" / "1").mkdir(parents=True)
    (tmp_path / "new" / "1" / "saved_model.pb").write_bytes(b"half")
    wait_for(lambda: "new" in store.names() and store.versions("new") and store.versions("new")[0].error)
    assert store.ready()
    assert not store.ready("new")
    with pytest.raises(ut.serving.RequestError, match="No version of model 'new'"):
        store.submit("new", {"x": [[1.0]]})


def test_a_folder_that_cannot_be_read_for_a_while(store, made, tmp_path):
    (tmp_path / "m").rename(tmp_path / ".aside")
    (tmp_path / "m").symlink_to("m")  # reading it fails, for root too
    time.sleep(0.3)
    assert answer(store) == (1, 1.0)
    (tmp_path / "m").unlink()
    (tmp_path / ".aside").rename(tmp_path / "m")
    publish(made, tmp_path / "m", 2)
    wait_for(lambda: answer(store) == (2, 2.0))


def swap_under_load(made, folder, count):
    """Return (answers, failures) of four threads that ask while `count` versions come one after the other."""
    publish(made, folder / "m", 1)
    store = ut.serving.ModelStore(folder, poll_s=0.02)
    store.start()
    answers, failures, ended = [], [], threading.Event()

    def ask():
        while not ended.is_set():
            try:
                version, value = answer(store)
                answers.append((version, value))
            except Exception as error:
                failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(2, 2 + count):
        publish(made, folder / "m", number, source=(number - 1) % 5 + 1)
        wait_for(lambda: answer(store)[0] == number)  # noqa: B023
        shutil.rmtree(folder / "m" / str(number - 1))
    ended.set()
    for thread in threads:
        thread.join()
    store.close()
    assert all(value == (version - 1) % 5 + 1 for version, value in answers)
    assert {version for version, _ in answers} >= {1, 1 + count}
    return answers, failures


def test_three_swaps_under_load_lose_nothing(made, tmp_path):
    answers, failures = swap_under_load(made, tmp_path, 3)
    assert (failures, len(answers) > 100) == ([], True)


@pytest.mark.slow
def test_twenty_swaps_under_load_lose_nothing(made, tmp_path):
    answers, failures = swap_under_load(made, tmp_path, 20)
    assert (failures, len(answers) > 1000) == ([], True)


def test_folders_that_can_be_served(made, tmp_path):
    publish(made, tmp_path / "m", 1)
    for folder, name in ((tmp_path, "m"), (tmp_path / "m", "m"), (tmp_path / "m" / "1", "m")):
        (model,) = find_models(folder)
        assert (model.name, model.folder) == (name, tmp_path / "m")
    (tmp_path / "nothing").mkdir()
    for folder in (tmp_path / "nothing", tmp_path / "absent"):
        with pytest.raises(ValueError, match="NAME/VERSION/saved_model.pb"):
            ut.serving.ModelStore(folder)


def test_models_config_of_tensorflow_serving(made, tmp_path):
    for number in (1, 2, 3):
        publish(made, tmp_path / "m", number)
    config = tmp_path / "models.config"
    config.write_text(
        'model_config_list { config { name: "m" base_path: "m" model_platform: "tensorflow" '
        "model_version_policy { specific { versions: 1 versions: 3 } } "
        'version_labels { key: "stable" value: 1 } version_labels { key: "canary" value: 3 } } }'
    )
    store = ut.serving.ModelStore(read_models_config(config))
    store.start()
    assert answer(store, label="stable") == (1, 1.0)
    assert answer(store, label="canary") == answer(store) == (3, 3.0)
    for options, reason in (({"version": 2}, "not served"), ({"label": "x"}, "no label 'x'")):
        with pytest.raises(ut.serving.RequestError, match=reason):
            answer(store, **options)
    with pytest.raises(ut.serving.RequestError, match="not both"):
        answer(store, version=1, label="stable")
    store.close()
    for text in ("", "no config", "model_config_list { config { name: 'm' } }"):
        config.write_text(text)
        with pytest.raises(ValueError, match="models_config"):
            read_models_config(config)


def test_the_newest_are_served(made, tmp_path):
    for number in (1, 2, 3):
        publish(made, tmp_path / "m", number)
    store = ut.serving.ModelStore([ut.serving.ServedModel("m", tmp_path / "m", newest=2)])
    store.start()
    assert answer(store, version=2) == (2, 2.0)
    with pytest.raises(ut.serving.RequestError, match="not served"):
        answer(store, version=1)
    store.close()


def test_a_store_of_which_nothing_loads_says_why(made, tmp_path):
    publish(made, tmp_path / "m", 1)
    (tmp_path / "m" / "1" / "manifest.json").unlink()
    with pytest.raises(ValueError, match="manifest.json"):
        ut.serving.ModelStore(tmp_path).start()
    store = ut.serving.ModelStore(tmp_path, require_manifest=False)
    store.start()
    assert answer(store) == (1, 1.0)
    store.close()


def test_predictor_in_process(made):
    predictor = ut.serving.Predictor(made / "4")
    (value,) = predictor.predict({"x": np.zeros((3, 1))}).values()
    np.testing.assert_array_equal(value, np.full((3, 1), 4.0))
    with pytest.raises(ut.serving.RequestError, match="exactly \\['x'\\]"):
        predictor.predict({"y": [[1]]})
