"""Prompts, their responses, the sources of both, and imports."""

from typing import TypedDict

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.text import Truncator
from django.utils.translation import gettext_lazy as _

from arithmetic import chats
from arithmetic.chats import ToolCall
from jobs.models import Job


class Source(models.Model):
    """The author of a text. Raters never see it."""

    class Kind(models.TextChoices):
        PERSON = "person", _("person")
        IMPORT = "import", _("import")
        MODEL = "model", _("Model")

    name = models.CharField(_("name"), max_length=200, unique=True)
    kind = models.CharField(_("Kind"), max_length=16, choices=Kind)
    licence = models.CharField(_("Licence"), max_length=64, blank=True, default="")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="sources",
        help_text="the user who wrote it: people never judge their own responses",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return self.name

    @property
    def known_as(self) -> str:
        """The name of its registered model, or its own. Read it with select_related of
        `trained_model`; raters see neither.
        """
        model = getattr(self, "trained_model", None)
        return self.name if model is None else str(model.name)


class Import(Job):
    """One imported file. Its rows stay hidden until it is published, by a change of this row's
    state.
    """

    ENDED_AT = "finished_at"

    class State(models.TextChoices):
        QUEUED = "queued", _("pending")
        RUNNING = "running", _("running")
        PUBLISHED = "published", _("published")
        REFUSED = "refused", _("rejected")
        DISCARDED = "discarded", _("discarded")

    file_name = models.CharField(max_length=255)
    path = models.CharField(max_length=1024)
    pairs_path = models.CharField(
        max_length=1024, blank=True, default="", help_text="the texts that a file of votes is about"
    )
    format = models.CharField(max_length=32)
    is_strict = models.BooleanField(default=False)
    with_judgments = models.BooleanField(
        default=False, help_text="human replies become demonstrations, rankings comparisons"
    )
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="imports")
    licence = models.CharField(max_length=64)
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    bytes_total = models.BigIntegerField(default=0)
    bytes_read = models.BigIntegerField(default=0)
    counts = models.JSONField(
        default=dict,
        help_text="prompts, responses, demonstrations, comparisons, duplicates, problems",
    )
    columns = models.JSONField(
        default=dict,
        db_default={},
        help_text="name that is read → heading in the file, for files with their own",
    )
    annotations = models.JSONField(
        default=dict,
        db_default={},
        help_text="campaign: name of the one to make of the answers; then how they are read: see "
        "labeling.importers.annotations.plans",
    )
    problems = models.JSONField(
        default=list, help_text="[{line, sentence}], capped; counts.problems has the full number"
    )
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(
        null=True, help_text="a running import without a heartbeat is claimed again"
    )

    class Meta:
        constraints = [
            # Near-duplicates are searched among stored prompts: two concurrent imports would not
            # see each other's.
            models.UniqueConstraint(
                fields=["state"], condition=models.Q(state="running"), name="import_runs_alone"
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class HubDownload(Job):
    """A dataset that a worker gets from a hub, or from the local cache, to be imported."""

    class State(models.TextChoices):
        QUEUED = "queued", _("pending")
        RUNNING = "running", _("running")
        DONE = "done", _("ready")
        FAILED = "failed", _("failed")

    repository = models.CharField(max_length=200, help_text="owner/name, or an old short name")
    config = models.CharField(max_length=200, blank=True, default="")
    split = models.CharField(max_length=200, blank=True, default="")
    revision = models.CharField(max_length=200, blank=True, default="")
    options = models.JSONField(
        default=dict, help_text="arguments of the import that follows; empty: a person continues"
    )
    state = models.CharField(max_length=16, choices=State, default=State.QUEUED)
    bytes_total = models.BigIntegerField(default=0)
    bytes_read = models.BigIntegerField(default=0)
    licence = models.CharField(
        max_length=64, blank=True, default="", help_text="as the dataset's card says"
    )
    is_cached = models.BooleanField(default=False, help_text="it came from the local cache")
    file_name = models.CharField(
        max_length=64, blank=True, default="", help_text="below the uploads of imports"
    )
    import_batch = models.OneToOneField(
        Import, on_delete=models.SET_NULL, null=True, related_name="hub_download"
    )
    ended_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.repository


class Prompt(models.Model):
    """A conversation that ends with a user's turn, to be answered."""

    class Split(models.TextChoices):
        TRAIN = "train", _("train")
        VALIDATION = "validation", _("validation")
        TEST = "test", _("test")

    class Category(models.TextChoices):
        """InstructGPT's ten use cases (Ouyang 2022, table 1)."""

        GENERATION = "generation", _("generation")
        OPEN_QA = "open_qa", _("open question")
        BRAINSTORMING = "brainstorming", _("brainstorming")
        CHAT = "chat", _("chat")
        REWRITE = "rewrite", _("rewrite")
        SUMMARIZATION = "summarization", _("summarization")
        CLASSIFICATION = "classification", _("classification")
        CLOSED_QA = "closed_qa", _("closed question")
        EXTRACT = "extract", _("extract")
        OTHER = "other", _("other")

    class Upset(models.TextChoices):
        """Kinds of upsetting content. Such an item is only given to raters who agreed to its
        kind.
        """

        VIOLENCE = "violence", _("violence")
        SEXUAL = "sexual", _("sexual content")
        SELF_HARM = "self_harm", _("self-harm")
        HATE = "hate", _("hate")
        ABUSE = "abuse", _("abuse")
        OTHER = "other", _("other upsetting content")

    messages = models.JSONField(
        help_text='[{"role": "system"|"user"|"assistant"|"tool", "content": str}], the last by the '
        "user or a tool; arithmetic.chats.Message names the other keys"
    )
    tools = models.JSONField(
        default=list,
        db_default=[],
        blank=True,
        help_text="functions that an answer may call, as OpenAI's API describes them",
    )
    messages_sha256 = models.CharField(max_length=64, db_index=True)
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="prompts")
    origin = models.CharField(
        max_length=255, blank=True, default="", help_text="file and line, or how it was added"
    )
    licence = models.CharField(max_length=64, blank=True, default="")
    category = models.CharField(max_length=32, choices=Category, default=Category.OTHER)
    language = models.CharField(max_length=8, blank=True, default="")
    sensitive = models.JSONField(
        default=list,
        blank=True,
        help_text="Prompt.Upset values of what is in it or may be in answers",
    )
    constraints = models.JSONField(
        default=list, blank=True, help_text="rules that an answer must follow"
    )
    split = models.CharField(max_length=16, choices=Split, default=Split.TRAIN)
    cluster = models.CharField(
        max_length=64,
        blank=True,
        default="",
        db_index=True,
        help_text="near-duplicates share it, and therefore a split",
    )
    import_batch = models.ForeignKey(
        Import, on_delete=models.PROTECT, null=True, blank=True, related_name="prompts"
    )
    version = models.PositiveSmallIntegerField(default=1)
    supersedes = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="superseded_by",
        help_text="the previous version",
    )
    signature = models.BinaryField(
        default=b"",
        help_text="labeling.splits.near_duplicates compares prompts by it, without their texts",
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            # Filters and forms list the few values of these columns.
            models.Index(fields=["language"], name="prompt_language"),
            models.Index(fields=["licence"], name="prompt_licence"),
        ]

    def __str__(self) -> str:
        return Truncator(str(self.messages[-1]["content"])).chars(300) if self.messages else "–"

    @property
    def upset_words(self) -> str:
        """The kinds of upsetting content, in words; empty if there are none."""
        words = dict(Prompt.Upset.choices)
        return ", ".join(str(words[kind]) for kind in self.sensitive if kind in words)


class PromptKey(models.Model):
    """A key by which splits.near_duplicates finds prompts that are like this one."""

    # It needs no index of its own: the constraint's index starts with it.
    prompt = models.ForeignKey(
        Prompt, on_delete=models.CASCADE, related_name="keys", db_index=False
    )
    key = models.BigIntegerField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["prompt", "key"], name="prompt_key_once")]

    def __str__(self) -> str:
        return f"key {self.key} of prompt {self.prompt_id}"


SAMPLING_WORDS: dict[str, Promise] = {
    "temperature": _("Temperature"),
    "top_p": _("Top-p"),
    "max_new_tokens": _("Max response length"),
    "seed": _("Seed"),
}


class AnswerParts(TypedDict):
    reasoning_content: str
    tool_calls: list[ToolCall]


class WholeAnswer(models.Model):
    """A text that answers a prompt, with the thinking and the tool calls that belong to it."""

    text = models.TextField(help_text="the answer alone: what raters read and scorers score")
    reasoning_content = models.TextField(
        blank=True, default="", db_default="", help_text="what a model thought before it answered"
    )
    tool_calls = models.JSONField(
        default=list,
        db_default=[],
        blank=True,
        help_text="calls that are part of the answer: arithmetic.chats.ToolCall",
    )

    class Meta:
        abstract = True

    @property
    def key(self) -> str:
        """The same for equal answers."""
        return chats.answer_key(self.text, **self.parts)

    @property
    def parts(self) -> AnswerParts:
        return {"reasoning_content": self.reasoning_content, "tool_calls": self.tool_calls}


class Response(WholeAnswer):
    """One candidate answer to a prompt, with the settings that produced it."""

    prompt = models.ForeignKey(Prompt, on_delete=models.PROTECT, related_name="responses")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="responses")
    number = models.PositiveIntegerField(
        default=0, help_text="numbers the answers of one source to one prompt"
    )
    sampling = models.JSONField(
        default=dict, help_text="temperature, top_p, seed, max_new_tokens, …; empty for a person"
    )
    is_ended = models.BooleanField(
        null=True, help_text="whether the model ended its turn; null for a person"
    )
    licence = models.CharField(
        _("Licence"),
        max_length=64,
        blank=True,
        default="",
        db_default="",
        help_text="the text's own, from its row in an import; empty: that of its source",
    )
    marks = models.JSONField(
        default=dict,
        db_default={},
        help_text="what an import said of it: label, scores; never a judgment",
    )
    import_batch = models.ForeignKey(
        Import, on_delete=models.PROTECT, null=True, blank=True, related_name="responses"
    )
    author = models.ForeignKey(
        "labeling.Rater",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        help_text=(
            "the rater who wrote the same text as a demonstration before a file brought "
            "it in; they never judge it"
        ),
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["author"], condition=models.Q(author__isnull=False), name="response_author"
            ),
            models.Index(
                fields=["licence"], condition=models.Q(licence__gt=""), name="response_licence"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["prompt", "source", "number"], name="response_once")
        ]

    def __str__(self) -> str:
        return self.text[:80]

    @property
    def own_licence(self) -> str:
        """The licence of the text; empty if none is known. Reads the source."""
        return self.licence or self.source.licence

    @property
    def marks_words(self) -> list[tuple[str, object]]:
        """(mark, value) as people read them."""
        return [
            (name.replace("_", " "), str(value).lower() if isinstance(value, bool) else value)
            for name, value in self.marks.items()
        ]

    @property
    def sampling_words(self) -> list[tuple[str, object]]:
        """(setting, value) as people read them."""
        return [
            (str(SAMPLING_WORDS.get(name, name.replace("_", " "))), value)
            for name, value in self.sampling.items()
        ]
