"""The routes of teams and of what they share, described."""

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
from endpoints.api.sharing import MoveBody, MoveView, ShareBody, ShareListView, ShareView
from endpoints.api.teams import (
    MemberBody,
    MemberListView,
    MemberView,
    TeamBody,
    TeamListView,
    TeamView,
)
from endpoints.models import ShareLevel, TeamRole
from endpoints.teams import EVERYONE, HELD

ROLE: Schema = {"enum": TeamRole.values}
LEVEL: Schema = {"enum": ShareLevel.values}
# Rules that a pattern tells badly: those for the name of an index.
NAME: Schema = {"type": "string", "pattern": "^[^/]+$", "maxLength": 64, "examples": ["search"]}
IN_PATH = {"name": NAME}
SHARED_WITH: Schema = {**NAME, "description": f"The name of a team, or `{EVERYONE}`."}
SHARE_IN_PATH = {"team": SHARED_WITH}
KNOWN = {"name": STRING, "description": STRING, "members": INTEGER, "created_at": STRING}
MINE = {"role": {**ROLE, "description": "That of who asks, where they are a member."}}
SCHEMAS: dict[str, Schema] = {
    "Team": record(KNOWN, MINE),
    "TeamInFull": record({**KNOWN, "holds": record(dict.fromkeys(HELD, INTEGER))}, MINE),
    "Member": record({"username": STRING, "role": ROLE, "since": STRING}),
    "Share": record({"team": SHARED_WITH, "level": LEVEL}),
    **schemas_of(TeamBody, MemberBody, ShareBody, MoveBody),
}

GET_ALL = Operation(
    "teams.get_all",
    "List the teams that the caller is in",
    record({"count": INTEGER, "teams": listed(ref("Team"))}),
    "Administrators of the site see all of them.",
)
GET = Operation("teams.get", "Read a team", ref("TeamInFull"), failures=(404,), in_path=IN_PATH)
PUT = Operation(
    "teams.put",
    "Create a team, or describe it anew",
    ref("TeamInFull"),
    "Names follow the rules for an index and have 64 characters at most. A description that is "
    "left out stays as it is.",
    body=Body(ref("TeamBody"), {"description": "Everything about search."}, is_required=False),
    failures=(404, 409),
    in_path=IN_PATH,
)
DELETE = Operation(
    "teams.delete",
    "Delete a team",
    ref("Acknowledged"),
    "Refused while something belongs to it, which `holds` in the refusal names.",
    (query("move_to", "The team that gets what belongs to it.", STRING),),
    failures=(404, 409),
    in_path=IN_PATH,
)
GET_MEMBERS = Operation(
    "teams.get_members",
    "List who is in a team",
    record({"count": INTEGER, "members": listed(ref("Member"))}),
    failures=(404,),
    in_path=IN_PATH,
)
PUT_MEMBER = Operation(
    "teams.put_member",
    "Add somebody to a team, or give them another role in it",
    ref("Member"),
    "The last administrator of a team stays one.",
    body=Body(ref("MemberBody"), {"role": "inference_user"}),
    failures=(404, 409),
    in_path=IN_PATH,
)
REMOVE_MEMBER = Operation(
    "teams.remove_member",
    "Remove somebody from a team, or leave it",
    ref("Acknowledged"),
    "Their API keys of the team end with it.",
    failures=(404, 409),
    in_path=IN_PATH,
)

GET_SHARES = Operation(
    "sharing.get_all",
    "Tell whose an endpoint is, and with whom it is shared",
    record(
        {"owner": {"type": ["string", "null"]}, "count": INTEGER, "shares": listed(ref("Share"))}
    ),
    failures=(404,),
)
GET_SHARE = Operation(
    "sharing.get",
    "Tell how an endpoint is shared with a team",
    ref("Share"),
    failures=(404,),
    in_path=SHARE_IN_PATH,
)
PUT_SHARE = Operation(
    "sharing.put",
    "Share an endpoint with a team, or with everyone",
    ref("Share"),
    "`use` lets them see and call it, `manage` change its settings and its cache, too; nobody can "
    "do more than their own role allows. It stays with its team, which alone deletes it.",
    body=Body(ref("ShareBody"), {"level": "use"}),
    failures=(404,),
    in_path=SHARE_IN_PATH,
)
DELETE_SHARE = Operation(
    "sharing.delete",
    "Take back what was shared",
    ref("Acknowledged"),
    failures=(404,),
    in_path=SHARE_IN_PATH,
)
MOVE = Operation(
    "sharing.move",
    "Give an endpoint to another team",
    record({"acknowledged": BOOLEAN, "team": STRING}),
    "Only to one in which the caller could have created it.",
    body=Body(ref("MoveBody"), {"team": "search"}),
    failures=(404, 409),
)

OPERATIONS = {
    TeamListView: {"get": GET_ALL},
    TeamView: {"get": GET, "put": PUT, "delete": DELETE},
    MemberListView: {"get": GET_MEMBERS},
    MemberView: {"put": PUT_MEMBER, "delete": REMOVE_MEMBER},
    ShareListView: {"get": GET_SHARES},
    ShareView: {"get": GET_SHARE, "put": PUT_SHARE, "delete": DELETE_SHARE},
    MoveView: {"post": MOVE},
}
