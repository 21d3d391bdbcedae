#!/usr/bin/env python
"""The command line of the product: `manage.py up` starts everything."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "console.settings")
    from django.core.management import execute_from_command_line

    from console.env import BadSetting

    try:
        execute_from_command_line(sys.argv)
    except BadSetting as exc:
        sys.exit(f"Cannot start: {exc}")


if __name__ == "__main__":
    main()
