"""Makes the tables and serves, until whoever started it closes the standard input."""

import os
import sys
import threading
from socketserver import ThreadingMixIn
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.openid.provider.settings"

from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application


class Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True


class Quiet(WSGIRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


def end_with_the_tests() -> None:
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_the_tests, daemon=True).start()
    application = get_wsgi_application()
    call_command("migrate", run_syncdb=True, verbosity=0)
    make_server("127.0.0.1", settings.PORT, application, Server, Quiet).serve_forever()
