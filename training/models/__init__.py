"""Tables and constraints of training, one module per subject. Behaviour is in each room's services
and selectors.
"""

from training.models.curations import (
    Curation,
    RestoredDocument,
    RuleSample,
    SampledDocument,
)
from training.models.judges import Judge, JudgeVersion, Verdict
from training.models.nodes import Node
from training.models.registry import Endpoint, Publication, TrainedModel
from training.models.revisions import RevisionCheck
from training.models.runs import Run, RunPoint, RunSample, Seat, kind_choices
from training.models.schedules import Chain, Firing, Link, Schedule
from training.models.snapshots import Snapshot, SnapshotJudgment, SnapshotPrompt
from training.models.spot_checks import SpotCheck
from training.models.suites import (
    AnswerScore,
    AttackSample,
    BenchmarkAnswer,
    RatedSuite,
    SampledAttempt,
    Suite,
    SuiteItem,
    SuiteScore,
)
from training.models.trust import CalibrationPair, TrustLook, TrustRule

__all__ = [
    "AnswerScore",
    "AttackSample",
    "BenchmarkAnswer",
    "CalibrationPair",
    "Chain",
    "Curation",
    "Endpoint",
    "Firing",
    "Judge",
    "JudgeVersion",
    "Link",
    "Node",
    "Publication",
    "RatedSuite",
    "RestoredDocument",
    "RevisionCheck",
    "RuleSample",
    "Run",
    "RunPoint",
    "RunSample",
    "SampledAttempt",
    "SampledDocument",
    "Schedule",
    "Seat",
    "Snapshot",
    "SnapshotJudgment",
    "SnapshotPrompt",
    "SpotCheck",
    "Suite",
    "SuiteItem",
    "SuiteScore",
    "TrainedModel",
    "TrustLook",
    "TrustRule",
    "Verdict",
    "kind_choices",
]
