"""A search for good settings."""

import os
import shutil
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from unitools.core.checks import check_choice, check_integer, check_number, fail
from unitools.tuning.build_reference import build_reference
from unitools.tuning.direction import direction_of
from unitools.tuning.engine import Engine
from unitools.tuning.failed_search_error import FailedSearchError
from unitools.tuning.hparams import write_hparams
from unitools.tuning.keras_tuner_engine import KerasTunerEngine
from unitools.tuning.optuna_engine import OptunaEngine
from unitools.tuning.result_table import ResultTable
from unitools.tuning.runner import Limits, run_trials
from unitools.tuning.search_state import SearchState
from unitools.tuning.setting_importance import setting_importance
from unitools.tuning.space import Space
from unitools.tuning.trial import Trial
from unitools.tuning.trial_jobs import TrialJobs
from unitools.tuning.trial_record import TrialRecord

_ENGINES = {"optuna": OptunaEngine, "keras_tuner": KerasTunerEngine}


class Search:
    """Searches settings of data, model, regularization and training, each trial in a process of its own.

    Why: in one process the memory of trials adds up, and one that dies takes the search with it. Here the search is a
    log: killed at any moment it goes on, and several processes may work on one folder.

    `build(settings, trial)` makes and trains what the settings say, and returns one of

    - `(model, arguments)`: a compiled model and what `fit` is to be given. The search fits it, prunes it, keeps the
      weights of the best epoch, and can evaluate them again. Recommended.
    - the History of a `fit` that was given `callbacks=trial.callbacks()`;
    - a score, or a dict of scores; `trial.report(value)` tells intermediate ones, and whether to stop.

    It must stand at the top level of a module or script, below which `if __name__ == "__main__":` guards the search;
    elsewhere, as in a notebook, cloudpickle sends it. A trial imports TensorFlow only if `build` does.

    Args:
        build: The function.
        space: A `Space`, or the dict to make one of.
        objective: Name of the score that counts, such as "val_accuracy"; of several epochs the best one's.
        engine: "optuna" (default), "keras_tuner", or an `OptunaEngine` or `KerasTunerEngine` with options.
        folder: Folder of the search: its log and the trials' folders. Default "search". One that exists goes on.
        direction: "max" or "min". Default None: as the name of the objective tells.
        seed: Seed of the proposals and, with the trial's number, of each trial. Default 0.

    Raises:
        ValueError: An argument is out of range; `build` cannot be sent to another process.
        FailedSearchError: The folder holds another search; the text says in what they differ.

    Example:
    >>> def build(settings, trial):
    ...     return (settings["x"] - 2) ** 2
    >>> search = ut.tuning.Search(build, {"x": ut.tuning.Number(-5, 5)}, "error", folder="parabola")
    >>> _ = search.run(trials=3)
    >>> search.best.score == min(trial.score for trial in search.trials)
    True
    """

    def __init__(
        self,
        build: Callable,
        space: Space | Mapping[str, Any],
        objective: str,
        *,
        engine: str | Engine = "optuna",
        folder: str | os.PathLike = "search",
        direction: str | None = None,
        seed: int = 0,
    ):
        self.space = space if isinstance(space, Space) else Space(space)
        self.objective, self.direction = objective, direction_of(objective, direction)
        self.seed = check_integer("seed", seed, 0, 2**31 - 2)
        self.folder = Path(folder).absolute()
        if not isinstance(engine, Engine):
            engine = _ENGINES[check_choice("engine", engine, tuple(_ENGINES), "Or give an engine with options.")]()
        self.engine = engine
        engine.open(self.space, objective, self.direction, self.seed)
        function = build_reference("build", build)
        self._jobs = TrialJobs(function, objective, self.direction, self.seed, self.folder)
        self._state = SearchState(self.folder, engine, self._header(function["name"]))

    @property
    def trials(self) -> list[TrialRecord]:
        """All trials so far, by number, those of other processes on this folder too."""
        self._state.sync()
        return [record for _, record in sorted(self._state.trials.items())]

    @property
    def best(self) -> TrialRecord:
        """The trial with the best score among those that were not cut short.

        Raises:
            ValueError: None has ended with a score.
        """
        done = self._ranked()
        if not done:
            fail("best", None, "a trial that ended with a score", "Run the search, and look at table() for errors.")
        return done[0]

    def as_trial(self, record: TrialRecord) -> Trial:
        """Return what `build` was given in a trial, to build its model in this process: `build(record.settings, it)`.

        Args:
            record: One of `trials`. The weights are at `.weights` where its files are kept.
        """
        return Trial(self._jobs.job(record))

    def run(
        self,
        trials: int = 30,
        *,
        workers: int = 1,
        trial_time_s: float | None = None,
        time_s: float | None = None,
        keep: int = 3,
        failures: int = 3,
    ) -> ResultTable:
        """Run trials until there are so many, those of earlier runs and of other processes counted.

        Args:
            trials: Trials in all, >= 1. Default 30.
            workers: Processes at a time on this machine, >= 1. Default 1, with which a seed repeats a search exactly.
            trial_time_s: Seconds after which a trial is ended. Default None: no limit.
            time_s: Seconds after which this run ends. Trials that run then begin anew in the next. Default None.
            keep: Of how many of the best trials the files are kept, >= 1. Default 3. Of the others output.txt stays.
            failures: Trials in a row with the same error that stop the search, >= 1. Default 3.

        Returns:
            The table of all trials.

        Raises:
            FailedBuildError: So many trials in a row failed with the same error.
            ValueError: An argument is out of range; the objective is none of a trial's scores.
        """
        limits = Limits(
            check_integer("trials", trials, 1) if not self._asks_a_chief() else sys.maxsize,  # the chief counts them
            check_integer("workers", workers, 1, 1 if self._asks_a_chief() else 1024, advice="A chief gives one each."),
            _seconds("trial_time_s", trial_time_s),
            _seconds("time_s", time_s),
            check_integer("failures", failures, 1),
        )
        check_integer("keep", keep, 1)
        if "UNITOOLS_TRIAL" in os.environ:
            raise RuntimeError(
                "A search must not be run by the process of a trial. Received a script that runs one when it is "
                'imported. Put search.run(...) below `if __name__ == "__main__":`.'
            )
        if not self.engine.serve(self.folder, trials):
            start = partial(self._jobs.start, limit_s=trial_time_s)
            run_trials(self._state, start, self.objective, limits, lambda _: self._clear(keep), self._is_over)
        return self.table()

    def table(self) -> ResultTable:
        """Return all trials as a table, the best first."""
        return ResultTable(self.trials, self.objective, self.direction)

    def verify(self, evaluate: Callable | None = None, *, tolerance: float = 1e-4) -> float:
        """Evaluate the best trial again, in a new process from the weights it stored, and return the score.

        Args:
            evaluate: A function of (settings, trial) that returns the score, from what lies in `trial.folder`. Default
                None: `build`, where it returns (model, arguments): its model is given the weights and evaluated.
            tolerance: Largest difference that passes, relative to the score, >= 0. Default 1e-4.

        Raises:
            FailedSearchError: The score is another one, or could not be had.
        """
        check_number("tolerance", tolerance, 0)
        best = self.best
        outcome = self._jobs.evaluate(best, None if evaluate is None else build_reference("evaluate", evaluate))
        again = outcome["score"]
        if again is None or abs(again - best.score) > tolerance * max(1e-12, abs(best.score)):
            text = outcome["error"].get("traceback") or outcome["error"].get("message", "")
            raise FailedSearchError(
                f"Trial {best.number} must have its score {best.score} again. Received {again}. Look whether the build "
                f"repeats, and for the files in {best.folder}. {text}".rstrip()
            )
        return again

    def importance(self, method: str = "permutation") -> dict[str, float]:
        """Return the share of each setting in what makes the scores differ, for `ut.plots.importance`.

        Args:
            method: "permutation" (default): by scikit-learn's random forest, every setting. "fanova": by Optuna, the
                settings that all trials had.

        Raises:
            ValueError: Fewer than four trials ended with a score.
        """
        return setting_importance(self.space, self._ranked(), method, self.seed)

    def write_hparams(self, log_dir: str | os.PathLike | None = None) -> Path:
        """Write all trials that ended for TensorBoard's HParams, and return the folder.

        Args:
            log_dir: The folder, whose content is replaced. Default None: "tensorboard" in that of the search.
        """
        log_dir = self.folder / "tensorboard" if log_dir is None else Path(log_dir)
        ended = [trial for trial in self.trials if trial.state != "running"]
        for trial in ended:
            shutil.rmtree(log_dir / f"{trial.number:04d}", ignore_errors=True)
        write_hparams(ended, self.objective, log_dir)
        return log_dir

    def _ranked(self):
        done = [trial for trial in self.trials if trial.state == "done"]
        return sorted(done, key=lambda trial: trial.score, reverse=self.direction == "max")

    def _header(self, build):
        return {
            "space": self.space.to_dict(),
            "objective": self.objective,
            "direction": self.direction,
            "engine": self.engine.to_dict(),
            "seed": self.seed,
            "build": build,
        }

    def _is_over(self):
        return self.engine.exhausted or not (self.engine.shared or self._state.running())

    def _asks_a_chief(self):
        return isinstance(self.engine, KerasTunerEngine) and self.engine.shared

    def _clear(self, keep):
        if not self.engine.keeps_weights:
            self._jobs.clear(self.trials, {trial.number for trial in self._ranked()[:keep]})


def _seconds(name, value):
    return None if value is None else check_number(name, value, 0, open_low=True)
