from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class AddIndexAtWork(migrations.AddIndex):
    """On PostgreSQL, without keeping anybody from writing meanwhile. An index that an earlier try
    did not finish is made again.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {self.index.name}")
        model = to_state.apps.get_model(app_label, self.model_name)
        schema_editor.add_index(model, self.index, concurrently=True)  # type: ignore[call-arg]  # PostgreSQL's


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("labeling", "0004_squashed_0016_red_teaming")]

    operations = [
        AddIndexAtWork(
            model_name="judgment",
            index=models.Index(fields=["submitted_at", "id"], name="judgment_time"),
        ),
        AddIndexAtWork(
            model_name="prompt",
            index=models.Index(fields=["language"], name="prompt_language"),
        ),
        AddIndexAtWork(
            model_name="prompt",
            index=models.Index(fields=["licence"], name="prompt_licence"),
        ),
        AddIndexAtWork(
            model_name="response",
            index=models.Index(
                condition=models.Q(("licence__gt", "")), fields=["licence"], name="response_licence"
            ),
        ),
    ]
