"""Proposals and pruning by Optuna."""

from typing import Any

from unitools.core.checks import check_choice, check_integer, fail
from unitools.core.optional import require
from unitools.tuning.choice import Choice
from unitools.tuning.engine import Engine
from unitools.tuning.flag import Flag
from unitools.tuning.integer import Integer
from unitools.tuning.proposal import Proposal
from unitools.tuning.quiet import quiet_optuna
from unitools.tuning.space import Space

_ENDED_EARLY = ("pruned", "diverged", "timeout")


class OptunaEngine(Engine):
    """Lets Optuna propose settings, and end trials that fall behind.

    The sampler is seeded anew for each trial, from the search's seed and the trial's number, so that a search that was
    killed goes on with the proposals it would have had.

    Args:
        sampler: "tpe" (default), which learns from the trials that ended, or "random".
        pruner: "median" (default): end a trial whose best value so far is worse than the median of the others at that
            step. "successive_halving", "hyperband": let the best third go on, after 1, 3, 9... steps. None: none.
        startup_trials: Trials before `sampler` "tpe" and `pruner` "median" begin to judge, >= 1. Default 5.
        warmup_steps: Steps, epochs as a rule, at whose values "median" does not look, >= 0. Default 0.
        max_steps: Steps of a whole trial, for "hyperband", >= 1. Default None: those of the first that ended.
        storage: Where the study lies if several machines without a common folder work on it: the address of a database,
            such as "sqlite:///study.db" or "postgresql://...", or the path of a journal file, "study.journal".
            Default None: in the search's log.

    Raises:
        ValueError: An argument is out of range.
        ImportError: Optuna is not installed.

    Example:
    >>> ut.tuning.OptunaEngine(pruner="hyperband", max_steps=27).to_dict()["pruner"]
    'hyperband'

    Source:
        Akiba et al. 2019, Optuna; Bergstra et al. 2011 for the Tree-structured Parzen Estimator; Li et al. 2018 for
        Hyperband.
    """

    def __init__(
        self,
        sampler: str = "tpe",
        *,
        pruner: str | None = "median",
        startup_trials: int = 5,
        warmup_steps: int = 0,
        max_steps: int | None = None,
        storage: str | None = None,
    ):
        self._optuna = require("optuna", "tune", "`OptunaEngine`")
        self.sampler = check_choice("sampler", sampler, ("tpe", "random"))
        self.pruner = check_choice("pruner", pruner, ("median", "successive_halving", "hyperband", None))
        self.startup_trials = check_integer("startup_trials", startup_trials, 1)
        self.warmup_steps = check_integer("warmup_steps", warmup_steps, 0)
        self.max_steps = None if max_steps is None else check_integer("max_steps", max_steps, 1)
        if storage is not None and (not isinstance(storage, str) or not storage):
            fail("storage", storage, "the address of a database, or the path of a journal file", "Use None for none.")
        self.storage = storage

    @property
    def shared(self) -> bool:
        """Whether the study lies in a storage."""
        return self.storage is not None

    def open(self, space: Space, objective: str, direction: str, seed: int) -> None:
        """Make the study, or open that of the storage."""
        self._space, self._seed, self._trials = space, seed, {}
        with quiet_optuna(self._optuna):
            self._study = self._optuna.create_study(
                study_name="unitools",  # Hyperband's brackets follow from the name
                storage=self._open_storage(),
                pruner=self._make_pruner(),
                direction={"max": "maximize", "min": "minimize"}[direction],
                load_if_exists=self.shared,
            )

    def ask(self, settings: dict[str, Any] | None = None) -> Proposal | None:
        """Return Optuna's next suggestion."""
        with quiet_optuna(self._optuna):
            if settings is not None:
                self._study.enqueue_trial(self._encoded(settings))
            # Other processes may ask between the two lines: then two samplers share a seed, but not a history.
            self._study.sampler = self._make_sampler(len(self._study.get_trials(deepcopy=False)))
            trial = self._study.ask()
            self._trials[trial.number] = trial
            return Proposal(trial.number, self._space.settings(self._suggested(trial)))

    def report(self, number: int, step: int, value: float) -> bool:
        """Hand a value to the pruner. Where a trial was started again, the first value of a step counts."""
        with quiet_optuna(self._optuna):
            trial = self._trial(number)
            if step not in self._study.get_trials(deepcopy=False)[number].intermediate_values:
                trial.report(value, step)
            return trial.should_prune()

    def tell(self, number: int, state: str, score: float | None) -> None:
        """Tell the study. What was cut short counts as pruned, by its values so far."""
        states = self._optuna.trial.TrialState
        with quiet_optuna(self._optuna):
            if state == "done":
                self._study.tell(number, score)
            else:
                self._study.tell(number, state=states.PRUNED if state in _ENDED_EARLY else states.FAIL)
        self._trials.pop(number, None)

    def _trial(self, number):
        """Return a running trial, of an earlier process too, whose trial the storage has."""
        if number not in self._trials:
            frozen = self._study.get_trials(deepcopy=False)[number]
            self._trials[number] = self._optuna.trial.Trial(self._study, frozen._trial_id)
        return self._trials[number]

    def _suggested(self, trial):
        values = dict(self._space.fixed)
        for name, domain in self._space.domains.items():
            if self._space.is_active(name, values):
                values[name] = _suggest(trial, name, domain)
        return values

    def _encoded(self, settings):
        domains = self._space.domains
        return {name: _encode(domains[name], value) for name, value in settings.items() if name in domains}

    def _make_sampler(self, number):
        seed = (self._seed * 1_000_003 + number) % 2**32
        if self.sampler == "random":
            return self._optuna.samplers.RandomSampler(seed=seed)
        return self._optuna.samplers.TPESampler(seed=seed, n_startup_trials=self.startup_trials)

    def _make_pruner(self):
        pruners = self._optuna.pruners
        if self.pruner == "median":
            return pruners.MedianPruner(self.startup_trials, self.warmup_steps)
        if self.pruner == "successive_halving":
            return pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=3)
        if self.pruner == "hyperband":
            return pruners.HyperbandPruner(max_resource=self.max_steps or "auto")
        return pruners.NopPruner()

    def _open_storage(self):
        if self.storage is None or "://" in self.storage:
            return self.storage
        journal = require("optuna.storages.journal", "tune", "`OptunaEngine`")
        return self._optuna.storages.JournalStorage(journal.JournalFileBackend(self.storage))


def _suggest(trial, name, domain):
    if isinstance(domain, Choice):
        index = trial.suggest_categorical(name, list(range(len(domain.values))))
        return domain.values[index]
    if isinstance(domain, Flag):
        return trial.suggest_categorical(name, [False, True])
    if isinstance(domain, Integer):
        return trial.suggest_int(name, domain.low, domain.high, log=domain.log, step=domain.step)
    return trial.suggest_float(name, domain.low, domain.high, log=domain.log, step=domain.step)


def _encode(domain, value):
    """Return a value as Optuna has it: choices by their positions, since Optuna takes no lists."""
    return domain.index(value) if isinstance(domain, Choice) else value
