import itertools
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import unitools as ut
from tests.tuning import builds
from unitools.tuning import FailedBuildError, FailedSearchError, KerasTunerEngine, Number, OptunaEngine, Search

ROOT = Path(__file__).resolve().parents[2]
X = {"x": Number(-5, 5)}
ENGINES = {
    "tpe": lambda: OptunaEngine(startup_trials=2),
    "successive_halving": lambda: OptunaEngine("random", pruner="successive_halving"),
    "optuna_hyperband": lambda: OptunaEngine(pruner="hyperband", max_steps=3),
    "bayesian": lambda: KerasTunerEngine(startup_trials=3),
    "hyperband": lambda: KerasTunerEngine("hyperband", max_epochs=9),
    "random": lambda: KerasTunerEngine("random"),
}


def told(search):
    """Return what a search did, times and processes left out."""
    return [(trial.settings, trial.state, trial.score, trial.reports) for trial in search.trials]


@pytest.mark.parametrize("name", ENGINES)
def test_a_search_in_parts_equals_one_at_a_stretch(tmp_path, name):
    whole = Search(builds.parabola, X, "error", engine=ENGINES[name](), folder=tmp_path / "whole", seed=3)
    whole.run(8)
    for trials in (1, 4, 8):
        parts = Search(builds.parabola, X, "error", engine=ENGINES[name](), folder=tmp_path / "parts", seed=3)
        parts.run(trials)
        assert len(parts.trials) == trials
    assert told(parts) == told(whole)
    scores = [trial.score for trial in whole.trials if trial.state == "done"]
    np.testing.assert_allclose(scores, [(t.settings["x"] - 1) ** 2 for t in whole.trials if t.state == "done"])
    assert whole.best.score == min(scores)


def test_seeds_differ_and_repeat(tmp_path):
    runs = [Search(builds.parabola, X, "error", folder=tmp_path / str(n), seed=n // 2) for n in range(4)]
    for search in runs:
        search.run(2)
    assert told(runs[0]) == told(runs[1])
    assert told(runs[2]) == told(runs[3]) != told(runs[1])


def test_the_model_based_engines_find_the_minimum(tmp_path):
    for name in ("tpe", "bayesian"):
        search = Search(builds.parabola, X, "error", engine=ENGINES[name](), folder=tmp_path / name)
        search.run(25, workers=2)
        assert abs(search.best.settings["x"] - 1) < 0.7  # of 25 random ones the nearest is 0.2 away, in the mean


def test_trials_that_fall_behind_are_ended(tmp_path):
    search = Search(builds.parabola, X, "error", engine=OptunaEngine("random", startup_trials=2), folder=tmp_path)
    search.run(8)
    ended = [trial for trial in search.trials if trial.state != "running"]
    for trial in ended:  # the median rule, by hand: at each step, the best so far against the others' values there
        before = [other for other in ended[: trial.number] if other.state == "done"]
        stops = []
        for step in trial.reports if len(before) >= 2 else ():
            best = min(value for at, value in trial.reports.items() if at <= step)
            stops.append(best > np.median([other.reports[step] for other in before]))
        assert (trial.state == "pruned") == any(stops)
        assert len(trial.reports) == (stops.index(True) + 1 if any(stops) else 3)
    assert {trial.state for trial in ended} == {"done", "pruned"}


def test_hyperband_goes_on_from_the_better_ones(tmp_path):
    notes = tmp_path / "notes"
    engine = KerasTunerEngine("hyperband", max_epochs=3)
    search = Search(builds.budget, X | {"notes": str(notes)}, "error", engine=engine, folder=tmp_path / "s")
    search.run(100)
    rows = [line.split() for line in notes.read_text().splitlines()]
    first = {row[0]: float(search.trials[int(row[0])].score) for row in rows if row[1:] == ["0", "1", "-"]}
    onward = [row for row in rows if row[3] != "-"]
    assert [row[1:3] for row in onward] == [["1", "3"]] * len(onward)
    best = sorted(first, key=first.get)[: len(onward)]
    assert sorted(f"{int(name):04d}" for name in best) == sorted(row[3] for row in onward)
    assert len(rows) < 100  # the oracle ended the search


def test_a_trial_imports_no_tensorflow(tmp_path):
    search = Search(builds.imports, X, "error", folder=tmp_path)
    search.run(1)
    assert search.best.scores["loaded"] == 0


SCRIPT = """
import sys
from unitools.tuning import Number, OptunaEngine, Search
from tests.tuning import builds
folder, notes, trials, storage = sys.argv[1:5]
engine = OptunaEngine("random", pruner=None, storage=storage or None)
space = {"x": Number(-5, 5), "notes": notes}
Search(builds.counted, space, "error", engine=engine, folder=folder, seed=5).run(int(trials))
"""


def script(*arguments):
    return subprocess.Popen([sys.executable, "-c", SCRIPT, *map(str, arguments)], cwd=ROOT)


def lines(path):
    return path.read_text().splitlines() if path.exists() else []


def test_a_killed_search_goes_on(tmp_path):
    notes = tmp_path / "notes"
    process = script(tmp_path / "s", notes, 6, "")
    while len(lines(notes)) < 3:
        time.sleep(0.02)
        assert process.poll() is None
    process.kill()
    process.wait()
    log = tmp_path / "s" / "log.jsonl"
    with log.open("a") as file:
        file.write('{"event": "end", "tri')  # as a kill within a write leaves it
    engine = OptunaEngine("random", pruner=None)
    space = X | {"notes": str(notes)}
    search = Search(builds.counted, space, "error", engine=engine, folder=tmp_path / "s", seed=5)
    done = [trial.number for trial in search.trials if trial.state == "done"]
    assert [trial.state for trial in search.trials].count("running") == 1
    search.run(6)
    numbers = [line.split()[0] for line in lines(notes)]
    assert [numbers.count(str(number)) for number in done] == [1] * len(done)
    assert [trial.state for trial in search.trials] == ["done"] * 6
    whole = Search(
        builds.counted, space, "error", engine=OptunaEngine("random", pruner=None), folder=tmp_path / "w", seed=5
    )
    whole.run(6)
    assert told(search) == told(whole)


@pytest.mark.parametrize("storage", ["", "sqlite", "journal"])
def test_two_processes_share_a_search(tmp_path, storage):
    notes = tmp_path / "notes"
    address = {"sqlite": f"sqlite:///{tmp_path}/study.db", "journal": f"{tmp_path}/study.journal"}.get(storage, "")
    if address:  # the tables are made by one
        assert script(tmp_path / "s0", notes, 1, address).wait() == 0
    folders = [tmp_path / "s1", tmp_path / "s2"] if address else [tmp_path / "s"] * 2
    processes = [script(folder, notes, 6, address) for folder in folders]
    assert [process.wait() for process in processes] == [0, 0]
    numbers = [int(line.split()[0]) for line in lines(notes)]
    assert len(numbers) == len(set(numbers))  # no trial ran twice
    assert sorted(numbers)[:6] == [0, 1, 2, 3, 4, 5]


CHIEF = """
import sys
from unitools.tuning import KerasTunerEngine, Number, Search
from tests.tuning import builds
folder, notes = sys.argv[1:3]
engine = KerasTunerEngine("random")
Search(builds.counted, {"x": Number(-5, 5), "notes": notes}, "error", engine=engine, folder=folder, seed=5).run(4)
"""


def test_a_chief_of_keras_tuner_answers_a_worker(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    processes = []
    for name in ("chief", "worker"):
        names = {"TUNER_ID": name, "ORACLE_IP": "127.0.0.1", "ORACLE_PORT": port}
        environment = os.environ | {f"KERASTUNER_{key}": value for key, value in names.items()}
        command = [sys.executable, "-c", CHIEF, str(tmp_path / name), str(tmp_path / "notes")]
        processes.append(subprocess.Popen(command, cwd=ROOT, env=environment))
    assert [process.wait(timeout=120) for process in processes] == [0, 0]
    assert [line.split()[0] for line in lines(tmp_path / "notes")] == ["0", "1", "2", "3"]
    assert len(list((tmp_path / "chief" / "chief").glob("trial_*"))) == 4
    assert not (tmp_path / "chief" / "trials").exists()


def test_workers_run_at_a_time(tmp_path):
    notes = tmp_path / "notes"
    search = Search(builds.counted, X | {"notes": str(notes)}, "error", folder=tmp_path / "s")
    search.run(6, workers=2)
    events = [json.loads(line) for line in lines(tmp_path / "s" / "log.jsonl")]
    changes = [{"start": 1, "end": -1}.get(event["event"], 0) for event in events]
    assert max(itertools.accumulate(changes)) == 2
    assert [trial.state for trial in search.trials].count("running") == 0


def test_the_same_error_three_times_stops_the_search(tmp_path):
    search = Search(builds.broken, X, "error", folder=tmp_path)
    with pytest.raises(FailedBuildError) as caught:
        search.run(10)
    for part in ("3 trials in a row", "KeyError: 'no such layer'", "builds.py", "about to fail", "'build'"):
        assert part in str(caught.value)
    assert [(trial.state, trial.error["stage"]) for trial in search.trials] == [("failed", "build")] * 3


def test_other_ends_are_recorded(tmp_path):
    search = Search(builds.by_number, X, "error", folder=tmp_path)
    search.run(5, trial_time_s=1.5)
    assert [trial.state for trial in search.trials] == ["failed", "killed", "timeout", "diverged", "done"]
    messages = [trial.error.get("message", "") for trial in search.trials]
    assert messages[:3] == [
        "ValueError: first",
        "killed by SIGKILL, as the system does where memory runs out",
        "ran longer than 1.5 s",
    ]
    assert search.best.number == 4


def test_time_in_all(tmp_path):
    search = Search(builds.by_number, X, "error", folder=tmp_path)
    search.run(5, time_s=1.5)
    assert [trial.state for trial in search.trials] == ["failed", "killed", "running"]


def test_the_best_are_kept_and_verified(tmp_path):
    search = Search(builds.parabola, X, "error", engine=OptunaEngine("random", pruner=None), folder=tmp_path)
    search.run(6, keep=2)
    ranked = sorted(search.trials, key=lambda trial: trial.score)
    assert [(trial.folder / "model.txt").exists() for trial in ranked] == [True, True, False, False, False, False]
    assert search.verify(builds.read_model) == search.best.score
    (search.best.folder / "model.txt").write_text("7")
    with pytest.raises(FailedSearchError, match="Received 7.0"):
        search.verify(builds.read_model)


def test_functions_that_no_module_holds_are_pickled(tmp_path):
    shift = 2.0
    search = Search(lambda settings, trial: abs(settings["x"] - shift), X, "error", folder=tmp_path)
    search.run(1)
    assert search.best.score == abs(search.best.settings["x"] - 2)


def test_table_and_importance(tmp_path):
    space = X | {"idle": ut.tuning.Choice(["a", "b"]), "kind": "parabola"}
    engine = OptunaEngine("random", pruner=None)
    search = Search(builds.parabola, space, "error", engine=engine, folder=tmp_path)
    table = search.run(12, workers=2)
    rows = json.loads(table.json())
    assert [row["score"] for row in rows] == sorted(trial.score for trial in search.trials)
    assert table.csv().splitlines()[0] == "trial,state,score,x,idle,kind,seconds,error"
    assert len(table.csv().splitlines()) == 13
    for method in ("permutation", "fanova"):
        shares = search.importance(method)
        assert sum(shares.values()) == pytest.approx(1)
        assert shares["x"] > 0.7 > 0.3 > shares["idle"]


def test_hparams_are_written(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams import plugin_data_pb2

    search = Search(builds.parabola, X, "error", folder=tmp_path)
    search.run(1)
    events = EventAccumulator(str(search.write_hparams() / "0000"))
    events.Reload()
    data = events.summary_metadata["_hparams_/session_start_info"].plugin_data.content
    written = plugin_data_pb2.HParamsPluginData.FromString(data).session_start_info.hparams
    assert written["x"].number_value == search.trials[0].settings["x"]


def test_what_another_search_left_is_refused(tmp_path):
    Search(builds.parabola, X, "error", folder=tmp_path)
    others = {
        "space['x']": {"space": {"x": Number(-5, 6)}},
        "objective": {"objective": "loss"},
        "seed": {"seed": 1},
        "engine['pruner']": {"engine": OptunaEngine(pruner=None)},
        "build": {"build": builds.counted},
    }
    for name, change in others.items():
        given = {"build": builds.parabola, "space": X, "objective": "error", "folder": tmp_path} | change
        with pytest.raises(FailedSearchError) as caught:
            Search(**given)
        assert f"whose {name} is" in str(caught.value)


def test_a_damaged_log_is_named(tmp_path):
    Search(builds.parabola, X, "error", folder=tmp_path).run(1)
    log = tmp_path / "log.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"start"', b'"start'))
    with pytest.raises(FailedSearchError, match="Line 2 of"):
        Search(builds.parabola, X, "error", folder=tmp_path)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"build": 3}, TypeError, "build=3"),
        ({"build": lambda settings, trial, held=sys.stdout: 0}, ValueError, "cloudpickle says"),
        ({"space": {"x": 3}}, ValueError, "leave nothing to search"),
        ({"objective": "speed"}, ValueError, "does not tell whether"),
        ({"objective": ""}, ValueError, "the name of a score"),
        ({"direction": "up"}, ValueError, "direction='up'"),
        ({"engine": "grid"}, ValueError, "engine='grid'"),
        ({"seed": -1}, ValueError, "seed=-1"),
    ],
)
def test_bad_arguments_are_refused(tmp_path, change, error, message):
    given = {"build": builds.parabola, "space": X, "objective": "error", "folder": tmp_path} | change
    with pytest.raises(error) as caught:
        Search(**given)
    assert message in str(caught.value)


def test_an_unknown_objective_stops_at_once(tmp_path):
    search = Search(builds.wrong_name, X, "val_loss", folder=tmp_path)
    with pytest.raises(ValueError, match="among the scores of the trial, 'loss', 'f1'. Received objective='val_loss'"):
        search.run(5)
    assert len(search.trials) == 1
    with pytest.raises(ValueError, match="a trial that ended with a score"):
        search.best  # noqa: B018


def test_what_is_no_score_is_told(tmp_path):
    with pytest.raises(FailedBuildError, match="`build` must return a score"):
        Search(builds.nothing, X, "error", folder=tmp_path).run(5)
