"""What the runbook says of each target."""

_OF_UNITOOLS = {
    "make_key": 'kubectl create secret generic $name-keys --from-literal=key="$KEY"',
    "watch": (
        "`unitools_requests_total` by status, `unitools_request_seconds` and `unitools_batch_rows`, at `/metrics`, "
        "with the key"
    ),
    "rotate": (
        "the server takes one. Write the new one into the secret, `kubectl rollout restart deployment/$workload`, and "
        "give it to the clients in the same hour."
    ),
}
_BACK = "kubectl rollout undo deployment/$workload"
_VALUES = {
    "tf-serving": {
        "workload": "$name",
        "protocol": "v1",
        "roll_back": _BACK,
        "make_key": 'kubectl create secret generic $name-keys --from-literal=keys.conf="\\"$KEY\\" 1;"',
        "watch": (
            "`:tensorflow:serving:request_count` by status and `:tensorflow:serving:request_latency`, at port 9090, "
            "`/monitoring/prometheus/metrics`"
        ),
        "rotate": (
            "put both keys into the secret, a line each, and `kubectl rollout restart deployment/$workload`; once all "
            "clients have the new one, take the old one out and restart again."
        ),
    },
    "unitools": {"workload": "$name", "protocol": "v1", "roll_back": _BACK} | _OF_UNITOOLS,
    "kserve": {
        "workload": "$name-predictor",
        "protocol": "v2",
        "roll_back": "kubectl apply -k OLD_BUNDLE/kubernetes",  # KServe makes the deployment, and would undo an undo
    }
    | _OF_UNITOOLS,
}


def runbook_values(target: str, name: str) -> dict[str, str]:
    """Return what stands in RUNBOOK.md for the names that differ by target.

    Args:
        target: "tf-serving", "unitools" or "kserve".
        name: Name of the deployment.
    """
    values = _VALUES[target]
    workload = values["workload"].replace("$name", name)
    return {key: text.replace("$workload", workload).replace("$name", name) for key, text in values.items()}
