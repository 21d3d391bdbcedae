"""Who may open which page, and do what there. Keys open none, so they have no columns."""

TABLES = {
    "in and out": """
# site  team oth. sh no
+ +++++ +++ +++ ++ ++  GET /console
+ +++++ +++ +++ ++ ++  GET /console/sign-in
+ +++++ +++ +++ ++ ++  POST|PUT /console/sign-in
- ----- --- --- -- --  POST /console/sign-out
- ????? ??? ??? ?? ?-  GET|POST /console/nothing/is/here
- +++++ +++ +++ ++ +-  GET /console/api
- +++++ +++ +++ ++ +-  GET /console/api/openapi.json
- +++++ +++ +++ ++ +-  GET /console/roles
- +++++ +++ +++ ++ +-  GET /console/account/no-access
# A link is for whoever has it, and leads on; without one there is nothing.
+ +++++ +++ +++ ++ ++  GET /console/join/in
? ????? ??? ??? ?? ??  GET /console/join/out
? ????? ??? ??? ?? ??  GET|POST /console/join
+ +++++ +++ +++ ++ ++  GET /console/new-password/in
? ????? ??? ??? ?? ??  GET /console/new-password/out
? ????? ??? ??? ?? ??  GET|POST /console/new-password
+ +++++ +++ +++ ++ ++  GET|POST|PUT /console/password
+ +++++ +++ +++ ++ ++  GET /console/password/sent
+ +++++ +++ +++ ++ ++  GET|POST /console/password/1/abc
+ +++++ +++ +++ ++ ++  GET /console/password/changed
+ +++++ +++ +++ ++ ++  GET /console/email/sent
+ +++++ +++ +++ ++ ++  GET /console/email/unknown
? ????? ??? ??? ?? ??  POST /console/email/unknown
+ +++++ +++ +++ ++ ++  GET /console/sign-in/inactive
- +++++ +++ +++ ++ +-  GET|POST /console/sign-in/code
- +++++ +++ +++ ++ +-  GET|POST /console/sign-in/passkey
- ????? ??? ??? ?? ?-  GET|POST /console/sign-up
# Nobody signs in by a provider where there is none.
? ????? ??? ??? ?? ??  GET /console/sign-in/service[/callback]
- ????? ??? ??? ?? ?-  GET|POST /console/account/service/link
- +++++ +++ +++ ++ +-  GET|POST /console/account/service/unlink
""",
    "one's own account": """
# site  team oth. sh no
- +++++ +++ +++ ++ +-  GET|POST /console/account
- +++++ +++ +++ ++ +-  GET|POST /console/account/confirm
- +++++ +++ +++ ++ +-  GET|POST /console/account/confirm/code
- +++++ +++ +++ ++ +-  GET|POST /console/account/confirm/passkey
- +++++ +++ +++ ++ +-  GET /console/account/confirm/again
- +++++ +++ +++ ++ +-  GET|POST /console/account/email
- +++++ +++ +++ ++ +-  GET|POST /console/account/password
- ????? ??? ??? ?? ?-  GET|POST /console/account/password/first
- +++++ +++ +++ ++ +-  GET /console/account/security
- +++++ +++ +++ ++ +-  GET|POST /console/account/security/app
- ????? ??? ??? ?? ?-  GET|POST /console/account/security/app/remove
- ????? ??? ??? ?? ?-  GET /console/account/security/codes
- +++++ +++ +++ ++ +-  GET|POST /console/account/security/codes/new
- +++++ +++ +++ ++ +-  GET /console/account/security/passkeys
- +++++ +++ +++ ++ +-  GET|POST /console/account/security/passkeys/_new
# That of somebody else.
- ????? ??? ??? ?? ?-  GET|POST /console/account/security/passkeys/1000001
- ????? ??? ??? ?? ?-  GET|POST /console/account/security/passkeys/1000001/remove
- +++++ +++ +++ ++ +-  GET|POST /console/account/sessions
""",
    "second factors of others": """
# site  team oth. sh no
- +xxxx xxx xx? xx x-  GET|POST /console/people/user/second-factor
""",
    "endpoints": """
# site  team oth. sh no
- +++xx +++ +++ ++ x-  GET /console/
- +++++ +++ +++ ++ +-  GET /console/find
- +++xx +++ +++ ++ x-  GET /console/endpoints
- ++xxx x++ x++ ++ x-  GET /console/endpoints/_new
- ++xxx x++ x++ ++ x-  GET|POST /console/endpoints/_new/elasticsearch
- ++xxx x++ x++ ++ x-  GET|POST /console/endpoints/_new/openai
- ++xxx x++ x++ ++ x-  POST /console/endpoints/_new/openai/form
- ++xxx x++ x++ ++ x-  POST /console/endpoints/_new/openai/request
- ++xxx x++ x++ ++ x-  POST /console/endpoints/_new/openai/try
- ++xxx x++ x++ ++ x-  POST /console/endpoints/_new/openai/models
- +++xx +++ +++ ++ x-  POST /console/endpoints/_chunks
- +++xx +++ ??? ++ x-  GET /console/endpoints/e1
- +++xx +++ ??? ++ x-  POST /console/endpoints/e1/try
- +++xx +++ ??? ++ x-  GET /console/endpoints/e1/besides
- +++xx +++ ??? ++ x-  POST /console/endpoints/remote/stream
- ++xxx x++ x?? x+ x-  GET|POST /console/endpoints/remote/edit
- ++xxx x++ x?? x+ x-  POST /console/endpoints/remote/edit/changes
- ++xxx x++ x?? xx x-  POST /console/endpoints/e1/retry
- ++xxx x++ x?? xx x-  GET|POST /console/endpoints/e1/delete
# Pipelines are the site's.
- +xxxx xxx x?? xx x-  POST /console/endpoints/e1/delete/pipeline
- +?xxx x++ x?? xx x-  POST /console/endpoints/e1/delete/scan/c1
- ++xxx x++ x++ ++ x-  GET|POST /console/endpoints/_delete?id=e1
- ++xxx x++ x++ ++ x-  GET /console/endpoints/_deleted
- ++xxx x++ x++ ++ x-  POST /console/endpoints/_deleted/restore
- ++xxx x++ x?? ?? x-  POST /console/endpoints/_deleted/1000001/restore
- ++xxx x++ x?? ?? x-  GET|POST /console/endpoints/_deleted/1000001/forget
# What another session was told.
- ??xxx x?? x?? ?? x-  GET /console/endpoints/_outcomes/unknown
- ++xxx x++ x?? x+ x-  GET|POST /console/endpoints/e1/diagnose
- ++xxx x++ x?? x+ x-  POST /console/endpoints/e1/cache
    < enabled=true
- ++xxx x++ x?? x+ x-  POST /console/endpoints/e1/cache/purge
- +++xx +++ ??? ++ x-  GET /console/endpoints/e1/usage
- +++xx +++ ??? ++ x-  GET /console/endpoints/e1/settings
- +++xx +++ ??? ++ x-  GET /console/endpoints/e1/deployment
- ++xxx x++ x?? x+ x-  POST /console/endpoints/e1/deployment
    < way=fixed&num_allocations=1
- +++xx +++ ??? ++ x-  POST /console/endpoints/e1/start
- ++xxx x++ x?? xx x-  GET /console/endpoints/e1/references
- +++xx +++ ??? ++ x-  GET /console/endpoints/e1/history
- +xxxx +++ ??? xx x-  GET /console/endpoints/e1/sharing
- +xxxx xx+ ??? xx x-  POST /console/endpoints/e1/shares
- +xxxx xx+ ??? xx x-  GET|POST /console/endpoints/e1/shares/guests/remove
- +xxxx xx+ ??? xx x-  GET|POST /console/endpoints/e1/move
- +xxxx xxx xxx xx x-  GET|POST /console/endpoints/.rerank-v1-elasticsearch/move
""",
    "references": """
# site  team oth. sh no
- +xxxx +++ +++ ++ x-  GET /console/references
- +xxxx xxx xxx xx x-  GET|POST /console/references/_new/index
- +xxxx xxx xxx xx x-  GET /console/references/indices/i1
- +xxxx xxx xxx xx x-  GET|POST /console/references/indices/i1/edit
- +xxxx xxx xxx xx x-  GET|POST /console/references/indices/i1/delete
- +xxxx xxx xxx xx x-  GET /console/references/pipelines
- +xxxx xxx xxx xx x-  GET|POST /console/references/_new/pipeline
- +xxxx xxx xxx xx x-  GET /console/references/pipelines/p1
- +xxxx xxx xxx xx x-  GET|POST /console/references/pipelines/p1/edit
- +xxxx xxx xxx xx x-  GET|POST /console/references/pipelines/p1/simulate
- +xxxx xxx xxx xx x-  GET|POST /console/references/pipelines/p1/delete
""",
    "lab": """
# site  team oth. sh no
- +++xx +++ +++ ++ x-  GET /console/lab
- +++xx +++ +++ ++ x-  POST /console/lab/_document
- ++xxx x++ x++ ++ x-  GET|POST /console/lab/_save
# What somebody brought is there for nobody else.
- +??xx ??? ??? ?? x-  GET /console/lab/run
- +??xx ??? ??? ?? x-  GET /console/lab/run/progress
- +??xx ??? ??? ?? x-  GET /console/lab/run/counted
- +??xx ??? ??? ?? x-  POST /console/lab/run/embed
- +??xx ??? ??? ?? x-  POST /console/lab/run/stop
- +??xx ??? ??? ?? x-  POST /console/lab/run/go-on
- +??xx ??? ??? ?? x-  POST /console/lab/run/search
- +??xx ??? ??? ?? x-  POST /console/lab/run/delete
- +++xx +++ +++ ++ x-  POST /console/lab/sample/embed
""",
    "models": """
# site  team oth. sh no
- +xx++ +++ +++ ++ x-  GET /console/models
- +xx++ +++ ??? ?? x-  GET /console/models/m1
- +xx++ +++ +++ ++ x-  GET /console/models/.rerank-v1
- +xx+x x++ x++ ++ x-  GET|POST /console/models/_add
- +xx+x x++ x++ ++ x-  GET|POST /console/models/_uploads
- +xx+x x++ x?? ?? x-  GET /console/models/_uploads/u1
- +xx+x x++ x?? ?? x-  PUT /console/models/_uploads/u1/0
- +xx+x x++ x?? ?? x-  POST /console/models/_uploads/u1/finish
- +xx+x x++ x?? ?? x-  GET|POST /console/models/_uploads/u1/discard
- +xx+x x++ x++ ++ x-  POST /console/models/.elser_model_2/download
- +xx+x x++ x?? ?? x-  POST /console/models/m1/download
- +xx+x xxx xxx xx x-  POST /console/models/.rerank-v1/download
- +xx+x x++ x?? ?? x-  POST /console/models/m1/pause
- +xx+x x++ x?? ?? x-  POST /console/models/m1/cancel
- +xx+x x++ x?? ?? x-  GET|POST /console/models/m1/delete
""",
    "deployments": """
# site  team oth. sh no
- +xx++ +++ +++ ++ x-  GET /console/models/_deployments
- +xx+x x++ x?? ?? x-  GET|POST /console/models/m1/start
- +xx+x x++ x++ ++ x-  GET|POST /console/models/.rerank-v1/start
- +xx+x x++ x?? ?? x-  GET|POST /console/models/_deployments/_scale?id=d1
- +xx+x x++ x?? xx x-  GET|POST /console/models/_deployments/_scale?id=e1
- +xx+x x++ x?? ?? x-  GET|POST /console/models/_deployments/_stop?id=d1
- +xx+x x++ x?? xx x-  GET|POST /console/models/_deployments/_stop?id=e1
""",
    "clusters": """
# site  team oth. sh no
- +xxxx +++ +++ ++ x-  GET /console/clusters
- +xxxx x++ x++ ++ x-  GET|POST /console/clusters/_new
- +xxxx +++ ??? ?? x-  GET /console/clusters/c1
- +xxxx x++ x?? ?? x-  GET|POST /console/clusters/c1/edit
- +xxxx x++ x?? ?? x-  POST /console/clusters/c1/scan
- +xxxx x++ x?? ?? x-  GET|POST /console/clusters/c1/remove
""",
    "keys": """
# site  team oth. sh no
- +xxxx +++ +++ ++ x-  GET /console/keys
- +xxxx +++ +++ ++ x-  GET|POST /console/keys/_new
- +xxxx ??? ??? ?? x-  GET /console/keys/superuser
- +xxxx ?++ ??? ?? x-  GET /console/keys/manager
- +xxxx ??+ ??? ?? x-  GET /console/keys/account
# Who has the new secret acts in the name of the key's owner.
- +xxxx ??? ??? ?? x-  GET|POST /console/keys/superuser/rotate
- xxxxx ?+x ??? ?? x-  GET|POST /console/keys/manager/rotate
- +xxxx ??+ ??? ?? x-  GET|POST /console/keys/account/rotate
- +xxxx ??? ??? ?? x-  GET|POST /console/keys/superuser/revoke
- +xxxx ?++ ??? ?? x-  GET|POST /console/keys/manager/revoke
- +xxxx ??+ ??? ?? x-  GET|POST /console/keys/account/revoke
- +xxxx +++ +++ ++ x-  GET /console/keys/_accounts
- +xxxx xx+ xx+ xx x-  GET|POST /console/keys/_accounts/_new
- +xxxx xx+ xx? xx x-  GET|POST /console/keys/_accounts/owners/bot
- +xxxx xx+ xx? xx x-  GET|POST /console/keys/_accounts/owners/bot/remove
""",
    "teams": """
# site  team oth. sh no
- +xxxx +++ +++ ++ x-  GET /console/teams
- +xxxx xxx xxx xx x-  GET|POST /console/teams/_new
- +++++ +++ +++ ++ +-  POST /console/teams/_switch
- +xxxx +++ ??? ?? x-  POST /console/teams/_switch
    < team=owners
- +xxxx +++ ??? ?? x-  GET /console/teams/owners
- +xxxx xx+ ??? ?? x-  GET|POST /console/teams/owners/edit
- +xxxx xxx ??? ?? x-  GET|POST /console/teams/owners/delete
- +xxxx xx+ ??? ?? x-  POST /console/teams/owners/members
- +xxxx +x+ ??? ?? x-  GET|POST /console/teams/owners/members/user/remove
- +xxxx x++ ??? ?? x-  GET|POST /console/teams/owners/members/manager/remove
""",
    "people": """
# site  team oth. sh no
- +xxxx xx+ xx+ xx x-  GET /console/people
- +xxxx xx+ xx+ xx x-  GET|POST /console/people/_invite
- +xxxx xx+ xx? xx x-  GET|POST /console/people/_invitations/toteam/withdraw
- +xxxx xx? xx? xx x-  GET|POST /console/people/_invitations/tosite/withdraw
- +xxxx xx+ xx? xx x-  POST /console/people/_invitations/toteam/renew
- +xxxx xx? xx? xx x-  POST /console/people/_invitations/tosite/renew
- +xxxx xx+ xx? xx x-  GET /console/people/user
- +xxxx xx? xx? xx x-  GET /console/people/nobody
- +xxxx xxx xx? xx x-  GET|POST /console/people/user/roles
- +xxxx xx? xx? xx x-  GET|POST /console/people/nobody/roles
- +xxxx xxx xx? xx x-  GET|POST /console/people/user/reset
- +xxxx xx? xx? xx x-  GET|POST /console/people/nobody/reset
- +xxxx xxx xx? xx x-  GET|POST /console/people/user/deactivate
- +xxxx xx? xx? xx x-  GET|POST /console/people/nobody/deactivate
- +xxxx xxx xx? xx x-  POST /console/people/user/activate
- +xxxx xx? xx? xx x-  POST /console/people/deactivated/activate
- +xxxx xxx xx? xx x-  GET|POST /console/people/user/sessions
- +xxxx xx? xx? xx x-  GET|POST /console/people/nobody/sessions
""",
    "the audit log": """
# site  team oth. sh no
- +xxxx xx+ xx+ xx x-  GET /console/audit
- +xxxx xx+ xx+ xx x-  GET /console/audit/export.csv
- ?xxxx xx? xx? xx x-  GET /console/audit/export.xls
- +xxxx xx? xx? xx x-  GET /console/audit/1000001
- +xxxx xx+ xx? xx x-  GET /console/audit/1000002
""",
}
# Whoever signed in long ago proves first that it is still them.
DANGEROUS = """
/console/account/email
/console/account/security/app
/console/account/security/app/remove
/console/account/security/codes
/console/account/security/codes/new
/console/account/security/passkeys/_new
/console/account/security/passkeys/1000001
/console/account/security/passkeys/1000001/remove
/console/account/service/link
/console/account/service/unlink
/console/clusters/c1/remove
/console/people/user/sessions
"""
