"""Campaigns and raters for benchmarks/desk.py, with rows generated in the database where there are
many. Import it after django.setup().
"""

from datetime import UTC, datetime
from random import Random

from django.conf import settings
from django.db import connection

from accounts.login.sessions import SessionStore
from accounts.models import User
from labeling.campaigns import services as campaigns_services
from labeling.guidelines import services as guidelines_services
from labeling.models import Campaign, Guideline, Pool, Prompt, Rater, Response, Source
from labeling.people.pools import services as pools_services
from labeling.queue.claiming import order

K = 4
OVERLAP = 3
N_CONTESTED = 300
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
TALK = (
    "the water in a kettle boils sooner when air pressure falls because molecules leave the surface"
    " more easily there so climbers cook pasta longer than people at sea do although the flame is"
    " as hot and nobody at home would notice it"
)


def loads(*, n_items: int) -> tuple[Campaign, Campaign]:
    """A campaign of new items, one slot each, and one with few slots for which 50 raters
    compete.
    """
    source = Source.objects.create(name="benchmark", kind=Source.Kind.MODEL)
    chance = Random(4)
    prompts = Prompt.objects.bulk_create(
        Prompt(
            messages=[{"role": "user", "content": words(chance, 30) + "?"}],
            messages_sha256="",
            source=source,
        )
        for _ in range(n_items + N_CONTESTED)
    )
    Response.objects.bulk_create(
        (
            Response(prompt=prompt, source=source, number=n, text=response(chance))
            for prompt in prompts
            for n in range(K)
        ),
        batch_size=2_000,
    )
    fresh = campaign(name="fresh", prompts=prompts[:n_items], overlap=1)
    return fresh, campaign(name="contest", prompts=prompts[n_items:], overlap=OVERLAP)


def response(chance: Random) -> str:
    """150 words in the style of a model: emphasis, a list, code."""
    listed = "\n".join(f"- {words(chance, 15)}" for _ in range(3))
    opening = f"{words(chance, 25)}. **{words(chance, 3)}** {words(chance, 17)}."
    return (
        f"{opening}\n\n{listed}\n\n{words(chance, 40)}, *{words(chance, 2)}* and"
        f" `{words(chance, 2)}` {words(chance, 15)}."
    )


def words(chance: Random, n: int) -> str:
    return " ".join(chance.choices(TALK.split(), k=n))


def campaign(*, name: str, prompts: list[Prompt], overlap: int) -> Campaign:
    pool, _ = Pool.objects.get_or_create(name="benchmark")
    guideline = Guideline.objects.filter(name="benchmark").first()
    guideline = guideline or guidelines_services.create_guideline(
        name="benchmark", text="# Be helpful\n\nThen be honest.", by=None, now=NOW
    )
    made = campaigns_services.create_campaign(
        name=name,
        kind="comparison",
        pool=pool,
        guideline=guideline,
        prompts=prompts,
        n_responses=K,
        overlap=overlap,
        by=None,
        now=NOW,
    )
    campaigns_services.open_campaign(campaign=made, by=None, now=NOW)
    return made


def queue_of(*, n_slots: int) -> Campaign:
    """An open campaign, generated in the database: the same responses for every item."""
    made = campaign(
        name=f"{n_slots} slots", prompts=[Prompt.objects.earliest("pk")], overlap=OVERLAP
    )
    first = made.items.get()
    with connection.cursor() as cursor:
        cursor.execute(
            "SET session_replication_role = replica"
        )  # the rows below refer to rows above
        cursor.execute(
            "INSERT INTO labeling_item (campaign_id, prompt_id, position, created_at)"
            " SELECT %s, %s, n, now() FROM generate_series(1, %s) n",
            [made.pk, first.prompt_id, n_slots // OVERLAP],
        )
        cursor.execute(
            "INSERT INTO labeling_itemresponse (item_id, response_id) SELECT i.id, r.response_id"
            " FROM labeling_item i, labeling_itemresponse r WHERE i.campaign_id = %s AND i.position"
            " > 0 AND r.item_id = %s",
            [made.pk, first.pk],
        )
        cursor.execute(
            "INSERT INTO labeling_slot (item_id, campaign_id, number, state, is_gold, queue_rank)"
            " SELECT id, campaign_id, n, 'free', false, position::bigint * %s + n"
            " FROM labeling_item, generate_series(0, %s) n WHERE campaign_id = %s AND position > 0",
            [order.MAX_SLOTS, OVERLAP - 1, made.pk],
        )
        cursor.execute("SET session_replication_role = DEFAULT")
    return made


def judge_first(*, campaign: Campaign, rater: Rater, n_items: int) -> None:
    """Stores answers of `rater` to the first `n_items` items, one slot each, without a remembered
    place in the queue.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            "UPDATE labeling_slot SET state = 'submitted', rater_id = %s FROM labeling_item i"
            " WHERE i.id = item_id AND i.campaign_id = %s AND i.position < %s AND number = 0",
            [rater.pk, campaign.pk, n_items],
        )
        cursor.execute(
            "INSERT INTO labeling_judgment (kind, rater_id, prompt_id, campaign_id, item_id,"
            " slot_id, is_extra, is_gold, presentation, warnings, submitted_at, version,"
            " is_current) SELECT 'comparison', rater_id, i.prompt_id, s.campaign_id, i.id, s.id,"
            " false, false, '{}', '[]', %s, 1, true FROM labeling_slot s JOIN labeling_item i ON"
            " i.id = s.item_id WHERE s.rater_id = %s",
            [NOW, rater.pk],
        )
        cursor.execute("SET session_replication_role = DEFAULT")


def signed_in(name: str) -> tuple[Rater, str]:
    """A rater in the pool, and the key of a session for them."""
    user = User.objects.create(
        email=f"{name.replace(' ', '.')}@example.org", name=name, is_rater=True, password="!"
    )
    rater = Rater.objects.create(user=user, alias=name)
    pools_services.add_raters(
        pool=Pool.objects.get(name="benchmark"), raters=[rater], by=None, now=NOW
    )
    session = SessionStore()
    session["_auth_user_id"] = str(user.pk)
    session["_auth_user_backend"] = settings.AUTHENTICATION_BACKENDS[0]
    session["_auth_user_hash"] = user.get_session_auth_hash()
    session.create()
    assert session.session_key is not None
    return rater, session.session_key
