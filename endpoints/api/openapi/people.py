"""The routes of people and invitations, described."""

from endpoints.api import people
from endpoints.api.openapi.settings import schemas_of
from endpoints.api.openapi.words import (
    BOOLEAN,
    INTEGER,
    STRING,
    Body,
    Operation,
    Schema,
    listed,
    query,
    record,
    ref,
)
from endpoints.listed_people import PersonState
from endpoints.models import LinkState

OPTIONAL_STRING: Schema = {"type": ["string", "null"]}
LINK: Schema = {**STRING, "description": "It works once. It is never shown again."}

SCHEMAS: dict[str, Schema] = {
    "Person": record(
        {
            "username": STRING,
            "enabled": BOOLEAN,
            "state": {"enum": PersonState.values},
            "teams": listed(record({"team": STRING, "team_role": STRING})),
        },
        {
            "full_name": OPTIONAL_STRING,
            "email": OPTIONAL_STRING,
            "roles": {**listed(STRING), "description": "Those that hold everywhere."},
            "created_at": STRING,
            "last_sign_in": OPTIONAL_STRING,
            "second_factor": BOOLEAN,
        },
    ),
    "Invitation": record(
        {
            "id": STRING,
            "state": {"enum": LinkState.values},
            "email": OPTIONAL_STRING,
            "username": {**OPTIONAL_STRING, "description": "What is suggested as a name."},
            "team": OPTIONAL_STRING,
            "team_role": OPTIONAL_STRING,
            "roles": listed(STRING),
            "invited_by": STRING,
            "created_at": STRING,
            "expires_at": STRING,
        }
    ),
    **schemas_of(people.InviteBody, people.RenewBody, people.RolesBody, people.DeactivateBody),
}
SENT = {
    "url": LINK,
    "mail_failure": {**STRING, "description": "Why the mail could not be sent."},
}
INVITED = record({"invitation": ref("Invitation")}, SENT)
LISTED = "Administrators of a team see who is in it, with less of each."

GET_ALL = Operation(
    "people.get_all",
    "List people",
    record({"count": INTEGER, "people": listed(ref("Person"))}),
    LISTED,
    (
        query("q", "A part of a name.", STRING),
        query("from", "How many to leave out.", INTEGER),
        query("size", "How many to show.", INTEGER),
    ),
)
GET = Operation("people.get", "Read who somebody is", ref("Person"), LISTED, failures=(404,))
PUT_ROLES = Operation(
    "people.put_roles",
    "Give somebody other roles of the site",
    ref("Person"),
    "They hold from the next request on. Nobody gives a role that allows more than they may do.",
    body=Body(ref("RolesBody"), {"roles": ["inference_user"]}),
    failures=(404, 409),
)
DEACTIVATE = Operation(
    "people.deactivate",
    "Let somebody in no more",
    ref("Person"),
    "Sessions end, and the API refuses the account and its keys, at once. Keys are revoked, or "
    "with `keep` work again when the account is activated. `hand_over_to` names who administers "
    "the teams that would have no administrator any more.",
    body=Body(ref("DeactivateBody"), {"hand_over_to": "ada"}, is_required=False),
    failures=(404, 409),
)
ACTIVATE = Operation(
    "people.activate",
    "Let somebody in again",
    ref("Person"),
    "With the roles from before. Sessions from before do not come back.",
    failures=(404,),
)
RESET = Operation(
    "people.reset_password",
    "Make a link to a new password",
    record({"url": LINK, "expires_at": STRING}),
    "The old password holds until the link is used; then all sessions end.",
    failures=(404, 409),
)
RESET_SECOND_FACTOR = Operation(
    "people.reset_second_factor",
    "Forget somebody's second factors",
    ref("Person"),
    "For who lost their phone and their recovery codes, which go, too. All sessions end; the "
    "password goes on.",
    failures=(404,),
)
GET_INVITATIONS = Operation(
    "people.get_invitations",
    "List invitations that nobody has used",
    record({"invitations": listed(ref("Invitation"))}),
)
INVITE = Operation(
    "people.invite",
    "Invite somebody",
    {
        "anyOf": [
            INVITED,
            record({"member": record({"username": STRING, "team": STRING, "team_role": STRING})}),
        ]
    },
    "The link comes with the answer, or by mail with `send`. Somebody who is here already, by the "
    "name that is given, becomes a member of the team at once. An invitation never gives more "
    "than who made it may give when it is used.",
    body=Body(ref("InviteBody"), {"team": "search", "team_role": "inference_user"}),
    failures=(404, 409),
)
WITHDRAW = Operation(
    "people.withdraw", "Withdraw an invitation", ref("Acknowledged"), failures=(404, 409)
)
RENEW = Operation(
    "people.renew",
    "Make a new link for an invitation",
    INVITED,
    "The link from before lets nobody in any more.",
    body=Body(ref("RenewBody"), {"send": True}, is_required=False),
    failures=(404, 409),
)

OPERATIONS = {
    people.PeopleView: {"get": GET_ALL},
    people.PersonView: {"get": GET},
    people.RolesView: {"put": PUT_ROLES},
    people.DeactivateView: {"post": DEACTIVATE},
    people.ActivateView: {"post": ACTIVATE},
    people.ResetView: {"post": RESET},
    people.ResetSecondFactorView: {"post": RESET_SECOND_FACTOR},
    people.InvitationsView: {"get": GET_INVITATIONS, "post": INVITE},
    people.InvitationView: {"delete": WITHDRAW},
    people.RenewView: {"post": RENEW},
}
