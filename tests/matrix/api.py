"""Who may call what of the API.

A name that is taken is told to everybody who may make something: see `PUT /_console/clusters/c1`.
"""

TABLES = {
    "second factors of others": """
# site  team oth. sh no keys
- +xxxx xxx xx? xx x- +xxxx--  POST /_console/people/user/_reset_second_factor
""",
    "the way in": """
# site  team oth. sh no keys
- +++++ +++ +++ ++ +- +++++--  GET /
+ +++++ +++ +++ ++ ++ +++++++  GET /healthz
+ +++++ +++ +++ ++ ++ +++++++  GET /readyz
- +++++ +++ +++ ++ +- +++++--  GET /_console/openapi.json
- +++++ +++ +++ ++ +- +++++--  GET|PUT|POST|DELETE|PATCH /_nothing/is/here
- +++++ +++ +++ ++ +- +++++--  GET /_nothing
- +xxxx xxx xxx xx x- +xxxx--  PUT /_nothing
- +++++ +++ +++ ++ +- +++++--  POST /_nothing
- +++++ +++ +++ ++ +- +++++--  DELETE /_nothing
- +++++ +++ +++ ++ +- +++++--  PATCH /_nothing
""",
    "endpoints": """
# site  team oth. sh no keys
- +++xx +++ +++ ++ x- +++++--  GET /_inference
- +++xx +++ +++ ++ x- +++++--  GET /_inference/[text_embedding/]_all
- +++xx +++ +++ ++ x- +++++--  GET /_inference/[text_embedding/]*
- +++xx +++ ??? ++ x- +++++--  GET /_inference/[text_embedding/]e1
- ++xxx x++ x++ ++ x- ++x+x--  PUT /_inference/[text_embedding/]new
- +++xx +++ ??? ++ x- +++++--  POST /_inference/[text_embedding/]e1
    < {"input": "a"}
- +++xx +++ ??? ++ x- +++++--  POST /_inference/[text_embedding/]e1/_stream
    < {"input": "a"}
- ++xxx x++ x?? x+ x- ++x+x--  PUT|POST /_inference/[text_embedding/]e1/_update
    < {"service_settings": {"num_allocations": 1}}
- ++xxx x++ x?? xx x- ++x+x--  DELETE /_inference/[text_embedding/]e1
- +++xx +++ +++ ++ x- +++?+--  GET /_inference/.rerank-v1-elasticsearch
- +++xx +++ +++ ++ x- +++?+--  POST /_inference/.rerank-v1-elasticsearch
    < {"input": ["a"], "query": "b"}
- ++xxx x++ x++ ++ x- ++x+x--  PUT /_inference/.rerank-v1-elasticsearch/_update
    < {"service_settings": {"num_allocations": 1}}
- ++xxx xxx xxx xx x- +xx?x--  DELETE /_inference/.rerank-v1-elasticsearch?force
- +++xx +++ +++ ++ x- +++++--  GET /_inference/_services[/text_embedding]
- +++xx +++ +++ ++ x- +++++--  POST /_inference/_chunk
- +++xx +++ +++ ++ x- +++++--  GET /_inference/_region_policy
- ++xxx xxx xxx xx x- +xxxx--  PUT /_inference/_region_policy
- ++xxx xxx xxx xx x- +xxxx--  DELETE /_inference/_region_policy
- +++xx +++ ??? ++ x- +++++--  GET /_console/endpoints/e1/cache
- ++xxx x++ x?? x+ x- ++x+x--  PUT /_console/endpoints/e1/cache
    < {"enabled": true}
- ++xxx x++ x?? x+ x- ++x+x--  DELETE /_console/endpoints/e1/cache
- ++xxx x++ x?? x+ x- ++x+x--  POST /_console/endpoints/e1/diagnose
- ++xxx x++ x++ ++ x- ++x+x--  GET /_console/deleted
- ++xxx x++ x?? ?? x- ++x+x--  DELETE /_console/deleted/e2
- ++xxx x++ x?? ?? x- ++x+x--  POST /_console/endpoints/e2/_restore
""",
    "models": """
# site  team oth. sh no keys
- +xx++ +++ +++ ++ x- ++xx+--  GET /_ml/trained_models
- +xx++ +++ ??? ?? x- ++xx+--  GET /_ml/trained_models/m1
- +xx++ +++ +++ ++ x- ++xx+--  GET /_ml/trained_models/*
- +xx++ +++ +++ ++ x- ++xx+--  GET /_ml/trained_models/.rerank-v1
- +xx+x x++ x++ ++ x- ++xxx--  PUT /_ml/trained_models/new
- +xx+x x++ x++ ++ x- ++xxx--  PUT /_ml/trained_models/.elser_model_2
    < {"input": {"field_names": ["text_field"]}}
- +xx+x xxx xxx xx x- +xxxx--  PUT /_ml/trained_models/.elser_model_2
    < {"input": {"field_names": ["other"]}}
- +xx+x x++ x?? ?? x- ++xxx--  DELETE /_ml/trained_models/m1?force
- +xx+x xxx xxx xx x- +xxxx--  DELETE /_ml/trained_models/.rerank-v1?force
- +xx+x x++ x?? ?? x- ++xxx--  PUT /_ml/trained_models/m1/definition/0
- +xx+x x++ x?? ?? x- ++xxx--  PUT /_ml/trained_models/m1/vocabulary
- +xx++ +++ ??? ?? x- ++xx+--  GET /_ml/trained_models/m1/_stats
- +xx++ +++ +++ ++ x- ++xx+--  GET /_ml/trained_models/_stats
- +++++ +++ ??? ?? x- +++x+--  POST /_ml/trained_models/m1/[deployment/]_infer
    < {"docs": [{"text_field": "a"}]}
- +xx++ +++ +++ ++ x- ++xx+--  GET /_console/models
- +xx++ +++ ??? ?? x- ++xx+--  GET /_console/models/m1
- +xx+x x++ x++ ++ x- ++xxx--  PUT /_console/models/new
- +xx+x x++ x?? ?? x- ++xxx--  DELETE /_console/models/m1?force
- +xx+x x++ x?? ?? x- ++xxx--  GET|DELETE /_console/models/u1/uploads
- +xx+x x++ x++ ++ x- ++xxx--  POST /_console/models/new/uploads
- +xx+x x++ x?? ?? x- ++xxx--  PUT /_console/models/u1/uploads/0
- +xx+x x++ x?? ?? x- ++xxx--  POST /_console/models/u1/uploads/_finish
- +xx+x x++ x?? ?? x- ++xxx--  POST /_console/models/m1/_cancel
- +xx+x x++ x?? ?? x- ++xxx--  POST /_console/models/m1/_pause
- +xx+x x++ x?? ?? x- ++xxx--  POST /_console/models/m1/_retry
- +xx+x xxx xxx xx x- +xxxx--  POST /_console/models/.rerank-v1/_cancel
- +xx+x xxx xxx xx x- +xxxx--  POST /_console/models/.rerank-v1/_retry
""",
    "deployments": """
# site  team oth. sh no keys
- +xx+x x++ x?? ?? x- ++xxx--  POST /_ml/trained_models/m1/deployment/_start?deployment_id=d2
- +xx+x x++ x++ ++ x- ++xxx--  POST /_ml/trained_models/.rerank-v1/deployment/_start
- +xx+x x++ x?? ?? x- ++xxx--  POST /_ml/trained_models/d1/deployment/_stop?allow_no_match=false
- +xx+x x++ x?? xx x- ++xxx--  POST /_ml/trained_models/e1/deployment/_stop?allow_no_match=false
- +xx+x x++ x?? ?? x- ++xxx--  POST /_ml/trained_models/d1/deployment/_update
    < {"number_of_allocations": 1}
- +xx+x x++ x?? xx x- ++xxx--  POST /_ml/trained_models/e1/deployment/_update
    < {"number_of_allocations": 1}
- +++++ +++ ??? ?? x- +++x+--  POST /_ml/trained_models/d1/_infer
    < {"docs": [{"text_field": "a"}]}
- +++++ +++ ??? ++ x- +++x+--  POST /_ml/trained_models/e1/_infer
    < {"docs": [{"text_field": "a"}]}
- +xx++ +++ ??? ?? x- ++xx+--  GET /_ml/trained_models/d1/_stats
- +xx++ +++ ??? ++ x- ++xx+--  GET /_ml/trained_models/e1/_stats
- +++++ +++ ??? ?? x- +++x+--  GET /_console/deployments/d1/events
- +++++ +++ ??? ++ x- +++x+--  GET /_console/deployments/e1/events
""",
    "clusters": """
# site  team oth. sh no keys
- +xxxx +++ +++ ++ x- ++xx+--  GET /_console/clusters
- +xxxx +++ ??? ?? x- ++xx+--  GET /_console/clusters/c1
- +xxxx x++ x++ ++ x- ++xxx--  PUT /_console/clusters/new
- +xxxx x++ x++ ++ x- ++xxx--  PUT /_console/clusters/c1
    < {"url": "http://127.0.0.1:1"}
- +xxxx x++ x?? ?? x- ++xxx--  DELETE /_console/clusters/c1
- +xxxx x++ x?? ?? x- ++xxx--  POST /_console/clusters/c1/_scan
""",
    "pipelines and indices, which are the site's": """
# site  team oth. sh no keys
- +xxxx xxx xxx xx x- +xxxx--  GET /_ingest/pipeline[/p1]
- +xxxx xxx xxx xx x- +xxxx--  PUT /_ingest/pipeline/p1
- +xxxx xxx xxx xx x- +xxxx--  DELETE /_ingest/pipeline/p1
- +xxxx xxx xxx xx x- +xxxx--  GET|POST /_ingest/pipeline/[p1/]_simulate
- +xxxx xxx xxx xx x- +xxxx--  GET /_mapping
- +xxxx xxx xxx xx x- +xxxx--  GET /i1/_mapping
- +xxxx xxx xxx xx x- +xxxx--  PUT|POST /i1/_mapping
- +xxxx xxx xxx xx x- +xxxx--  GET|HEAD|PUT|DELETE /i1
""",
    "who calls, and with what": """
# site  team oth. sh no keys
- +++++ +++ +++ ++ +- +++++--  GET /_security/_authenticate
- +++++ +++ +++ ++ +- +++++--  GET|POST /_security/user/_has_privileges
    < {"cluster": ["monitor"]}
- +xxxx xxx xxx xx x- +x++x--  GET|POST /_security/user/superuser/_has_privileges
    < {"cluster": ["monitor"]}
- +xxxx xx+ xx+ xx x- +xxxx--  GET /_security/api_key
- +xxxx +++ +++ ++ x- +xxxx--  GET /_security/api_key?owner=true
# With a key one may make keys that can do nothing, and is told so.
- +xxxx +++ +++ ++ x- ++xx+--  PUT|POST /_security/api_key
- +xxxx +++ +++ ++ x- +xxxx--  DELETE /_security/api_key
    < {"owner": true}
- +xxxx xx+ xx+ xx x- +xxxx--  DELETE /_security/api_key
    < {"name": "key"}
""",
    "keys": """
# site  team oth. sh no keys
- +xxxx +++ ??? ?? x- ++xx+--  PUT|POST /_security/api_key
    < {"name": "k", "metadata": {"console": {"team": "owners"}}}
- +xxxx xx+ ??? ?? x- ++xx+--  PUT|POST /_security/api_key
    < {"name": "k", "metadata": {"console": {"service_account": "owners/bot"}}}
- +xxxx +++ +++ ++ x- ++xx+--  GET /_console/api_keys
- +xxxx ??? ??? ?? x- +?xx?--  GET /_console/api_keys/superuser
- +xxxx ?++ ??? ?? x- ++xx?--  GET /_console/api_keys/manager
- +xxxx ??+ ??? ?? x- +?xx+--  GET /_console/api_keys/account
# Who has the new secret acts in the name of the key's owner. A key makes none that can do anything.
- +xxxx ??? ??? ?? x- +?xx?--  POST /_console/api_keys/superuser/_rotate
- xxxxx ?+x ??? ?? x- ++xx?--  POST /_console/api_keys/manager/_rotate
- +xxxx ??+ ??? ?? x- +?xx+--  POST /_console/api_keys/account/_rotate
- +xxxx +++ +++ ++ x- ++xx+--  GET /_console/service_accounts
- +xxxx +++ ??? ?? x- ++xx+--  GET /_console/service_accounts/owners/bot
- +xxxx xx+ xx? xx x- +xxxx--  PUT /_console/service_accounts/owners/bot
    < {"role": "inference_user"}
- +xxxx xx+ xx? xx x- +xxxx--  PUT /_console/service_accounts/owners/new
    < {"role": "inference_user"}
- +xxxx xx+ xx? xx x- +xxxx--  DELETE /_console/service_accounts/owners/bot
""",
    "teams": """
# site  team oth. sh no keys
- +xxxx +++ +++ ++ x- ++xx+--  GET /_console/teams
- +xxxx +++ ??? ?? x- ++xx+--  GET /_console/teams/owners
# Of a team that one does not see one is told what is told of a team that is still to be made.
- +xxxx xx+ xxx xx x- +xxxx--  PUT /_console/teams/owners
- +xxxx xxx xxx xx x- +xxxx--  PUT /_console/teams/new
- +xxxx xxx ??? ?? x- +xxxx--  DELETE /_console/teams/owners
- +xxxx +++ ??? ?? x- ++xx+--  GET /_console/teams/owners/members
- +xxxx xx+ ??? ?? x- +xxxx--  PUT /_console/teams/owners/members/nobody
    < {"role": "inference_user"}
- +xxxx +x+ ??? ?? x- +xxxx--  DELETE /_console/teams/owners/members/user
- +xxxx x++ ??? ?? x- +xxxx--  DELETE /_console/teams/owners/members/manager
""",
    "shares": """
# site  team oth. sh no keys
- +xxxx +++ ??? xx x- ++xx+--  GET /_console/endpoints/e1/shares
- +xxxx +++ ??? xx x- ++xx+--  GET /_console/endpoints/e1/shares/guests
- +xxxx xx+ ??? xx x- +xxxx--  PUT /_console/endpoints/e1/shares/others
    < {"level": "use"}
- +xxxx xx+ ??? xx x- +xxxx--  DELETE /_console/endpoints/e1/shares/guests
- +xxxx xx+ ??? xx x- +xxxx--  POST /_console/endpoints/e1/_move
    < {"team": "owners"}
# It goes where one could have made it.
- +xxxx xx? ??? xx x- +xxxx--  POST /_console/endpoints/e1/_move
    < {"team": "others"}
- +xxxx xxx xxx xx x- +xx?x--  GET /_console/endpoints/.rerank-v1-elasticsearch/shares
- +xxxx xxx xxx xx x- +xx?x--  POST /_console/endpoints/.rerank-v1-elasticsearch/_move
    < {"team": "owners"}
""",
    "people": """
# site  team oth. sh no keys
- +xxxx xx+ xx+ xx x- +xxxx--  GET /_console/people
- +xxxx xx+ xx? xx x- +xxxx--  GET /_console/people/user
- +xxxx xx? xx? xx x- +xxxx--  GET /_console/people/nobody
- +xxxx xxx xx? xx x- +xxxx--  PUT /_console/people/user/roles
    < {"roles": []}
- +xxxx xx? xx? xx x- +xxxx--  PUT /_console/people/nobody/roles
    < {"roles": []}
- +xxxx xxx xx? xx x- +xxxx--  POST /_console/people/user/_deactivate
- +xxxx xx? xx? xx x- +xxxx--  POST /_console/people/nobody/_deactivate
- +xxxx xxx xx? xx x- +xxxx--  POST /_console/people/user/_activate
- +xxxx xx? xx? xx x- +xxxx--  POST /_console/people/deactivated/_activate
- +xxxx xxx xx? xx x- +xxxx--  POST /_console/people/user/_reset
- +xxxx xx? xx? xx x- +xxxx--  POST /_console/people/nobody/_reset
- +xxxx xx+ xx+ xx x- +xxxx--  GET /_console/people/_invitations
- +xxxx xx+ xx? xx x- +xxxx--  POST /_console/people/_invitations
    < {"team": "owners", "team_role": "inference_user"}
- +xxxx xxx xxx xx x- +xxxx--  POST /_console/people/_invitations
    < {"roles": ["inference_user"]}
- +xxxx xx+ xx? xx x- +xxxx--  DELETE /_console/people/_invitations/toteam
- +xxxx xx? xx? xx x- +xxxx--  DELETE /_console/people/_invitations/tosite
- +xxxx xx+ xx? xx x- +xxxx--  POST /_console/people/_invitations/toteam/_renew
- +xxxx xx? xx? xx x- +xxxx--  POST /_console/people/_invitations/tosite/_renew
""",
    "the audit log": """
# site  team oth. sh no keys
- +xxxx xx+ xx+ xx x- +xxxx--  GET /_console/audit[/_export]
""",
}
