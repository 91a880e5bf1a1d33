"""Settings of Django REST framework, and of drf-spectacular for the API's schema."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        # First, because it sets the WWW-Authenticate header of a 401.
        "accounts.api.authentication.BearerAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.api.permissions.ByTable"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.api.throttling.PerMinute"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api.parsers.LimitedJSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "accounts.api.problems.as_response",
    "URL_FORMAT_OVERRIDE": None,
    "UNICODE_JSON": True,
}
SPECTACULAR = {
    "TITLE": "Preferably",
    "DESCRIPTION": (
        "Prompts, campaigns and judgments; snapshots, runs and models. Times are UTC, lists are"
        " paged by cursor."
    ),
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "accounts.api.views.close_bodies",
    ],
    "ENUM_NAME_OVERRIDES": {
        "SensitiveEnum": "labeling.models.Prompt.Upset",
        "PromptCategory": "labeling.models.Prompt.Category",
        "PromptSplit": "labeling.models.Prompt.Split",
        "CampaignKind": "labeling.models.Campaign.Kind",
        "CampaignState": "labeling.models.Campaign.State",
        "PoolRateKind": "labeling.models.Rate.Kind",
        "OnboardingStepKind": "labeling.models.OnboardingStep.Kind",
        "AttemptState": "labeling.models.StepAttempt.State",
        "InvitationState": "labeling.people.invitations.selectors.InvitationState",
        "ImportState": "labeling.models.Import.State",
        "RowFormat": "labeling.importers.formats.FORMATS",
        "ImportFormat": "labeling.data.imports.drafts_of_file.FORMATS",
        "ExportFormat": "labeling.data.exports.shapes.FILE_FORMATS",
        "ExportState": "labeling.models.Export.State",
        "PublicationState": "training.models.Publication.State",
        "RunKind": "training.models.kind_choices",
        "RunState": "training.models.Run.State",
        "RunOutcome": "training.models.Run.Outcome",
        "SnapshotKind": "training.models.Snapshot.Kind",
        "SuiteKind": "training.models.Suite.Kind",
        "SuiteArea": "training.models.Suite.Area",
        "ModelKind": "training.models.TrainedModel.Kind",
        "ModelStage": "training.models.TrainedModel.Stage",
    },
}
