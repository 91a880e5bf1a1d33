"""Questions about an item, and their answers."""

from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from labeling.models import Campaign, ItemQuestion, Rater
from labeling.review.questions import services as question_services
from tests.html import page_of
from tests.labeling.desk.posting import SignedIn, comparison, start


def test_a_question_goes_to_the_admins_and_its_answer_to_my_work(
    rosa: Rater, alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client, admin = signed_in(rosa), signed_in(alice)
    address = start(client, comparison_campaign)

    page = page_of(
        client.post(address + "ask", {"question": "Is <b>this</b> in scope?"}, follow=True)
    )
    assert "Your question was sent to the admins." in page
    assert "Is &lt;b&gt;this&lt;/b&gt; in scope?" in page_of(admin.get("/questions/"))
    assert "Not answered yet" in page_of(client.get("/my-work/"))

    admin.post(f"/questions/{ItemQuestion.objects.get().pk}/answer", {"answer": "It is."})
    assert "It is." in page_of(client.get("/my-work/"))
    assert "No pending questions" in page_of(admin.get("/questions/"))
    assert "It is." in page_of(admin.get("/questions/?state=answered"))


def test_a_question_that_is_sent_twice_is_asked_once_until_it_is_answered(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)

    for _ in range(2):
        client.post(address + "ask", {"question": "Is this in scope?"})
    assert ItemQuestion.objects.count() == 1

    ItemQuestion.objects.update(answer="Which part?", answered_at=timezone.now())
    client.post(address + "ask", {"question": "Is this in scope?"})
    assert ItemQuestion.objects.count() == 2


def test_an_empty_question_is_not_sent(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)

    page = page_of(
        client.post(start(client, comparison_campaign) + "ask", {"question": "  "}, follow=True)
    )

    assert "The question is empty." in page
    assert not ItemQuestion.objects.exists()


def test_an_empty_answer_is_not_given(
    rosa: Rater, alice: User, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    client.post(start(client, comparison_campaign) + "ask", {"question": "Is this in scope?"})

    signed_in(alice).post(f"/questions/{ItemQuestion.objects.get().pk}/answer", {"answer": ""})

    assert ItemQuestion.objects.get().answered_at is None


def test_questions_cost_the_same_however_many_there_are(
    rosa: Rater,
    alice: User,
    comparison_campaign: Campaign,
    signed_in: SignedIn,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for item in comparison_campaign.items.all():
        question_services.ask_about(item=item, rater=rosa, text="Why?", now=timezone.now())

    admin = signed_in(alice)
    with django_assert_num_queries(9):
        admin.get("/questions/")


def test_a_question_about_an_answer_that_is_corrected_leads_back_to_the_correction(
    rosa: Rater, comparison_campaign: Campaign, signed_in: SignedIn
) -> None:
    client = signed_in(rosa)
    address = start(client, comparison_campaign)
    client.post(address + "submit", comparison())

    assert (
        client.post(address + "ask", {"question": "In scope?"})["Location"] == address + "correct"
    )
