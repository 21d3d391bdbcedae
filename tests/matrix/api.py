"""Who may call what of the API.

A name that is taken is told to everybody who may make something: see `PUT /_console/clusters/c1`.
"""

TABLES = {
    "second factors of others": """
# site  team oth. sh no keys
- +xxxx xxx xx? xx x- +xx--  POST /_console/people/user/_reset_second_factor
""",
    "the way in": """
# site  team oth. sh no keys
- +++++ +++ +++ ++ +- +++--  GET /
+ +++++ +++ +++ ++ ++ +++++  GET /healthz
+ +++++ +++ +++ ++ ++ +++++  GET /readyz
- +++++ +++ +++ ++ +- +++--  GET /_console/openapi.json
- +++++ +++ +++ ++ +- +++--  GET|PUT|POST|DELETE|PATCH /_nothing/is/here
- +++++ +++ +++ ++ +- +++--  GET /_nothing
- +xxxx xxx xxx xx x- +xx--  PUT /_nothing
- +++++ +++ +++ ++ +- +++--  POST /_nothing
- +++++ +++ +++ ++ +- +++--  DELETE /_nothing
- +++++ +++ +++ ++ +- +++--  PATCH /_nothing
""",
    "endpoints": """
# site  team oth. sh no keys
- +++xx +++ +++ ++ x- +++--  GET /_inference
- +++xx +++ +++ ++ x- +++--  GET /_inference/[text_embedding/]_all
- +++xx +++ +++ ++ x- +++--  GET /_inference/[text_embedding/]*
- +++xx +++ ??? ++ x- +++--  GET /_inference/[text_embedding/]e1
- ++xxx x++ x++ ++ x- ++x--  PUT /_inference/[text_embedding/]new
- +++xx +++ ??? ++ x- +++--  POST /_inference/[text_embedding/]e1
    < {"input": "a"}
- +++xx +++ ??? ++ x- +++--  POST /_inference/[text_embedding/]e1/_stream
    < {"input": "a"}
- ++xxx x++ x?? x+ x- ++x--  PUT|POST /_inference/[text_embedding/]e1/_update
    < {"service_settings": {"num_allocations": 1}}
- ++xxx x++ x?? xx x- ++x--  DELETE /_inference/[text_embedding/]e1
- +++xx +++ +++ ++ x- +++--  GET /_inference/.rerank-v1-elasticsearch
- +++xx +++ +++ ++ x- +++--  POST /_inference/.rerank-v1-elasticsearch
    < {"input": ["a"], "query": "b"}
- ++xxx x++ x++ ++ x- ++x--  PUT /_inference/.rerank-v1-elasticsearch/_update
    < {"service_settings": {"num_allocations": 1}}
- ++xxx xxx xxx xx x- +xx--  DELETE /_inference/.rerank-v1-elasticsearch?force
- +++xx +++ +++ ++ x- +++--  GET /_inference/_services[/text_embedding]
- +++xx +++ +++ ++ x- +++--  POST /_inference/_chunk
- +++xx +++ +++ ++ x- +++--  GET /_inference/_region_policy
- ++xxx xxx xxx xx x- +xx--  PUT /_inference/_region_policy
- ++xxx xxx xxx xx x- +xx--  DELETE /_inference/_region_policy
- +++xx +++ ??? ++ x- +++--  GET /_console/endpoints/e1/cache
- ++xxx x++ x?? x+ x- ++x--  PUT /_console/endpoints/e1/cache
    < {"enabled": true}
- ++xxx x++ x?? x+ x- ++x--  DELETE /_console/endpoints/e1/cache
- ++xxx x++ x?? x+ x- ++x--  POST /_console/endpoints/e1/diagnose
""",
    "models": """
# site  team oth. sh no keys
- +xx++ +++ +++ ++ x- ++x--  GET /_ml/trained_models
- +xx++ +++ ??? ?? x- ++x--  GET /_ml/trained_models/m1
- +xx++ +++ +++ ++ x- ++x--  GET /_ml/trained_models/*
- +xx++ +++ +++ ++ x- ++x--  GET /_ml/trained_models/.rerank-v1
- +xx+x x++ x++ ++ x- ++x--  PUT /_ml/trained_models/new
- +xx+x x++ x++ ++ x- ++x--  PUT /_ml/trained_models/.elser_model_2
    < {"input": {"field_names": ["text_field"]}}
- +xx+x xxx xxx xx x- +xx--  PUT /_ml/trained_models/.elser_model_2
    < {"input": {"field_names": ["other"]}}
- +xx+x x++ x?? ?? x- ++x--  DELETE /_ml/trained_models/m1?force
- +xx+x xxx xxx xx x- +xx--  DELETE /_ml/trained_models/.rerank-v1?force
- +xx+x x++ x?? ?? x- ++x--  PUT /_ml/trained_models/m1/definition/0
- +xx+x x++ x?? ?? x- ++x--  PUT /_ml/trained_models/m1/vocabulary
- +xx++ +++ ??? ?? x- ++x--  GET /_ml/trained_models/m1/_stats
- +xx++ +++ +++ ++ x- ++x--  GET /_ml/trained_models/_stats
- +++++ +++ ??? ?? x- +++--  POST /_ml/trained_models/m1/[deployment/]_infer
    < {"docs": [{"text_field": "a"}]}
- +xx++ +++ +++ ++ x- ++x--  GET /_console/models
- +xx++ +++ ??? ?? x- ++x--  GET /_console/models/m1
- +xx+x x++ x++ ++ x- ++x--  PUT /_console/models/new
- +xx+x x++ x?? ?? x- ++x--  DELETE /_console/models/m1?force
- +xx+x x++ x?? ?? x- ++x--  POST /_console/models/m1/_cancel
- +xx+x x++ x?? ?? x- ++x--  POST /_console/models/m1/_retry
- +xx+x xxx xxx xx x- +xx--  POST /_console/models/.rerank-v1/_cancel
- +xx+x xxx xxx xx x- +xx--  POST /_console/models/.rerank-v1/_retry
""",
    "deployments": """
# site  team oth. sh no keys
- +xx+x x++ x?? ?? x- ++x--  POST /_ml/trained_models/m1/deployment/_start?deployment_id=d2
- +xx+x x++ x++ ++ x- ++x--  POST /_ml/trained_models/.rerank-v1/deployment/_start?deployment_id=d2
- +xx+x x++ x?? ?? x- ++x--  POST /_ml/trained_models/d1/deployment/_stop?allow_no_match=false
- +xx+x x++ x?? xx x- ++x--  POST /_ml/trained_models/e1/deployment/_stop?allow_no_match=false
- +xx+x x++ x?? ?? x- ++x--  POST /_ml/trained_models/d1/deployment/_update
    < {"number_of_allocations": 1}
- +xx+x x++ x?? xx x- ++x--  POST /_ml/trained_models/e1/deployment/_update
    < {"number_of_allocations": 1}
- +++++ +++ ??? ?? x- +++--  POST /_ml/trained_models/d1/_infer
    < {"docs": [{"text_field": "a"}]}
- +++++ +++ ??? ++ x- +++--  POST /_ml/trained_models/e1/_infer
    < {"docs": [{"text_field": "a"}]}
- +xx++ +++ ??? ?? x- ++x--  GET /_ml/trained_models/d1/_stats
- +xx++ +++ ??? ++ x- ++x--  GET /_ml/trained_models/e1/_stats
- +++++ +++ ??? ?? x- +++--  GET /_console/deployments/d1/events
- +++++ +++ ??? ++ x- +++--  GET /_console/deployments/e1/events
""",
    "clusters": """
# site  team oth. sh no keys
- +xxxx +++ +++ ++ x- ++x--  GET /_console/clusters
- +xxxx +++ ??? ?? x- ++x--  GET /_console/clusters/c1
- +xxxx x++ x++ ++ x- ++x--  PUT /_console/clusters/new
- +xxxx x++ x++ ++ x- ++x--  PUT /_console/clusters/c1
    < {"url": "http://127.0.0.1:1"}
- +xxxx x++ x?? ?? x- ++x--  DELETE /_console/clusters/c1
- +xxxx x++ x?? ?? x- ++x--  POST /_console/clusters/c1/_scan
""",
    "pipelines and indices, which are the site's": """
# site  team oth. sh no keys
- +xxxx xxx xxx xx x- +xx--  GET /_ingest/pipeline[/p1]
- +xxxx xxx xxx xx x- +xx--  PUT /_ingest/pipeline/p1
- +xxxx xxx xxx xx x- +xx--  DELETE /_ingest/pipeline/p1
- +xxxx xxx xxx xx x- +xx--  GET|POST /_ingest/pipeline/[p1/]_simulate
- +xxxx xxx xxx xx x- +xx--  GET /_mapping
- +xxxx xxx xxx xx x- +xx--  GET /i1/_mapping
- +xxxx xxx xxx xx x- +xx--  PUT|POST /i1/_mapping
- +xxxx xxx xxx xx x- +xx--  GET|HEAD|PUT|DELETE /i1
""",
    "who calls, and with what": """
# site  team oth. sh no keys
- +++++ +++ +++ ++ +- +++--  GET /_security/_authenticate
- +++++ +++ +++ ++ +- +++--  GET|POST /_security/user/_has_privileges
    < {"cluster": ["monitor"]}
- +xxxx xxx xxx xx x- +x+--  GET|POST /_security/user/superuser/_has_privileges
    < {"cluster": ["monitor"]}
- +xxxx xx+ xx+ xx x- +xx--  GET /_security/api_key
- +xxxx +++ +++ ++ x- +xx--  GET /_security/api_key?owner=true
- +xxxx +++ +++ ++ x- ++x--  PUT|POST /_security/api_key
- +xxxx +++ +++ ++ x- +xx--  DELETE /_security/api_key
    < {"owner": true}
- +xxxx xx+ xx+ xx x- +xx--  DELETE /_security/api_key
    < {"name": "key"}
""",
}
