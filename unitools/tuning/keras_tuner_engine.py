"""Proposals by the oracles of KerasTuner."""

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

from unitools.core.checks import check_choice, check_integer
from unitools.core.optional import require
from unitools.tuning.engine import Engine
from unitools.tuning.keras_tuner_space import decoded, encoded, hyperparameters
from unitools.tuning.proposal import Proposal
from unitools.tuning.quiet import quiet
from unitools.tuning.space import Space

_OBJECTIVE = "score"
_ENDLESS = 10**9


class KerasTunerEngine(Engine):
    """Lets an oracle of KerasTuner propose settings: by a Gaussian process, by Hyperband, or at random.

    Only the oracle is used; trials run as in every search. With KerasTuner's own variables in the environment,
    `KERASTUNER_TUNER_ID`, `KERASTUNER_ORACLE_IP` and `KERASTUNER_ORACLE_PORT`, the process whose id is "chief" answers
    the others in its `Search.run`, and they run the trials, one at a time each.

    Args:
        strategy: "bayesian" (default), "hyperband", or "random".
        max_epochs: Epochs of the longest trials of "hyperband", >= 1. Default 27. It tells each trial how far to train
            (`trial.epochs`), and with whose weights to begin.
        factor: Share that "hyperband" lets go on: the best one of so many, >= 2. Default 3.
        iterations: How often "hyperband" goes through all its brackets, >= 1. Default 1.
        startup_trials: Random trials before "bayesian" begins to judge, >= 1. Default None: three a setting.

    Raises:
        ValueError: An argument is out of range.
        ImportError: KerasTuner is not installed.

    Example:
    >>> ut.tuning.KerasTunerEngine("hyperband", max_epochs=9).to_dict()["max_epochs"]
    9

    Source:
        O'Malley et al. 2019, KerasTuner; Li et al. 2018, Hyperband.
    """

    def __init__(
        self,
        strategy: str = "bayesian",
        *,
        max_epochs: int = 27,
        factor: int = 3,
        iterations: int = 1,
        startup_trials: int | None = None,
    ):
        require("keras_tuner", "tune", "`KerasTunerEngine`")
        self.strategy = check_choice("strategy", strategy, ("bayesian", "hyperband", "random"))
        self.max_epochs = check_integer("max_epochs", max_epochs, 1)
        self.factor = check_integer("factor", factor, 2)
        self.iterations = check_integer("iterations", iterations, 1)
        self.startup_trials = None if startup_trials is None else check_integer("startup_trials", startup_trials, 1)

    @property
    def keeps_weights(self) -> bool:
        """Whether trials begin with the weights of others."""
        return self.strategy == "hyperband"

    @property
    def shared(self) -> bool:
        """Whether this process asks a chief."""
        return self._chief_is_named() and not self._is_chief()

    @property
    def exhausted(self) -> bool:
        """Whether the oracle has ended the search."""
        return self._exhausted

    def open(self, space: Space, objective: str, direction: str, seed: int) -> None:
        """Make the oracle, or the way to the chief's."""
        self._space, self._exhausted, self._asked, self._ids = space, False, 0, {}
        with quiet():
            self._oracle = self._make_oracle(direction, seed)
            if self.shared:
                client = require("keras_tuner.src.distribute.oracle_client", "tune", "`KerasTunerEngine`")
                self._oracle = client.OracleClient(self._oracle)
            else:
                files = tempfile.mkdtemp()  # the oracle writes all it does; our log holds it already
                weakref.finalize(self, shutil.rmtree, files, ignore_errors=True)
                self._oracle._set_project_dir(files, "oracle")

    def serve(self, folder: Path, trials: int) -> bool:
        """Answer the other processes until so many trials have run, if this process is the chief."""
        if not self._is_chief():
            return False
        chief = require("keras_tuner.src.distribute.oracle_chief", "tune", "`KerasTunerEngine`")
        with quiet():
            self._oracle.max_trials = trials
            self._oracle._set_project_dir(folder, "chief")
            if Path(self._oracle._get_oracle_fname()).exists():
                self._oracle.reload()
            chief.start_server(self._oracle)
        return True

    def ask(self, settings: dict[str, Any] | None = None) -> Proposal | None:
        """Return the oracle's next trial."""
        with quiet():
            trial = self._oracle.create_trial(self._tuner_id())
            self._exhausted = trial.status == "STOPPED"
            if trial.status != "RUNNING":
                return None
            values = trial.hyperparameters.values
            if settings is not None:
                values.update(encoded(self._space, settings))
        self._ids[int(trial.trial_id)] = trial.trial_id
        source = values.get("tuner/trial_id")
        return Proposal(
            int(trial.trial_id),
            decoded(self._space, values),
            epochs=values.get("tuner/epochs"),
            initial_epoch=values.get("tuner/initial_epoch", 0),
            source=None if source is None else int(source),
        )

    def tell(self, number: int, state: str, score: float | None) -> None:
        """Tell the oracle. It learns from trials that ended with a score, and leaves out the others."""
        with quiet():
            # A chief gives a worker that was started again the trial it had.
            name = self._ids.get(number) or self._oracle.create_trial(self._tuner_id()).trial_id
            trial = self._oracle.get_trial(name)
            if state == "done":
                self._oracle.update_trial(trial.trial_id, {_OBJECTIVE: score})
            trial.status = "COMPLETED" if state == "done" else "INVALID"
            self._oracle.end_trial(trial)

    def _make_oracle(self, direction, seed):
        tuner = require("keras_tuner", "tune", "`KerasTunerEngine`")
        options = {
            "objective": tuner.Objective(_OBJECTIVE, direction),
            "hyperparameters": hyperparameters(self._space),
            "seed": seed + 1,  # 0 would mean a random one
            "max_consecutive_failed_trials": _ENDLESS,  # the search counts them, by their errors
        }
        if self.strategy == "hyperband":
            sizes = {"max_epochs": self.max_epochs, "factor": self.factor, "hyperband_iterations": self.iterations}
            oracle = tuner.oracles.HyperbandOracle(**sizes, **options)
        elif self.strategy == "bayesian":
            startup = {"max_trials": None, "num_initial_points": self.startup_trials}
            oracle = tuner.oracles.BayesianOptimizationOracle(**startup, **options)
        else:
            oracle = tuner.oracles.RandomSearchOracle(max_trials=None, **options)
        oracle.verbose = 0
        return oracle

    def _tuner_id(self):
        """Return who asks. An oracle gives one trial at a time to each, so that every trial has an asker of its own."""
        if self.shared:
            return os.environ["KERASTUNER_TUNER_ID"]
        self._asked += 1
        return f"asker-{self._asked}"

    def _chief_is_named(self):
        with quiet():
            return require("keras_tuner.src.distribute.utils", "tune", "`KerasTunerEngine`").has_chief_oracle()

    def _is_chief(self):
        return self._chief_is_named() and "chief" in os.environ["KERASTUNER_TUNER_ID"]
