import pytest

import unitools as ut
from unitools.tuning import Choice, Flag, Integer, Number, Space

CONDITIONAL = Space(
    {
        "nesterov": Flag(when={"momentum": [0.5, 0.9], "optimizer": "sgd"}),
        "momentum": Choice([0.0, 0.5, 0.9], when={"optimizer": ["sgd", "rmsprop"]}),
        "optimizer": Choice(["adam", "sgd", "rmsprop"]),
        "epochs": 3,
        "rate": Number(0.1, 1, when={"epochs": 3}),
    }
)


@pytest.mark.parametrize(
    ("given", "names"),
    [
        ({"optimizer": "adam", "momentum": 0.5, "nesterov": True}, {"optimizer"}),
        ({"optimizer": "sgd", "momentum": 0.0, "nesterov": True}, {"optimizer", "momentum"}),
        ({"optimizer": "rmsprop", "momentum": 0.5, "nesterov": True}, {"optimizer", "momentum"}),
        ({"optimizer": "sgd", "momentum": 0.9, "nesterov": True}, {"optimizer", "momentum", "nesterov"}),
    ],
)
def test_settings_are_there_where_their_conditions_hold(given, names):
    settings = CONDITIONAL.settings(given | {"rate": 0.5})
    assert set(settings) == names | {"epochs", "rate"}
    assert settings["epochs"] == 3


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        (Choice([1, "a", None, [1, 2]]), [1, "a", None, [1, 2]], [True, 1.5, "b", [2, 1]]),
        (Integer(2, 10, step=4), [2, 6, 10], [1, 4, 14, 6.5, True]),
        (Integer(1, 8, log=True), [1, 5, 8], [0, 9]),
        (Number(0, 1, step=0.1), [0.0, 0.30000000000000004, 1], [0.25, 1.1, "0.1", False]),
        (Number(1e-4, 1, log=True), [1e-4, 0.5], [0, 2]),
        (Flag(), [True, False], [0, 1, None]),
    ],
)
def test_domains_know_their_values(domain, inside, outside):
    assert [domain.contains(value) for value in inside] == [True] * len(inside)
    assert [domain.contains(value) for value in outside] == [False] * len(outside)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Choice([]), "nothing to try"),
        (lambda: Choice("adam"), "values='adam'"),
        (lambda: Choice([1, 1]), "differ"),
        (lambda: Choice([object()]), "JSON"),
        (lambda: Integer(5, 3), "high=3"),
        (lambda: Integer(0, 3, log=True), "low=0"),
        (lambda: Integer(1, 3, log=True, step=2), "step=2"),
        (lambda: Number(1, 0), "high=0"),
        (lambda: Number(0, 1, log=True), "low=0"),
        (lambda: Number(0, 1, step=0), "step=0"),
        (lambda: Flag(when="sgd"), "when='sgd'"),
        (lambda: Space({}), "fixed values leave nothing"),
        (lambda: Space({"a": 1}), "fixed values leave nothing"),
        (lambda: Space([Flag()]), "settings"),
        (lambda: Space({"score": Flag()}), "columns"),
        (lambda: Space({"a": Flag(when={"b": 1})}), "depends on 'b'"),
        (lambda: Space({"a": Flag(when={"b": 7}), "b": Integer(1, 3)}), "in no trial"),
        (lambda: Space({"a": Flag(when={"b": 7}), "b": 6}), "in no trial"),
        (lambda: Space({"a": Flag(when={"b": True}), "b": Flag(when={"a": True})}), "circle"),
        (lambda: CONDITIONAL.settings({"optimizer": "lion"}), "'lion'"),
    ],
)
def test_spaces_without_a_value_left_are_refused(make, message):
    with pytest.raises(ValueError, match="must be") as caught:
        make()
    assert message in str(caught.value)


@pytest.mark.parametrize("engine", [ut.tuning.OptunaEngine, ut.tuning.KerasTunerEngine])
def test_engines_propose_values_of_the_space(engine):
    space = Space(
        {
            "kind": Choice(["a", None, [1, 2]]),
            "rate": Number(1e-4, 1, log=True, when={"kind": "a"}),
            "share": Number(0, 1, step=0.25),
            "deep": Flag(when={"rate": [1.0], "kind": "a"}),
            "units": Integer(8, 64, step=8, when={"kind": [None, "a"]}),
        }
    )
    proposer = engine("random")
    proposer.open(space, "score", "max", 0)
    kinds = set()
    for number in range(20):
        proposal = proposer.ask()
        assert proposal.number == number
        assert space.settings(proposal.settings) == proposal.settings
        assert ("rate" in proposal.settings) == (proposal.settings["kind"] == "a")
        assert ("units" in proposal.settings) == (proposal.settings["kind"] != [1, 2])
        kinds.add(str(proposal.settings["kind"]))
        proposer.tell(number, "done", float(number))
    assert kinds == {"a", "None", "[1, 2]"}
