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
""",
    "second factors of others": """
# site  team oth. sh no
- +xxxx xxx xx? xx x-  GET|POST /console/people/user/second-factor
""",
    "endpoints": """
# site  team oth. sh no
- +++xx +++ +++ ++ x-  GET /console/
- ++xxx x++ x++ ++ x-  GET|POST /console/endpoints/_new
- ++xxx x++ x++ ++ x-  GET /console/endpoints/_new/_providers
- ++xxx x++ x++ ++ x-  GET|POST /console/endpoints/_new/openai
- ++xxx x++ x++ ++ x-  POST /console/endpoints/_new/openai/request
- +++xx +++ ??? ++ x-  GET /console/endpoints/e1
- +++xx +++ ??? ++ x-  POST /console/endpoints/e1/try
- +++xx +++ ??? ++ x-  POST /console/endpoints/remote/stream
- ++xxx x++ x?? x+ x-  GET|POST /console/endpoints/remote/edit
- ++xxx x++ x?? xx x-  POST /console/endpoints/e1/retry
- ++xxx x++ x?? xx x-  GET|POST /console/endpoints/e1/delete
- ++xxx x++ x?? x+ x-  GET|POST /console/endpoints/e1/diagnose
- ++xxx x++ x?? x+ x-  POST /console/endpoints/e1/cache
    < enabled=true
- ++xxx x++ x?? x+ x-  POST /console/endpoints/e1/cache/purge
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
}
