"""A small site with something in almost every table: the demo, and what people did with it.

Through the services that pages use, so that rows look as a site would have them. The content is the
demo's and a few sentences of its own.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from accounts.login import tokens
from accounts.models import User
from accounts.webhooks import services as webhooks_services
from labeling.conversations.red_teaming.rules import rules_of
from labeling.conversations.red_teaming.services import Brief
from labeling.data.exports import jobs as exports
from labeling.desk.judgments import correct, submit
from labeling.desk.judgments.checked_answers import ComparisonAnswer, DemonstrationAnswer, Edit
from labeling.guidelines import rating_form
from labeling.guidelines import selectors as guidelines_selectors
from labeling.guidelines import services as guidelines_services
from labeling.models import Campaign, Judgment, JudgmentReview, Pool, Rater, Response, Slot
from labeling.pay import services as pay_services
from labeling.people.crowd import services as crowd_services
from labeling.people.invitations import services as invitations_services
from labeling.people.invitations.csv_file import Invitee
from labeling.people.onboarding import services as onboarding_services
from labeling.people.pools import services as pools_services
from labeling.people.skills import services as skills_services
from labeling.quality import services as quality_services
from labeling.queue import slots, webhook_events
from labeling.queue.claiming import claim, order
from labeling.queue.gold import services as gold_services
from labeling.review import services as review_services
from labeling.review import set_aside
from labeling.review.questions import services as questions_services
from labeling.review.services import Remark
from tests.cast import lease_of, rater_called
from tests.labeling.desk.conversations import talking
from tests.labeling.desk.conversations.red_teaming import attacking
from tests.training import cast
from tests.training.benchmarks.scorecards import rows as scorecard_rows
from training.management.commands import seed_demo
from training.models import Endpoint, Publication, Seat, TrainedModel
from training.nodes import services as nodes_services
from training.processes.machine import Gpu, Report
from training.schedules import services as schedules_services
from training.schedules.plans.chain_plans import Plan
from training.schedules.services import Terms
from training.snapshots import services as snapshots_services

START = datetime(2026, 11, 2, 9, tzinfo=UTC)


def populate() -> None:
    """Into a migrated database without rows."""
    seed_demo.seed(now=START)
    admin, researcher = (User.objects.get(email=login.email) for login in seed_demo.LOGINS[1:])
    webhooks_services.create_webhook(
        name="Metrics",
        url="https://example.org/told",
        events=["judgment.given", "run.finished"],
        by=admin,
        now=START,
    )
    pool = Pool.objects.get(name=seed_demo.POOL)
    robin = Rater.everyone.get(user__email=seed_demo.LOGINS[0].email)
    raters = [robin, *(rater_called(name, pool=pool) for name in ("Rosa", "Raul", "Rita"))]
    pay(pool, by=admin)
    write(robin)
    compare(raters)
    review(by=admin)
    begin(robin)
    webhook_events.queue_judgment_events(now=at(days=2))
    train(by=researcher)
    recruit(pool, raters[3], by=admin)
    settle_pay(robin, by=admin)
    for campaign in Campaign.objects.filter(kind="comparison"):
        assert quality_services.compute_quality(campaign_id=campaign.pk, now=at(days=3))
    converse(pool, raters[1], raters[2], by=admin)
    answer_suites(by=researcher)


def at(*, days: float = 0, minutes: float = 0) -> datetime:
    return START + timedelta(days=days, minutes=minutes)


def take(campaign: Campaign, rater: Rater, now: datetime) -> Slot:
    slot = claim.claim(campaign=campaign, rater=rater, now=now)
    assert slot is not None
    return slot


def pay(pool: Pool, *, by: User) -> None:
    for kind, basis, amount in (("demonstration", "hour", "1800"), ("comparison", "item", "45")):
        pay_services.set_rate(
            pool=pool,
            kind=kind,
            basis=basis,
            amount=Decimal(amount),
            currency="EUR",
            floor=Decimal(1300),
            valid_from=at(days=-30),
            by=by,
            now=START,
        )


def write(rater: Rater) -> None:
    """Three demonstrations, the last one corrected."""
    campaign = Campaign.objects.get(name=seed_demo.WRITING)
    for number in range(3):
        now = at(minutes=10 * number)
        given = submit.submit(
            lease=lease_of(take(campaign, rater, now)),
            rater=rater,
            answer=DemonstrationAnswer(text=f"Answer {number} in a sentence, naïve as it is."),
            now=now + timedelta(minutes=4),
        )
    correct.correct(
        lease=lease_of(given),
        rater=rater,
        version=1,
        answer=DemonstrationAnswer(text="A better answer in two sentences. This is the second."),
        now=at(minutes=40),
    )


def compare(raters: list[Rater]) -> None:
    """Each rater ranks by the responses' numbers and a habit; one edits, asks and skips."""
    campaign = Campaign.objects.get(name=seed_demo.COMPARING)
    for habit, rater in enumerate(raters):
        for number in range(6):
            now = at(minutes=60 * (habit + 1) + 5 * number)
            slot = take(campaign, rater, now)
            if habit == 1 and number == 0:
                questions_services.ask_about(
                    item=slot.item, rater=rater, text="Does spelling count?", now=now
                )
                slots.skip(lease=lease_of(slot), rater=rater, reason="offensive", now=now)
                continue
            rank(slot, rater, habit=habit, edits=number == 1 and habit == 1, now=now)


def rank(slot: Slot, rater: Rater, *, habit: int, edits: bool, now: datetime) -> Judgment:
    shown = order.presented(slot)
    keys = [(response.number + habit * place) % 4 for place, response in enumerate(shown)]
    ranks: dict[int, int | None] = {
        place: 1 + sorted(set(keys)).index(key) for place, key in enumerate(keys)
    }
    best = min(ranks, key=lambda place: ranks[place] or 0)
    return submit.submit(
        lease=lease_of(slot),
        rater=rater,
        answer=ComparisonAnswer(
            ranks=ranks,
            ratings={place: {"overall": 7 - (ranks[place] or 1)} for place in ranks},
            edit=Edit(best, "The best response, with one sentence more.") if edits else None,
        ),
        now=now + timedelta(minutes=2),
    )


def review(*, by: User) -> None:
    """A gold, a decided order, a score with an appeal, an answer set aside."""
    campaign = Campaign.objects.get(name=seed_demo.COMPARING)
    judged = list(campaign.judgments.order_by("pk"))
    gold_services.make_gold_of_answer(judgment=judged[0], by=by, now=at(days=1))
    item = judged[3].item
    assert item is not None
    ranks: dict[int, int | None] = {
        response.pk: response.number + 1 for response in item.responses.all()
    }
    review_services.adjudicate(
        item=item, ranks=ranks, reason="true_disagreement", by=by, now=at(days=1)
    )
    set_aside.set_aside(judgment=judged[5], reason="Copied.", by=by, now=at(days=1))
    written = Judgment.of_people.filter(campaign__name=seed_demo.WRITING).latest("pk")
    assert written.item is not None
    review_services.review_demonstrations(
        item=written.item,
        remarks={written.pk: Remark(3, "Say why.")},
        by=by,
        now=at(days=1),
    )
    review_services.appeal(
        review=JudgmentReview.objects.get(judgment=written),
        text="The prompt asked for one word.",
        now=at(days=1),
    )


def begin(rater: Rater) -> None:
    """An item with an unsubmitted draft."""
    campaign = Campaign.objects.get(name=seed_demo.WRITING)
    slot = take(campaign, rater, at(days=2))
    slots.save_draft(item=slot.item, rater=rater, content={"text": "Half of an"}, now=at(days=2))


def train(*, by: User) -> None:
    """Snapshots, runs in three states with curves and samples, models, a schedule with a chain."""
    for kind in ("demonstrations", "comparisons", "prompts"):
        snapshots_services.create_snapshot(
            kind=kind, name=kind, filters=snapshots_services.Filters(), by=by, now=at(days=2)
        )
    base = cast.a_model(by)
    cast.finished(cast.a_run(by, state="running", n_points=30), "succeeded")
    cast.finished(cast.a_run(by, state="running", n_points=5, name="Too hot"), "failed", "NaN")
    run = cast.a_run(by, name="Next")
    Seat.objects.create(run=run, attempt=1, rank=0, node="gpu-2")
    card = Gpu("NVIDIA H100", memory_gb=80, used_gb=2, load=0.1, temperature_c=41)
    told = Report(16, memory_gb=128, memory_free_gb=100, gpus=(card,), versions={"torch": "2.13.0"})
    nodes_services.record_node_heartbeat(name="gpu-2", report=told, now=at(days=2))
    schedule = schedules_services.create_schedule(
        name="Weekly",
        plan=Plan(template="fine-tune", base_model=base.pk),
        terms=Terms(trigger="clock", time_zone="UTC", cron="0 3 * * *", skips_nothing_new=False),
        by=by,
        now=at(days=2),
    )
    schedules_services.fire_now(schedule=schedule, by=by, now=at(days=2))
    tokens.create_token(
        user=by, name="notebook", scopes=["training:read"], n_days=90, now=at(days=2)
    )
    publish(TrainedModel.objects.exclude(run=None).latest("pk"), by)
    score(by)


def publish(model: TrainedModel, by: User) -> None:
    Publication.objects.create(
        model=model,
        repository="team/ours",
        state="failed",
        error="No token.",
        created_by=by,
    )
    served = cast.a_model(by, name="Served elsewhere")
    Endpoint.objects.create(model=served, url="http://models.example.org/v1", served_name="ours")


def score(by: User) -> None:
    """A reward model that has scored half of the responses."""
    reward = cast.a_model(by, name="Reward", kind="reward")
    source = Response.objects.latest("pk").source
    quality_services.store_scores(
        source=source,
        name=reward.name,
        scores={pk: pk / 7 for pk in Response.objects.values_list("pk", flat=True)[::2]},
        now=at(days=2),
    )


def recruit(pool: Pool, rater: Rater, *, by: User) -> None:
    """A second pool with a quiz, an invitation and a crowd link."""
    new = pools_services.create_pool(name="New people", description="", by=by, now=at(days=2))
    pools_services.add_raters(pool=new, raters=[rater], by=by, now=at(days=2))
    skills_services.declare_skills(
        rater=rater, languages=["en", "de"], topics=["chat"], now=at(days=2)
    )
    campaign = Campaign.objects.get(name=seed_demo.WRITING)
    quiz = [{"text": "What comes first?", "choices": ["help", "brevity"], "right": 0}]
    step = onboarding_services.add_step(
        pool=new,
        kind="guideline",
        title="Read the guideline",
        text="",
        questions=quiz,
        guideline=campaign.guideline,
        cut=Decimal("0.75"),
        by=by,
        now=at(days=2),
    )
    onboarding_services.submit_step(
        step=step, rater=rater, version=1, guideline_version=1, answers=[0], now=at(days=2)
    )
    invitations_services.invite_to_pool(
        pool=pool, invitees=[Invitee("ines@example.org", "Ines")], by=by, now=at(days=2)
    )
    link = crowd_services.create_crowd_link(
        campaign=campaign,
        name="Study",
        id_parameter="PROLIFIC_PID",
        completion_code="C0DE42",
        by=by,
        now=at(days=2),
    )
    crowd_services.begin_visit(link=link, external_id="worker-1", now=at(days=2))
    guidelines_services.new_guideline_version(
        guideline=campaign.guideline,
        text="# Write\n\nBriefly.",
        form=rating_form.default(),
        by=by,
        now=at(days=2),
    )


def converse(pool: Pool, rater: Rater, attacker: Rater, *, by: User) -> None:
    """A conversation in which a model fails, an attack, and a sheet of the comparisons."""
    comparing = Campaign.objects.get(name=seed_demo.COMPARING)
    guideline = comparing.guideline
    talking.conversation_with_a_failure(pool=pool, guideline=guideline, rater=rater)
    rules = rules_of(guidelines_selectors.latest_version(guideline=guideline).text)
    brief = Brief(goal="Get an insult.", area="abuse", rule=max(rules, key=len))
    campaign = attacking.open_red_teaming(pool=pool, guideline=guideline, briefs=[brief], by=by)
    attacking.attacked(campaign, attacking.agreed(attacker, "abuse"))
    exports.request_export(campaign=comparing, shape="rankings", by=by, now=at(days=2))


def answer_suites(*, by: User) -> None:
    """Two models on a suite."""
    suite = scorecard_rows.a_suite(n=6)
    for name, n_right in (("Before", 2), ("After", 5)):
        model = cast.a_model(by, name=name)
        scorecard_rows.scored(model, suite, [place < n_right for place in range(6)], by=by)


def settle_pay(rater: Rater, *, by: User) -> None:
    first = START.date()
    pay_services.mark_paid(rater=rater, since=first, until=first, by=by, now=at(days=2))
    pay_services.raise_dispute(
        rater=rater, since=first, until=first, text="An hour is missing.", now=at(days=2)
    )
