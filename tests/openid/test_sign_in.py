"""Signing in by a provider of OpenID Connect, which is a process of its own."""

from django.urls import reverse

from endpoints.models import Membership
from tests.openid.conftest import Browser


def test_who_is_vouched_for_gets_an_account_and_the_rights_of_their_groups(
    browser: Browser,
) -> None:
    answer = browser.sign_in()

    assert answer["Location"] == reverse("endpoint-list")
    anna = browser.user
    assert anna is not None
    assert (anna.username, anna.get_full_name()) == ("anna", "Anna Ash")
    assert not anna.has_usable_password()
    membership = Membership.objects.get(user=anna)
    assert (membership.team.name, membership.role) == ("search", "inference_admin")
    assert membership.is_managed
    assert browser.client.get("/console/").status_code == 200
