"""Models that hear: exports of waveforms and of WAV files. The reference reads files by scipy."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.io import wavfile

import unitools as ut

RATE, SAMPLES = 8000, 4000
LABELS = [str(digit) for digit in range(10)]


def hearing(num_samples=SAMPLES, shape=None, kernel=64):
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape or (num_samples, 1))
    x = keras.layers.GaussianNoise(0.5)(inputs)
    x = keras.layers.Conv1D(8, kernel, kernel // 4, activation="relu", kernel_initializer="he_normal")(x)
    x = keras.layers.Dense(10)(keras.layers.GlobalMaxPooling1D()(x))
    return keras.Model(inputs, keras.layers.Softmax()(x))


def wav(samples, rate=RATE):
    """Return a WAV file of int16 `(samples,)` or `(samples, channels)`."""
    file = io.BytesIO()
    wavfile.write(file, rate, np.asarray(samples, np.int16))
    return file.getvalue()


def export(model, path, *args, **options):
    options = {"sample_rate_hz": RATE, "fresh_process": False} | options
    return ut.export.saved_model(model, path, *args, **options)


def decoded(files, num_samples):
    return ut.export.waveforms_from_bytes(tf.constant(files, tf.string), RATE, num_samples).numpy()


@pytest.fixture
def target(tmp_path):
    return tmp_path / "digits" / "1"


def test_real_recordings_in_a_fresh_process_and_over_rest(target, shared_data):
    files = sorted(shared_data("fsdd").glob("recordings/*_0.wav"))[:6]
    model = hearing()
    report = export(model, target, "audio_bytes", labels=LABELS, examples=files, top_k=3, fresh_process=True)
    assert set(report.differences) == {"serving_default", "serving_bytes", "serving_waveforms"}
    heard = np.zeros((len(files), SAMPLES), np.float32)
    for row, file in zip(heard, files, strict=True):
        rate, samples = wavfile.read(file)
        assert rate == RATE
        row[: len(samples)] = samples[:SAMPLES] / 32768
    expected = model.predict(heard[..., np.newaxis], verbose=0)
    encoded = [file.read_bytes() for file in files]
    with (
        ut.serving.Server(target.parent.parent, port=0, grpc_port=0) as server,
        ut.serving.Client(server.url) as client,
    ):
        answers = client.predict("digits", {"audio_bytes": encoded})
        waveforms = client.predict("digits", {"waveforms": heard}, signature="serving_waveforms")
    for answer in (answers, waveforms, ut.export.load(target)({"audio_bytes": np.array(encoded, object)})):
        np.testing.assert_allclose(answer["probabilities"], expected, rtol=1e-4, atol=1e-6)
    assert [one.decode() for one in answers["label"]] == [LABELS[place] for place in expected.argmax(-1)]


def test_waveforms_are_cut_padded_and_mixed():
    mono, stereo = np.arange(-3, 4) * 1000, np.array([[100, 300], [-200, 0]])
    heard = decoded([wav(mono), wav(stereo)], 5)
    np.testing.assert_array_equal(heard[0], mono[:5] / np.float32(32768))
    np.testing.assert_array_equal(heard[1] * 32768, [200, -100, 0, 0, 0])
    assert decoded([], 5).shape == (0, 5)


def test_the_extremes_of_16_bit():
    np.testing.assert_array_equal(decoded([wav([-32768, 32767])], 2), [[-1.0, 32767 / 32768]])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (lambda: wav([1, 2], rate=16000), "must have 8000 samples a second"),
        (lambda: b"no sound", "RIFF|[Hh]eader|WAV"),
        (lambda: b"", "too short"),
        (lambda: wav(range(100))[:30], "too short"),
    ],
)
def test_a_file_that_cannot_be_heard_is_an_error_of_the_call(target, content, message):
    export(hearing(), target, "audio_bytes")
    served = tf.saved_model.load(str(target)).signatures["serving_default"]
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        served(audio_bytes=tf.constant([content()]))


def test_a_preprocessing_hides_the_length(target):
    def spectrum(waveforms):
        return tf.abs(tf.signal.stft(waveforms, frame_length=256, frame_step=128))

    model = hearing(shape=(None, 129), kernel=8)
    with pytest.raises(ValueError, match="`num_samples` must be a number of samples"):
        export(model, target, "audio_bytes", preprocess=spectrum)
    report = export(model, target, "audio_bytes", preprocess=spectrum, num_samples=2000)
    assert report.made_examples and report.num_examples == 4
    waveforms = np.random.default_rng(0).uniform(-1, 1, (3, 2000)).astype("float32")
    answer = ut.export.load(target)({"waveforms": waveforms}, signature="serving_waveforms")
    expected = model.predict(spectrum(waveforms).numpy(), verbose=0)
    np.testing.assert_allclose(answer["probabilities"], expected, rtol=1e-4, atol=1e-6)


def test_waveforms_of_any_length_and_none(target):
    model = hearing(None)
    export(model, target, "waveforms")
    served = tf.saved_model.load(str(target)).signatures
    assert set(served) == {"serving_default", "serving_waveforms"}
    for count, length in ((2, 3000), (0, 500)):
        answer = served["serving_default"](waveforms=tf.zeros((count, length)))
        assert answer["probabilities"].shape == (count, 10)
    assert ut.export.verify(target, model, fresh_process=False).num_examples == 4


def test_the_contract_says_the_rate(target):
    export(hearing(), target, "audio_bytes")
    contract = ut.export.load(target).contract
    assert contract["sample_rate_hz"] == RATE
    assert contract["signatures"]["serving_bytes"]["inputs"] == {"audio_bytes": {"dtype": "string", "shape": [None]}}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"sample_rate_hz": None}, "`sample_rate_hz` must be an integer"),
        ({"sample_rate_hz": 0}, "`sample_rate_hz` must be an integer"),
        ({"num_samples": 0}, "`num_samples` must be an integer"),
        ({"num_samples": 100}, "`num_samples` must be the model's own, 4000"),
        ({"image_size": (8, 8)}, 'left out with inputs="audio_bytes"'),
        ({"examples": np.zeros((2, 5))}, "`examples` must be one or more waveforms"),
        ({"inputs": "arrays"}, "`sample_rate_hz` must be left out"),
        ({"inputs": "images", "sample_rate_hz": None, "num_samples": 4}, "`num_samples` must be left out"),
    ],
)
def test_bad_arguments(target, options, message):
    options = {"inputs": "audio_bytes"} | options
    with pytest.raises(ValueError, match=message):
        export(hearing(), target, **options)
    assert not target.exists()


def test_a_model_that_does_not_hear(target):
    with pytest.raises(ValueError, match="a model of one float input"):
        export(keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten()]), target, "waveforms")
