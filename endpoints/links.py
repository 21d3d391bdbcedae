"""Addresses of pages for people who are elsewhere, and the mails that take them there."""

from django.conf import settings
from django.core.mail import EmailMessage
from django.http import HttpRequest
from django.urls import reverse

from endpoints.models import Invitation


def absolute(request: HttpRequest, view: str, *args: str) -> str:
    """The address of a page for a mail: as the settings say, else of the host that was asked."""
    path = reverse(view, args=args)
    return settings.CONSOLE_URL + path if settings.CONSOLE_URL else request.build_absolute_uri(path)


def send_invitation(invitation: Invitation, url: str) -> str:
    """Mail the link to whom it is for. Returns why that failed, in words; empty where it went.

    Whoever asked must show it to nobody then.
    """
    to_team = f", to the team {invitation.team.name}" if invitation.team else ""
    mail = EmailMessage(
        subject="Your invitation to Inference Console",
        body=(
            f"{invitation.made_by.username} invites you to Inference Console{to_team}.\n\n"
            f"Open this link to choose a name and a password:\n\n{url}\n\n"
            f"It works once, until {invitation.expires_at:%d %B %Y, %H:%M} UTC. If you did not "
            "expect it, do nothing.\n"
        ),
        to=[invitation.email],
    )
    try:
        mail.send()
    except OSError as exc:  # as smtplib's failures are, too
        return str(exc) or type(exc).__name__
    # Not where there is another link by now.
    Invitation.objects.filter(token_sha256=invitation.token_sha256).update(was_mailed=True)
    return ""
