"""An export, with all that a cluster needs to serve it."""

import re
import shutil
from pathlib import Path

from unitools.core.checks import check_choice, check_flag, check_integer, fail
from unitools.core.version import VERSION
from unitools.export.deployment.bundled_models import bundled_models, copy_models
from unitools.export.deployment.runbook import runbook_values
from unitools.export.deployment.serving_config import serving_values
from unitools.export.deployment.template_files import write_templates
from unitools.export.publish import publishing

_TARGETS = ("tf-serving", "unitools", "kserve")
_LABEL = re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?")
_PART = r"[a-z0-9]+([._-]+[a-z0-9]+)*"
_IMAGE = re.compile(
    rf"([A-Za-z0-9][A-Za-z0-9.-]*(:[0-9]+)?/)?{_PART}(/{_PART})*(:[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?"
    r"(@sha256:[0-9a-f]{64})?"
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_REQUIREMENT = re.compile(r"[A-Za-z0-9._-]+(\[[a-z,-]+\])?([=<>!~]=?[A-Za-z0-9.*+]+)?")
_CPU = re.compile(r"[1-9][0-9]{0,2}|[1-9][0-9]{1,5}m")
_MEMORY = re.compile(r"[1-9][0-9]{0,5}[MG]i")


def bundle(
    path: str | Path,
    output: str | Path,
    target: str = "tf-serving",
    *,
    name: str | None = None,
    image: str | None = None,
    tag: str = "2.20.0",
    package: str | Path | None = None,
    replicas: int = 2,
    cpu: str = "2",
    memory: str = "2Gi",
    overwrite: bool = False,
) -> Path:
    """Write what a cluster needs to serve an export: Dockerfile, models, Kubernetes manifests and a runbook.

    Why: a model in production needs more than a file: who may ask, how many copies, what happens at a roll-out, at a
    crash, at a node's end. The manifests run without root, on a read-only file system, with probes, limits, an
    autoscaler, a disruption budget and a network policy.

    Targets: "tf-serving" runs TensorFlow Serving behind nginx, which checks the API key that TensorFlow Serving cannot.
    "unitools" runs `python -m unitools serve`. "kserve" runs the same image as a KServe InferenceService, by the Open
    Inference Protocol v2. All three answer the same requests.

    Args:
        path: A version's folder that `saved_model` wrote, a model's folder of versions, or a folder of models. The
            newest version of each model is taken; it is checked as by `load`, without running it.
        output: Folder to write.
        target: "tf-serving", "unitools" or "kserve". Default "tf-serving".
        name: Name of the deployment: lower-case letters, digits and '-', at most 40. Default: the model's, if there is
            one and it is such a name.
        image: Name of the image to build and to pull. Default: NAME:VERSION.
        tag: Tag of the image tensorflow/serving. Default "2.20.0".
        package: For "unitools" and "kserve": a wheel file, which is copied, or a requirement of pip. Default:
            unitools[serve] of this version.
        replicas: Fewest copies; the autoscaler goes to three times as many. Default 2.
        cpu: CPUs of a copy, such as "2" or "500m". Default "2".
        memory: Memory of a copy, such as "2Gi" or "900Mi". Default "2Gi".
        overwrite: Replace an existing folder. Default False.

    Returns:
        The folder.

    Raises:
        FileExistsError: `output` exists, and `overwrite` is False.
        UnsafeArtefactError: An export is not what its manifest says, or holds operations that do not compute.
        ValueError: An argument cannot be used.

    Example:
    >>> import keras, tempfile, unitools as ut
    >>> layers = [keras.Input((4,), name="features"), keras.layers.Dense(2, "softmax")]
    >>> folder = tempfile.mkdtemp()
    >>> _ = ut.export.saved_model(keras.Sequential(layers), folder + "/iris/1", "arrays", fresh_process=False)
    >>> written = ut.export.bundle(folder + "/iris/1", folder + "/deployment")
    >>> (written / "RUNBOOK.md").is_file(), sorted(one.name for one in (written / "models").iterdir())
    (True, ['iris'])
    """
    check_choice("target", target, _TARGETS)
    check_flag("overwrite", overwrite)
    check_integer("replicas", replicas, 1)
    models = bundled_models(Path(path))
    name = _checked("name", name or (next(iter(models)) if len(models) == 1 else "models"), _LABEL, "a DNS label")
    newest = max(version for version, _ in models.values())
    values = {
        "image": _checked("image", image or f"{name}:{newest}", _IMAGE, "the name of an image"),
        "tag": _checked("tag", tag, _TAG, "the tag of an image"),
        "cpu": _checked("cpu", cpu, _CPU, 'CPUs, such as "2" or "500m"'),
        "memory": _checked("memory", memory, _MEMORY, 'memory, such as "2Gi" or "900Mi"'),
        "replicas": str(replicas),
        "most_replicas": str(3 * replicas),
        "requirement": _requirement(package),
    }
    values |= _derived(target, name, models)
    with publishing(output, overwrite) as folder:
        contracts = copy_models(models, folder / "models")
        _write(folder, target, values | serving_values(name, contracts, cpu), package)
    return Path(output)


def _derived(target, name, models):
    """Return what the templates are given besides the arguments."""
    return runbook_values(target, name) | {
        "name": name,
        "target": target,
        "model": next(iter(models)),
        "list_of_models": "\n".join(f"- `{model}`, version {version}" for model, (version, _) in models.items()),
        "metrics_port": "9090" if target == "tf-serving" else "8080",
    }


def _write(folder, target, values, package):
    if target != "tf-serving":
        (folder / "wheels").mkdir()
        (folder / "wheels" / "README").write_text("Wheels to install from come here.\n", encoding="utf-8")
        if _is_wheel(package):
            shutil.copy(package, folder / "wheels")
        write_templates("python-image", values, folder)
    if target != "kserve":
        write_templates("cluster", values, folder)
    write_templates("common", values, folder)
    write_templates(target, values, folder)
    for entry in folder.rglob("*"):
        entry.chmod(0o755 if entry.is_dir() else 0o644)  # the image's user is another than the one who builds it


def _checked(name, value, pattern, expected):
    """Return `value`, which goes into manifests as it is."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        fail(name, value, f"{expected}, matching {pattern.pattern}", f"Give {name}=.")
    return value


def _is_wheel(package):
    return package is not None and str(package).endswith(".whl")


def _requirement(package):
    """Return what pip installs, within the image."""
    if _is_wheel(package):
        if not Path(package).is_file():
            fail("package", str(package), "a wheel that exists", "Build it: pip wheel --no-deps -w dist .")
        file = _checked("package", Path(package).name, re.compile(r"[A-Za-z0-9_.+-]+\.whl"), "the name of a wheel")
        return f"/wheels/{file}[serve]"
    requirement = f"unitools[serve]=={VERSION}" if package is None else package
    return _checked("package", requirement, _REQUIREMENT, "a wheel or a requirement of pip")
