"""The YAML of a task of lm-evaluation-harness, checked before it is stored. A task runs on a GPU
node, so it may name no program, no other file and nothing on the network.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

import yaml
from django.utils.translation import gettext as _

from training.benchmarks.suites.formats import yaml_file
from training.benchmarks.suites.formats.problems import Notes, storage_problem
from training.benchmarks.suites.formats.yaml_file import Given

MAX_BYTES = 64 * 1024
"""Each row of a snapshot has it, so it is small."""
MAX_SHOTS, MAX_REPEATS = 100, 64
OUTPUTS = ("multiple_choice", "generate_until", "loglikelihood")
PER_ITEM = ("acc", "acc_norm", "acc_bytes", "acc_mutual_info", "exact_match")
"""Metrics that give each item a number from 0 to 1."""
OVER_ALL = ("bleu", "brier_score", "chrf", "chrf++", "f1", "likelihood", "mcc", "perplexity", "ter")
"""Metrics that lm-evaluation-harness computes from all items together."""
USUAL_METRICS = {
    "multiple_choice": ("acc", "acc_norm"),
    "generate_until": ("exact_match",),
    "loglikelihood": ("acc",),
}
FILTERS = (
    "format_span",
    "lowercase",
    "majority_vote",
    "map",
    "multi_choice_regex",
    "regex",
    "regex_pos",
    "remove_whitespace",
    "take_first",
    "take_first_k",
    "uppercase",
)
SAMPLERS = ("default", "first_n")
SAMPLING = (
    "do_sample",
    "max_gen_toks",
    "max_new_tokens",
    "num_beams",
    "repetition_penalty",
    "temperature",
    "top_k",
    "top_p",
    "until",
)
_TEMPLATES = ("doc_to_text", "doc_to_target", "doc_to_choice")
_TEXTS = ("description", "target_delimiter", "fewshot_delimiter", "gen_prefix")
_SPLITS = ("training_split", "validation_split", "test_split", "fewshot_split")
IN_FEWSHOT = ("sampler", "split", "samples", "fewshot_indices", *_TEMPLATES, *_TEXTS[1:])
_UNUSED = ("task_alias", "tag", "dataset_name", "metadata", "should_decontaminate")
FIELDS = (
    "task",
    "dataset_path",
    "dataset_kwargs",
    *_SPLITS,
    *_TEMPLATES,
    *_TEXTS,
    "fewshot_config",
    "num_fewshot",
    "output_type",
    "metric_list",
    "filter_list",
    "generation_kwargs",
    "repeats",
    *_UNUSED,
)
_FORBIDDEN = (
    "class",
    "custom_dataset",
    "doc_to_audio",
    "doc_to_decontamination_query",
    "doc_to_image",
    "group",
    "process_docs",
    "process_results",
    "task_list",
    "unsafe_code",
    "use_prompt",
)
_NOT_IN_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class Task:
    """What the suite needs to know of the YAML. `files`: split → names of its data files."""

    metric: str
    """the one that is the score: a name, or “name,filter”"""
    split: str
    """the split that is tested"""
    fewshot_split: str = ""
    """the split that examples come from; "" if the task has its own, or none"""
    files: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read(text: str, notes: Notes, *, metric: str = "") -> Task | None:
    """The task, or None with every problem noted by line. `metric` is the suite's choice."""
    before = notes.n
    content = text.encode()
    if len(content) > MAX_BYTES:
        notes.add(0, _("The task is larger than %(n)d KB.") % {"n": MAX_BYTES // 1024})
        return None
    fields = yaml_file.read(content, notes)
    if notes.n > before:
        return None
    _note_tags(content, notes)
    reader = _Reader({name: _plain(value) for name, value in fields.items()}, notes)
    task = reader.task(metric)
    return task if notes.n == before else None


def is_task(content: bytes) -> bool:
    """Whether some YAML is one of these and not a suite.yaml, by its fields."""
    fields = yaml_file.read(content, Notes(""))
    return not fields.keys() & {"kind", "licence", "area"} and bool(
        fields.keys() & {"output_type", "metric_list", "dataset_path", *_TEMPLATES}
    )


def as_suite(content: bytes) -> dict[str, Given]:
    """Fields of suite.yaml for a task that has none beside it."""
    named = yaml_file.read(content, Notes("")).get("task", Given("")).value
    slug = _NOT_IN_SLUG.sub("-", named.lower()).strip("-_")[:64] if isinstance(named, str) else ""
    known = {"kind": "lm-eval", "area": "capability", "id": slug, "name": slug and named[:120]}
    return {name: Given(value) for name, value in known.items() if value}


def _plain(entry: Given) -> Given:
    return Given(yaml_file.plain(entry.value), entry.line)


def _note_tags(content: bytes, notes: Notes) -> None:
    for event in yaml.parse(content, Loader=yaml.SafeLoader):
        tag = getattr(event, "tag", None)
        if tag is not None and event.start_mark:
            notes.add(
                event.start_mark.line + 1,
                _(
                    "Tags such as !function are not allowed, because they run programs. Write a"
                    " template or a value."
                ),
                tag,
            )


@dataclass(frozen=True)
class _Reader:
    given: Mapping[str, Given]
    notes: Notes

    def value(self, name: str, default: object = None) -> object:
        value = self.given[name].value if name in self.given else None
        return default if value is None else value

    def wrong(self, name: str, sentence: str, value: object = "") -> None:
        line = self.given[name].line if name in self.given else 0
        self.notes.add(line, sentence, value)

    def task(self, metric: str) -> Task:
        self.check_fields()
        if not _is_name(self.value("task")):
            self.wrong("task", _("`task` must be the name of one task."), self.value("task"))
        self.check_templates()
        self.check_numbers()
        self.check_sampling()
        self.check_filters()
        self.check_fewshot()
        split = self.value("test_split") or self.value("validation_split") or "test"
        return Task(
            metric=self.metric(metric),
            split=str(split),
            fewshot_split=self.fewshot_split(str(split)),
            files=self.files(str(split)),
        )

    def check_fields(self) -> None:
        for name, entry in self.given.items():
            if problem := storage_problem(entry.value):
                self.wrong(name, problem)
            if name == "include":
                words = _("`include` reads another file. Copy its fields into this one.")
            elif name in _FORBIDDEN:
                words = _(
                    "`%(name)s` is not allowed: it runs a program, reads other files or names other"
                    " tasks. Remove it."
                )
            elif name not in FIELDS:
                words = _(
                    "`%(name)s` is not a field of a task that can run here. Remove it, or use one"
                    " of: %(known)s."
                )
            else:
                continue
            self.wrong(name, words % {"name": name, "known": ", ".join(FIELDS)}, name)

    def check_templates(self) -> None:
        for name in _TEMPLATES:
            self._check_template(name, name, self.value(name))
        for name in _TEXTS:
            if not isinstance(self.value(name, ""), str):
                self.wrong(name, _("`%(name)s` must be text.") % {"name": name})
        output = self.value("output_type", "generate_until")
        if output not in OUTPUTS:
            words = _("`%(name)s` must be one of: %(known)s.")
            names = {"name": "output_type", "known": ", ".join(OUTPUTS)}
            self.wrong("output_type", words % names, output)
        needed = {"doc_to_text", "doc_to_target"}
        for name in sorted(needed | ({"doc_to_choice"} if output == OUTPUTS[0] else set())):
            if self.value(name) is None:
                self.wrong(name, _("`%(name)s` is missing from the task.") % {"name": name})

    def _check_template(self, field_name: str, name: str, value: object) -> None:
        takes = str | int | list | dict if name == "doc_to_choice" else str | int | list
        if value is not None and not isinstance(value, takes):
            self.wrong(field_name, _("`%(name)s` must be a template.") % {"name": name}, value)

    def check_numbers(self) -> None:
        for name, least, most in (("num_fewshot", 0, MAX_SHOTS), ("repeats", 1, MAX_REPEATS)):
            value = self.value(name, least)
            if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
                words = _("`%(name)s` must be a number from %(least)d to %(most)d.")
                self.wrong(name, words % {"name": name, "least": least, "most": most}, value)
        if self.value("should_decontaminate"):
            self.wrong("should_decontaminate", _("`should_decontaminate` must be false."))

    def check_sampling(self) -> None:
        value = self.value("generation_kwargs", {})
        self._note_unknown("generation_kwargs", value, SAMPLING)

    def check_filters(self) -> None:
        for pipeline in self._mappings("filter_list"):
            if not _is_name(pipeline.get("name")):
                self.wrong("filter_list", _("Each filter needs a `name`."))
            steps = pipeline.get("filter")
            if not isinstance(steps, list) or not all(isinstance(entry, dict) for entry in steps):
                self.wrong("filter_list", _("`filter` must be a list of functions."))
                continue
            for step in steps:
                self._one_of("filter_list", step.get("function"), FILTERS)

    def check_fewshot(self) -> None:
        value = self.value("fewshot_config", {})
        self._note_unknown("fewshot_config", value, IN_FEWSHOT)
        if not isinstance(value, dict):
            return
        self._one_of("fewshot_config", value.get("sampler", SAMPLERS[0]), SAMPLERS)
        for name in _TEMPLATES:
            self._check_template("fewshot_config", name, value.get(name))
        samples = value.get("samples", [])
        if not isinstance(samples, list) or not all(isinstance(sample, dict) for sample in samples):
            self.wrong("fewshot_config", _("`samples` must be a list of objects."))

    def metric(self, chosen: str) -> str:
        """The metric that is the score."""
        entries = self._mappings("metric_list")
        names = [self._checked_metric(entry) for entry in entries]
        if self.value("metric_list") is None:
            names = list(USUAL_METRICS.get(str(self.value("output_type", "generate_until")), ()))
        usable = [name for name in names if name in PER_ITEM]
        name, _comma, pipeline = chosen.partition(",")
        if chosen and (name not in usable or (pipeline and pipeline not in self._filter_names())):
            words = _(
                "The option “metric” must be one that gives each item a number, and that the task"
                " has: %(known)s."
            )
            self.wrong("metric_list", words % {"known": ", ".join(usable) or "–"}, chosen)
        elif not usable:
            words = _("No metric gives each item a number. Add one of: %(known)s.")
            self.wrong("metric_list", words % {"known": ", ".join(PER_ITEM)})
        return chosen or next(iter(usable), "")

    def _checked_metric(self, entry: Mapping[str, object]) -> str:
        if entry.get("hf_evaluate"):
            self.wrong(
                "metric_list",
                _("`hf_evaluate` loads a program from the network. Use a metric of the harness."),
            )
        self._one_of("metric_list", entry.get("metric"), (*PER_ITEM, *OVER_ALL))
        return str(entry.get("metric"))

    def _filter_names(self) -> list[str]:
        return [str(entry.get("name")) for entry in self._mappings("filter_list")]

    def fewshot_split(self, split: str) -> str:
        """The split that examples come from. Without one of its own, the harness takes the training
        split, then the validation split, then what it tests.
        """
        config = self.value("fewshot_config", {})
        of_config = config if isinstance(config, dict) else {}
        if not self.value("num_fewshot", 0) or of_config.get("samples"):
            return ""
        named = of_config.get("split") or self.value("fewshot_split")
        split_name = (
            named or self.value("training_split") or self.value("validation_split") or split
        )
        return "" if split_name == split else str(split_name)

    def files(self, split: str) -> Mapping[str, tuple[str, ...]]:
        """The names of the data files of each split, without their folders."""
        for name in _SPLITS:
            if not isinstance(self.value(name, ""), str):
                self.wrong(name, _("`%(name)s` must be text.") % {"name": name})
        if self.value("dataset_path", "json") != "json":
            self.wrong(
                "dataset_path",
                _(
                    "The data must be in the upload: a task cannot load datasets. Write"
                    " `dataset_path: json`."
                ),
                self.value("dataset_path"),
            )
        value = self.value("dataset_kwargs", {})
        self._note_unknown("dataset_kwargs", value, ("data_files",))
        named = value.get("data_files", {}) if isinstance(value, dict) else {}
        by_split = named if isinstance(named, dict) else {split: named}
        return {
            name: tuple(self._file_names(names))
            for name, names in by_split.items()
            if names is not None
        }

    def _file_names(self, value: object) -> Iterator[str]:
        for name in value if isinstance(value, list) else [value]:
            if not isinstance(name, str) or "://" in name or "*" in name:
                self.wrong(
                    "dataset_kwargs",
                    _("`data_files` must name files of the upload, such as items.jsonl."),
                    name,
                )
            else:
                yield PurePosixPath(name).name

    def _mappings(self, name: str) -> list[dict[str, object]]:
        value = self.value(name, [])
        if isinstance(value, list) and all(isinstance(entry, dict) for entry in value):
            return value
        self.wrong(name, _("`%(name)s` must be a list of objects.") % {"name": name})
        return []

    def _one_of(self, field_name: str, value: object, known: Sequence[str]) -> None:
        if value not in known:
            words = _("“%(name)s” is not allowed here. Use one of: %(known)s.")
            self.wrong(field_name, words % {"name": value, "known": ", ".join(known)}, value)

    def _note_unknown(self, field_name: str, value: object, known: Sequence[str]) -> None:
        if not isinstance(value, dict):
            words = _("`%(name)s` must be a mapping of names to values.")
            self.wrong(field_name, words % {"name": field_name}, value)
            return
        for name in value:
            self._one_of(field_name, name, known)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= 200
